// SPDX-License-Identifier: MIT
// A kernel that replays the packed trace that its loader put into memory (-initrd), in the frames
// and on the CPUs of its machine. Says which memory that is, so that `quarry replay` can make the
// same machine in a process, and what the replay laid out in it.
#include "port_layout.h"
#include "replay/memory_map_text.h"
#include "replay/packed_trace.h"
#include "replay/player.h"
#include "replay/system_target.h"
#include "system/core.h"
#include "x86/bare_platform.h"
#include "x86/kernel.h"
#include "x86/machine.h"
#include "x86/paging.h"
#include "x86/report.h"
#include "x86/smp.h"

namespace {

using namespace quarry;

constinit BarePlatform the_platform;
constinit MemorySystem the_system;

// Memory that is taken before the system boots, so that it shows as reserved and the system's own
// stays as it is in a process: seen in the direct map, cleared.
void* take(uint64_t bytes) {
  const uint64_t at = machine.boot.take(bytes, Arch::kLowmemLimit);
  if (at == 0) die("too little memory for the replay's own tables");
  void* const memory = reinterpret_cast<void*>(kDirectMapBase + static_cast<uintptr_t>(at));
  __builtin_memset(memory, 0, static_cast<size_t>(bytes));
  return memory;
}

// Page tables for the front of the vmalloc range. Areas lie at its lowest addresses; if they needed
// more, the core would take frames for tables as a process need not.
void make_vmalloc_tables(uint64_t bytes) {
  using Format = Arch::TableFormat;
  using Entry = Format::Entry;
  constexpr unsigned kLeafShift = kPageShift + Format::kIndexBits;
  const auto leaves = static_cast<uintptr_t>(bytes >> kLeafShift);
  const uintptr_t most = leaves + (Format::kLevels - 2) * (leaves / 512 + 2);
  auto* next = static_cast<unsigned char*>(take(uint64_t{most} << kPageShift));
  for (uintptr_t i = 0; i != leaves; ++i) {
    const uintptr_t page = (kVmallocStart >> kPageShift) + (i << Format::kIndexBits);
    Entry* table = kernel_map_root().as<Entry>();
    for (unsigned level = Format::kLevels - 1; level != 0; --level) {
      const uintptr_t mask = (uintptr_t{1} << Format::kIndexBits) - 1;
      Entry& entry = table[page >> level * Format::kIndexBits & mask];
      if (!entry.present()) {
        const uintptr_t frame = (VirtAddr(next).value() - kDirectMapBase) >> kPageShift;
        // Not owned: nobody takes it off when it is empty.
        entry.write({Entry::make_table(Pfn(frame)).bits & ~Entry::kOwned});
        next += kPageBytes;
      }
      table = reinterpret_cast<Entry*>(kDirectMapBase +
                                       (uintptr_t{entry.frame().value()} << kPageShift));
    }
  }
}

// The turns of a trace on the machine's CPUs. Who has the turn is the only one that touches player
// and target.
class Turns {
 public:
  Turns(replay::Player& player, replay::SystemTarget& target) : player_(player), target_(target) {
    pass_on();
  }

  // Plays the turns of the CPU that runs until there are no more of anybody's.
  void play_mine() {
    const unsigned self = static_cast<unsigned>(Arch::cpu_id());
    for (unsigned spins = 0;;) {
      // Acquire: what the others' turns did is there.
      const unsigned whose = whose_.load(std::memory_order_acquire);
      if (whose == kNobodys) return;
      if (whose != self) {
        Arch::relax(spins++);
        continue;
      }
      player_.play_turn(UINT64_MAX);
      target_.rest();
      pass_on();
    }
  }

 private:
  static constexpr unsigned kNobodys = ~0U;

  void pass_on() {
    whose_.store(player_.more() ? player_.cpu().value() : kNobodys, std::memory_order_release);
  }

  replay::Player& player_;
  replay::SystemTarget& target_;
  std::atomic<unsigned> whose_{kNobodys};
};

void play_mine(void* turns) { static_cast<Turns*>(turns)->play_mine(); }

void play_on_all_cpus(replay::Player& player, replay::SystemTarget& target, unsigned cpus) {
  Turns turns(player, target);
  for (unsigned i = 1; i != cpus; ++i) run_on(CpuId(i), play_mine, &turns);
  turns.play_mine();
  for (unsigned i = 1; i != cpus; ++i) wait_for(CpuId(i));
}

bool replay_trace(replay::PackedTrace& trace) {
  constexpr size_t kStackBytes = 64 * kKiB;
  constexpr uint64_t kVmallocBytes = kVmallocEnd - kVmallocStart;
  Console out;
  const replay::TraceTables& tables = trace.tables();
  void* const slots = take(replay::Player::table_bytes(tables));
  auto* const stacks = static_cast<unsigned char*>(take(machine.cpu_count * kStackBytes));
  make_vmalloc_tables(kVmallocBytes < kGiB ? kVmallocBytes : kGiB);
  if (const char* const wrong = the_platform.open({}); wrong != nullptr) die(wrong);
  replay::write_memory_map(out, the_platform.memory_ranges());
  if (tables.cpus > machine.cpu_count) {
    format(out, "the trace was recorded on %u CPUs, here are %u\n", tables.cpus, machine.cpu_count);
    return false;
  }
  if (!the_system.boot(the_platform, {.steps_by_caller = true, .merge_caches = false}))
    return false;
  void* stack_of[kMaxBareCpus] = {};
  for (unsigned i = 1; i != machine.cpu_count; ++i) stack_of[i] = stacks + i * kStackBytes;
  start_other_cpus(stack_of, kStackBytes);

  // Each CPU plays its own turns: it is there already.
  replay::SystemTarget target(
      the_system, {[](void*, CpuId cpu) { QUARRY_CHECK(cpu.value() == Arch::cpu_id()); }, nullptr});
  static replay::Player player(tables, trace, target, nullptr, slots);
  play_on_all_cpus(player, target, tables.cpus);
  const size_t page_tables = Core::of(the_system).space.mapper().table_count();
  const bool valid = the_system.validate(out);
  const replay::Counts& counts = player.counts();
  if (!player.finish()) {
    format(out, "event %llu: %s\n", counts.events + 1, player.error());
    return false;
  }
  format(out, "%llu events on %u CPUs, %llu allocations failed, %llu objects live, at most %llu",
         counts.events, machine.cpu_count, counts.failed_allocations(), counts.live.objects.now,
         counts.peak_slab_pages);
  format(out, " slab pages, %zu page tables made\n", page_tables);
  format(out, "layout_hash %016llx; validate: %s\n", player.layout_hash(), valid ? "ok" : "broken");
  return valid;
}

}  // namespace

bool quarry::kernel_main() {
  Console out;
  const auto modules = machine.boot.modules();
  if (modules.empty()) {
    format(out, "no trace: give a packed one to the loader (-initrd)\n");
    return false;
  }
  if (modules[0].end() > Arch::kLowmemLimit) {
    format(out, "the trace lies above the direct map, at 0x%llx\n", modules[0].start);
    return false;
  }
  const auto* const bytes =
      reinterpret_cast<const uint8_t*>(kDirectMapBase + static_cast<uintptr_t>(modules[0].start));
  static replay::PackedTrace trace;
  if (!trace.open({bytes, static_cast<size_t>(modules[0].bytes)})) {
    format(out, "%s\n", trace.error());
    return false;
  }
  format(out, "replaying: %s\n", trace.title());
  return replay_trace(trace);
}
