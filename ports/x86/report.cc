// SPDX-License-Identifier: MIT
#include "x86/report.h"

#include "x86/cpu.h"
#include "x86/exit.h"
#include "x86/image.h"
#include "x86/machine.h"
#include "x86/serial.h"

namespace quarry {
namespace {

constexpr size_t kMaxFrames = 24;
constexpr unsigned kPageFault = 14;

// Intel SDM vol. 3A, table 6-1.
constexpr const char* kTrapNames[] = {"divide error",
                                      "debug",
                                      "NMI",
                                      "int3",
                                      "overflow",
                                      "bounds",
                                      "invalid opcode",
                                      "device not available",
                                      "double fault",
                                      "coprocessor segment overrun",
                                      "invalid TSS",
                                      "segment not present",
                                      "stack segment",
                                      "general protection fault",
                                      "page fault"};

// Behind a call: E8 and 4 bytes, or FF /2 in its lengths without and with a base register, an index
// and a displacement.
bool is_return_address(uintptr_t address) {
  constexpr uintptr_t kLongestCall = 7;
  if (!image::is_code(address) || !image::is_code(address - kLongestCall)) return false;
  const auto* const code = reinterpret_cast<const uint8_t*>(address);
  if (code[-5] == 0xe8) return true;
  for (const int length : {2, 3, 4, 6, 7}) {
    if (code[-length] == 0xff && (code[1 - length] >> 3 & 7) == 2) return true;
  }
  return false;
}

void print_trace(TextSink& out, std::span<const uintptr_t> frames) {
  format(out, "Call Trace:\n <TASK>\n");
  for (const uintptr_t frame : frames) {
    char name[160];
    describe_address(frame, name);
    format(out, " %s\n", static_cast<const char*>(name));
  }
  format(out, " </TASK>\n");
}

void print_page_fault(TextSink& out, const TrapFrame& frame) {
  const auto error = static_cast<uint32_t>(frame.error);
  const bool present = (error & Fault::kPresent) != 0;
  format(out, "BUG: unable to handle page fault for address: %p\n",
         reinterpret_cast<void*>(read_cr2()));
  format(out, "#PF: supervisor %s access in kernel mode\n",
         (error & Fault::kWrite) != 0 ? "write" : "read");
  format(out, "#PF: error_code(0x%04x) - %s\n", error,
         present ? "permissions violation" : "not-present page");
}

void print_registers(TextSink& out, const TrapFrame& frame) {
  char name[160];
  describe_address(static_cast<uintptr_t>(frame.ip), name);
  format(out, "%s: %04x:%s\n", TrapFrame::kIpName, static_cast<unsigned>(frame.cs),
         static_cast<const char*>(name));
  format(out, "%cSP: %p EFLAGS: %08x\n", TrapFrame::kIpName[0],
         reinterpret_cast<void*>(frame.stack_pointer()), static_cast<uint32_t>(frame.flags));
  for (unsigned i = TrapFrame::kRegisters; i-- != 0;) {
    format(out, "%s: %p%s", TrapFrame::kNames[i], reinterpret_cast<void*>(frame.general[i]),
           i % 3 == 0 ? "\n" : " ");
  }
}

}  // namespace

void Console::write(const char* text, size_t length) { write_serial(text, length); }

size_t scan_stack(uintptr_t from, std::span<uintptr_t> frames) {
  const BareCpu& cpu = this_cpu();
  size_t count = 0;
  if (from < cpu.stack_start || from % sizeof(uintptr_t) != 0) return 0;
  for (uintptr_t at = from; at < cpu.stack_end && count != frames.size(); at += sizeof(at)) {
    const auto* const word = reinterpret_cast<const uintptr_t*>(at);
    // What has been found may itself lie on the stack.
    const bool found_before = word >= frames.data() && word < frames.data() + frames.size();
    if (!found_before && is_return_address(*word)) frames[count++] = *word;
  }
  return count;
}

size_t collect_backtrace(std::span<uintptr_t> frames) {
  return scan_stack(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), frames);
}

void describe_address(uintptr_t address, std::span<char> text) {
  if (text.empty()) return;
  FixedText<64> line;
  format(line, "0x%p", reinterpret_cast<void*>(address));
  const size_t length = line.size() < text.size() ? line.size() : text.size() - 1;
  __builtin_memcpy(text.data(), line.c_str(), length);
  text[length] = '\0';
}

void die(const char* message) {
  unlock_serial();
  Console out;
  uintptr_t frames[kMaxFrames];
  const size_t count = collect_backtrace(frames);
  format(out, "Kernel panic - not syncing: %s\n", message);
  print_trace(out, {frames, count});
  leave_machine(false);
}

void die_of_trap(const TrapFrame& frame) {
  unlock_serial();
  Console out;
  if (frame.vector == kPageFault) {
    print_page_fault(out, frame);
  } else {
    const auto vector = static_cast<unsigned>(frame.vector);
    format(out, "%s: %04x\n", vector < std::size(kTrapNames) ? kTrapNames[vector] : "trap",
           static_cast<uint32_t>(frame.error));
  }
  format(out, "CPU: %d\n", Arch::cpu_id());
  print_registers(out, frame);
  uintptr_t frames[kMaxFrames];
  const size_t count = scan_stack(static_cast<uintptr_t>(frame.stack_pointer()), frames);
  print_trace(out, {frames, count});
  leave_machine(false);
}

void check_failed(const char* expression, const char* file, int line) {
  FixedText<512> message;
  format(message, "check failed at %s:%d: %s", file, line, expression);
  die(message.c_str());
}

}  // namespace quarry
