// SPDX-License-Identifier: MIT
#include <linux/proc_fs.h>

#include "harness.h"
#include "kernel.h"
#include "x86/clock.h"
#include "x86/smp.h"

extern "C" int demo_interfaces(int nodes);

namespace boot {
namespace {

using namespace quarry;

void show_memory_map() {
  print("Memory map, as the firmware has it:\n");
  for (const BootRange& range : machine.boot.ranges()) {
    print("  [%012x-%012x] %10u KiB  %s\n", range.start, range.end() - 1, range.bytes >> 10,
          range.type == BootRange::kUsable ? "usable" : "reserved");
  }
  print("Taken before the allocator starts:\n");
  for (const PhysRange& range : machine.boot.reservations()) {
    print("  [%012x-%012x] %10u KiB\n", range.start, range.end() - 1, range.bytes >> 10);
  }
}

void show_nodes() {
  print("CPUs, nodes and distances:\n");
  for (unsigned i = 0; i != machine.cpu_count; ++i) {
    print("  CPU %u: APIC %u, node %d\n", i, machine.cpu[i].apic_id, machine.cpu[i].node);
  }
  for (unsigned i = 0; i != machine.node_range_count; ++i) {
    const NodeRange& range = machine.node_range[i];
    print("  node %d: [%012x-%012x]\n", range.node, range.start, range.end() - 1);
  }
  for (unsigned from = 0; from != system().node_count(); ++from) {
    print("  node %u:", from);
    for (unsigned to = 0; to != system().node_count(); ++to) {
      print(" %3u", platform().node_distance(NodeId(from), NodeId(to)));
    }
    print("\n");
  }
}

void show_zones() {
  print("Zones:\n");
  for (const Zone& zone : core().pages.zones()) {
    if (!zone.populated()) continue;
    print("  node %d %-7s frames %7x-%7x  present %7u  managed %7u  min %5u low %5u high %5u\n",
          zone.node, zone.name(), zone.start, zone.end - 1, zone.present, zone.managed,
          zone.marks.at(Mark::kMin), zone.marks.at(Mark::kLow), zone.marks.at(Mark::kHigh));
  }
}

void show_proc() {
  Console out;
  const auto write = [](void* context, const char* text, size_t length) {
    static_cast<Console*>(context)->write(text, length);
  };
  void* const area = system().vmalloc(64 * kKiB);  // something for vmallocinfo
  for (const char* const* name = quarry_proc_names(); *name != nullptr; ++name) {
    print("/proc/%s\n", *name);
    quarry_proc_show(*name, write, &out);
  }
  system().vfree(area);
}

}  // namespace

bool show_machine() {
  show_memory_map();
  show_nodes();
  show_zones();
  give_back_all();
  const uint64_t free_before = system().free_page_count();
  const int mistakes = demo_interfaces(static_cast<int>(system().node_count()));
  show_proc();
  give_back_all();
  FixedText<1024> problem;
  const bool sound = system().validate(problem);
  const bool balanced = system().free_page_count() == free_before;
  print("All pages free again: %s; invariants: %s; %u ms since the machine was measured\n",
        balanced ? "yes" : "no", sound ? "ok" : problem.c_str(),
        static_cast<uint32_t>(div_u64(clock_ns(), 1'000'000)));
  return mistakes == 0 && sound && balanced;
}

}  // namespace boot
