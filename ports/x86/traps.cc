// SPDX-License-Identifier: MIT
#include "x86/traps.h"

#include "sync/execution_context.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/descriptors.h"
#include "x86/probe.h"
#include "x86/report.h"

extern "C" {
extern const char quarry_trap_entries[];
void handle_trap(quarry::TrapFrame* frame);
}

namespace quarry {
namespace {

constexpr unsigned kVectors = 256;
constexpr unsigned kEntryBytes = 16;
constexpr unsigned kFirstInterrupt = 32;
constexpr unsigned kPageFault = 14;

constinit Gate table[kVectors] = {};
constinit std::atomic<InterruptHandler> handlers[kVectors] = {};
constinit std::atomic<FaultHandler> fault_handler{nullptr};
constinit std::atomic<uint32_t> strays{0};

bool fix_probe(TrapFrame& frame) {
  const auto ip = static_cast<uintptr_t>(frame.ip);
  if (ip != reinterpret_cast<uintptr_t>(quarry_probe_load_at) &&
      ip != reinterpret_cast<uintptr_t>(quarry_probe_store_at)) {
    return false;
  }
  this_cpu().last_fault = {read_cr2(), static_cast<uint32_t>(frame.error)};
  frame.ip = reinterpret_cast<uintptr_t>(quarry_probe_failed);
  return true;
}

bool mend_fault(const TrapFrame& frame) {
  const FaultHandler handler = fault_handler.load(std::memory_order_relaxed);
  return handler != nullptr && handler({read_cr2(), static_cast<uint32_t>(frame.error)});
}

void handle_interrupt(TrapFrame& frame) {
  frame.ip = resume_address(frame.ip);
  enter_section(&quarry_context::hardirq_depth,
                {static_cast<uintptr_t>(frame.ip), static_cast<uintptr_t>(frame.stack_pointer())});
  const InterruptHandler handler = handlers[frame.vector].load(std::memory_order_relaxed);
  if (handler != nullptr) {
    handler(frame);
  } else {
    strays.fetch_add(1, std::memory_order_relaxed);
  }
  leave_section(&quarry_context::hardirq_depth);
  // A spurious interrupt is not acknowledged (Intel SDM vol. 3A, 11.9).
  if (frame.vector != kSpuriousVector) end_of_interrupt();
}

}  // namespace

void build_trap_table() {
  const auto first = reinterpret_cast<uintptr_t>(quarry_trap_entries);
  for (unsigned i = 0; i != kVectors; ++i) {
    table[i] = Gate::make(first + uintptr_t{i} * kEntryBytes, kCodeSelector);
  }
}

void use_trap_table() {
  const DescriptorPointer pointer{sizeof(table) - 1, reinterpret_cast<uintptr_t>(table)};
  asm volatile("lidt %0" : : "m"(pointer));
}

void set_interrupt_handler(uint8_t vector, InterruptHandler handler) {
  QUARRY_CHECK(vector >= kFirstInterrupt);
  handlers[vector].store(handler, std::memory_order_relaxed);
}

void set_fault_handler(FaultHandler handler) {
  fault_handler.store(handler, std::memory_order_relaxed);
}

uint32_t stray_interrupts() { return strays.load(std::memory_order_relaxed); }

}  // namespace quarry

void handle_trap(quarry::TrapFrame* frame) {
  using namespace quarry;
  if (frame->vector >= kFirstInterrupt) {
    handle_interrupt(*frame);
  } else if (frame->vector != kPageFault || !(fix_probe(*frame) || mend_fault(*frame))) {
    die_of_trap(*frame);
  }
}
