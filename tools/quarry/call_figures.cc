// SPDX-License-Identifier: MIT
#include "call_figures.h"

#include <quarry/context.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>

#include "measured_machine.h"
#include "trace_events.h"

namespace quarry::tool {
namespace {

constexpr uint64_t kRamBytes = 256 * kMiB;
constexpr Gfp kQuiet = gfp::kKernel | gfp::kNoWarn;

// One way to ask for memory, on some machine.
struct Call {
  const char* name;
  void* (*alloc)(MemorySystem& system, size_t bytes, Gfp gfp);
  void (*free)(MemorySystem& system, void* memory);
  Page* (*page)(const MemorySystem& system, const void* address);
  // Bytes that nobody else can have.
  size_t (*occupied)(const MemorySystem& system, const void* memory, size_t bytes);
};

void free_object(MemorySystem& system, void* memory) { system.kfree(memory); }
Page* page_of_object(const MemorySystem& system, const void* at) { return system.virt_to_page(at); }
size_t size_of_object(const MemorySystem& system, const void* memory, size_t) {
  return system.ksize(memory);
}

constexpr Call kCalls[] = {
    {"kmalloc",
     [](MemorySystem& system, size_t bytes, Gfp gfp) { return system.kmalloc(bytes, gfp); },
     free_object, page_of_object, size_of_object},
    {"kzalloc",
     [](MemorySystem& system, size_t bytes, Gfp gfp) {
       return system.kmalloc(bytes, gfp | gfp::kZero);
     },
     free_object, page_of_object, size_of_object},
    {"vmalloc",
     [](MemorySystem& system, size_t bytes, Gfp gfp) { return system.vmalloc(bytes, gfp); },
     [](MemorySystem& system, void* memory) { system.vfree(memory); },
     [](const MemorySystem& system, const void* at) { return system.vmalloc_to_page(at); },
     [](const MemorySystem&, const void*, size_t bytes) {
       return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
     }},
};

std::vector<uint32_t> frames_of(const Call& call, MemorySystem& system, const void* memory,
                                size_t bytes) {
  std::vector<uint32_t> frames;
  for (size_t at = 0; at < bytes; at += kPageBytes) {
    Page* page = call.page(system, static_cast<const char*>(memory) + at);
    frames.push_back(system.page_to_pfn(page).value());
  }
  return frames;
}

// Runs of adjacent frames; 0 of no memory. What is taken is given back.
size_t count_pieces(const Call& call, MemorySystem& system, size_t bytes) {
  void* memory = call.alloc(system, bytes, kQuiet);
  if (memory == nullptr) return 0;
  const std::vector<uint32_t> frames = frames_of(call, system, memory, bytes);
  size_t pieces = 1;
  for (size_t i = 1; i != frames.size(); ++i) pieces += frames[i] != frames[i - 1] + 1;
  call.free(system, memory);
  return pieces;
}

// Page numbers written at the pages' addresses have to be seen at the frames' own.
bool shows_its_frames_in_order(const Call& call, MemorySystem& system) {
  constexpr size_t kBytes = 64 * kKiB;
  auto* memory = static_cast<char*>(call.alloc(system, kBytes, kQuiet));
  if (memory == nullptr) return false;
  for (size_t at = 0; at != kBytes; at += sizeof(size_t)) std::memcpy(memory + at, &at, sizeof(at));
  bool right = true;
  for (size_t at = 0; at != kBytes; at += sizeof(size_t)) {
    const auto* frame =
        static_cast<const char*>(system.page_address(call.page(system, memory + at)));
    size_t seen = 0;
    std::memcpy(&seen, frame + at % kPageBytes, sizeof(seen));
    right = right && seen == at;
  }
  call.free(system, memory);
  return right;
}

// Fills all memory with another owner's data, and looks what of it a new owner finds.
size_t count_dirty_bytes(const Call& call) {
  constexpr size_t kBytes = 64 * kKiB;
  MeasuredMachine machine(64 * kMiB, {});
  std::vector<Page*> pages;
  while (Page* page = machine->alloc_pages(gfp::kMemalloc | gfp::kNoWarn, Order{0})) {
    std::memset(machine->page_address(page), 0x5a, kPageBytes);
    pages.push_back(page);
  }
  for (Page* page : pages) machine->put_page(page);
  auto* memory = static_cast<char*>(call.alloc(*machine, kBytes, kQuiet));
  const auto dirty = kBytes - static_cast<size_t>(std::count(memory, memory + kBytes, '\0'));
  call.free(*machine, memory);
  return dirty;
}

size_t bytes_occupied(const Call& call, MemorySystem& system, size_t bytes) {
  void* memory = call.alloc(system, bytes, kQuiet);
  const size_t occupied = call.occupied(system, memory, bytes);
  call.free(system, memory);
  return occupied;
}

bool is_granted(const Call& call, MemorySystem& system, uint64_t bytes) {
  void* memory = call.alloc(system, bytes, kQuiet | gfp::kNoRetry);
  if (memory != nullptr) call.free(system, memory);
  return memory != nullptr;
}

// To a page.
uint64_t find_largest(const Call& call, MemorySystem& system) {
  uint64_t granted = 0;
  uint64_t refused = kPageBytes;
  while (refused <= 2 * kRamBytes && is_granted(call, system, refused)) {
    granted = refused;
    refused *= 2;
  }
  while (granted + kPageBytes < refused) {
    const uint64_t middle = (granted + refused) / 2 / kPageBytes * kPageBytes;
    (is_granted(call, system, middle) ? granted : refused) = middle;
  }
  return granted;
}

double time_pair(const Call& call, MemorySystem& system, size_t bytes, size_t count) {
  return fastest_ns(count, [&] {
    for (size_t i = 0; i != count; ++i) call.free(system, call.alloc(system, bytes, kQuiet));
  });
}

// Reads a word of each page, in an order that no prefetcher guesses.
double time_touch(const Call& call, MemorySystem& system) {
  constexpr size_t kBytes = 4 * kMiB;
  constexpr size_t kTurns = 20;
  auto* memory = static_cast<char*>(call.alloc(system, kBytes, kQuiet));
  std::vector<size_t> order;
  for (size_t at = 0; at != kBytes; at += kPageBytes) {
    memory[at] = 1;
    order.push_back(at + at / kPageBytes % 64 * 64);  // not always the same cache set
  }
  std::ranges::shuffle(order, std::mt19937(1));
  size_t sum = 0;
  const double ns = fastest_ns(kTurns * order.size(), [&] {
    for (size_t turn = 0; turn != kTurns; ++turn) {
      for (const size_t at : order) sum += static_cast<volatile char*>(memory)[at];
    }
  });
  call.free(system, memory);
  return sum == 0 ? 0 : ns;
}

size_t count_host_mappings() {
  std::ifstream maps("/proc/self/maps");
  size_t lines = 0;
  for (std::string line; std::getline(maps, line);) ++lines;
  return lines;
}

size_t count_added_mappings(const Call& call, MemorySystem& system) {
  const size_t before = count_host_mappings();
  void* memory = call.alloc(system, kMiB, kQuiet);
  if (memory == nullptr) return 0;
  const size_t after = count_host_mappings();
  call.free(system, memory);
  return after > before ? after - before : 0;
}

bool is_below_16m(const Call& call, MemorySystem& system) {
  constexpr size_t kBytes = 64 * kKiB;
  void* memory = call.alloc(system, kBytes, kQuiet | gfp::kDmaBit);
  if (memory == nullptr) return false;
  const std::vector<uint32_t> frames = frames_of(call, system, memory, kBytes);
  call.free(system, memory);
  return std::ranges::all_of(frames, [](uint32_t pfn) { return pfn < 16 * kMiB / kPageBytes; });
}

bool works_in_interrupts(const Call& call) {
  MeasuredMachine machine(64 * kMiB, {});
  void* memory = nullptr;
  {
    const SectionGuard interrupt(Section::kHardirq);
    memory = call.alloc(*machine, 1000, gfp::kAtomic);
    if (memory != nullptr) call.free(*machine, memory);
  }
  return memory != nullptr && machine.log().empty();
}

CallFigures measure_call(const Call& call) {
  CallFigures figures{.call = call.name};
  figures.dirty_bytes = count_dirty_bytes(call);
  figures.in_interrupt = works_in_interrupts(call);
  {
    MeasuredMachine machine(kRamBytes, {});
    machine.populate();
    figures.virtually_contiguous = shows_its_frames_in_order(call, *machine);
    figures.pieces = count_pieces(call, *machine, 64 * kKiB);
    figures.bytes_of_100 = bytes_occupied(call, *machine, 100);
    figures.bytes_of_5000 = bytes_occupied(call, *machine, 5000);
    figures.ns_of_100 = time_pair(call, *machine, 100, 1000);
    figures.ns_of_4k = time_pair(call, *machine, 4 * kKiB, 1000);
    figures.ns_of_64k = time_pair(call, *machine, 64 * kKiB, 300);
    figures.ns_of_1m = time_pair(call, *machine, kMiB, 30);
    figures.touch_ns = time_touch(call, *machine);
    figures.dma_below_16m = is_below_16m(call, *machine);
    figures.largest_bytes = find_largest(call, *machine);
  }
  MeasuredMachine fragmented(kRamBytes, {});
  fragmented.fragment();
  figures.pieces_fragmented = count_pieces(call, *fragmented, 64 * kKiB);
  figures.host_mappings = count_added_mappings(call, *fragmented);
  figures.largest_bytes_fragmented = find_largest(call, *fragmented);
  return figures;
}

}  // namespace

std::vector<CallFigures> measure_calls() {
  std::vector<CallFigures> all;
  for (const Call& call : kCalls) all.push_back(measure_call(call));
  return all;
}

}  // namespace quarry::tool
