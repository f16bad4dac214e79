// SPDX-License-Identifier: MIT
#include "replay/player.h"

#include "base/random.h"
#include "machine.h"
#include "replay/system_target.h"

namespace {

using namespace quarry;
using namespace quarry::replay;

constexpr TraceGfp kGfps[] = {{gfp::kKernel, kNoNode}, {gfp::kAtomic | gfp::kZero, NodeId{1}}};
constexpr TraceCache kCaches[] = {
    {.object_bytes = 192, .slot_bytes = 192, .align_bytes = 8, .reclaimable = 1, .name = "dentry"},
    {.object_bytes = 60, .slot_bytes = 64, .align_bytes = 64, .name = "request"},
};
constexpr uint32_t kObjects = 400;
constexpr uint32_t kBlocks = 60;
constexpr uint32_t kAreas = 5;

// Coded events in memory, in two blocks.
class EventList final : public EventSource {
 public:
  explicit EventList(const TraceTables& trace) : fields_(trace), encoder_(fields_) {}

  void add(const Event& event) {
    REQUIRE(static_cast<size_t>(end_ - bytes_) + kMaxEventBytes <= sizeof(bytes_));
    end_ = encoder_.add(event, end_);
    ++count_;
  }
  void cut_here() { middle_ = end_; }
  uint64_t count() const { return count_; }

  std::span<const uint8_t> next_block() override {
    const uint8_t* const from = next_;
    next_ = next_ == bytes_ && middle_ != bytes_ ? middle_ : end_;
    return {from, next_};
  }

 private:
  EventFields fields_;
  EventEncoder encoder_;
  uint8_t bytes_[48 * 1024];
  uint8_t* end_ = bytes_;
  const uint8_t* middle_ = bytes_;
  const uint8_t* next_ = bytes_;
  uint64_t count_ = 0;
};

TraceTables tables() {
  return {.cpus = 2,
          .slots = {.object = kObjects, .page = kBlocks, .area = kAreas},
          .has_live_end = true,
          .live_end = {},
          .gfps = kGfps,
          .caches = kCaches};
}

Event allocation(Random& random, Op op, uint32_t slot) {
  Event event{};
  event.op = op;
  event.slot = slot;
  event.gfp = random.below(2);
  event.cache = random.below(2);
  event.requested_bytes = random.below(9000) + 1;
  event.granted_bytes = event.requested_bytes;
  event.order = static_cast<uint8_t>(random.below(9));
  event.site = random.one_in(4) ? SiteClass::kPageSlab : SiteClass::kPageUser;
  if (op == Op::kAreaAlloc) {
    event.gfp = 0;
    event.site = random.one_in(2) ? SiteClass::kAreaVmalloc : SiteClass::kAreaIoremap;
    event.requested_bytes = replay::kPageBytes * (2 + random.below(20));
    event.align_bytes = replay::kPageBytes << random.below(3);
  }
  return event;
}

// Turns a slot over: what was live is freed, what was free is allocated.
void turn_over(Random& random, EventList& events, bool& live, Op allocate, Op free, uint32_t slot) {
  Event event = allocation(random, allocate, slot);
  if (live) event.op = free;
  event.cpu = static_cast<uint16_t>(random.below(2));
  // Only what may happen in an interrupt does.
  const bool may_sleep = allocate == Op::kAreaAlloc || event.gfp == 0;
  event.context = may_sleep ? Context::kTask : static_cast<Context>(random.below(3));
  live = !live;
  events.add(event);
}

// Things come and go at random; nothing is left.
void fill(Random& random, EventList& events) {
  bool objects[kObjects] = {};
  bool blocks[kBlocks] = {};
  bool areas[kAreas] = {};
  const auto object = [&](uint32_t slot) {
    turn_over(random, events, objects[slot], random.one_in(2) ? Op::kKmalloc : Op::kCacheAlloc,
              Op::kKfree, slot);
  };
  const auto block = [&](uint32_t slot) {
    turn_over(random, events, blocks[slot], Op::kPageAlloc, Op::kPageFree, slot);
  };
  const auto area = [&](uint32_t slot) {
    turn_over(random, events, areas[slot], Op::kAreaAlloc, Op::kAreaFree, slot);
  };
  for (int i = 0; i != 3000; ++i) {
    if (i == 1500) events.cut_here();
    object(random.below(kObjects));
    if (random.one_in(3)) block(random.below(kBlocks));
    if (random.one_in(20)) area(random.below(kAreas));
  }
  for (uint32_t i = 0; i != kObjects; ++i) {
    if (objects[i]) object(i);
  }
  for (uint32_t i = 0; i != kBlocks; ++i) {
    if (blocks[i]) block(i);
  }
  for (uint32_t i = 0; i != kAreas; ++i) {
    if (areas[i]) area(i);
  }
}

struct Outcome {
  uint64_t layout_hash;
  Counts counts;
};

// A trace's caches outlive its objects.
void destroy_named_caches(harness::Machine& machine) {
  KmemCache* caches[std::size(kCaches)] = {};
  size_t count = 0;
  machine.core().kmem.for_each([&](KmemCache& cache) {
    if ((cache.flags & QUARRY_SLAB_KMALLOC) == 0) caches[count++] = &cache;
  });
  for (KmemCache* cache : caches) machine->cache_destroy(cache);
}

// Plays what the seed makes on a machine of its own, which afterwards has everything back.
Outcome play(uint64_t seed, uint64_t most, unsigned mib) {
  Random random(seed);
  TraceTables trace = tables();
  static EventList events(trace);
  new (&events) EventList(trace);
  fill(random, events);
  trace.events = events.count();

  harness::Machine machine{.nodes = 2, .mib = mib, .cpus = 2};
  SystemTarget target(machine.system, {[](void* to, CpuId cpu) {
                                         static_cast<harness::Machine*>(to)->on_cpu(cpu.value());
                                       },
                                       &machine});
  alignas(16) static unsigned char slots[32 * 1024];
  CHECK(Player::table_bytes(trace) <= sizeof(slots));
  __builtin_memset(slots, 0, sizeof(slots));
  Player player(trace, events, target, nullptr, slots);
  while (player.more()) player.play_turn(most);
  target.rest();
  CHECK(player.finish());
  CHECK_TEXT(player.error(), "");
  CHECK_EQ(player.counts().events, trace.events);
  if (player.counts().failed_allocations() != 0) machine.log.clear();
  destroy_named_caches(machine);
  return {player.layout_hash(), player.counts()};
}

QUARRY_TEST(Player, plays_the_same_however_turns_are_cut) {
  const Outcome whole = play(harness::seed(), UINT64_MAX, 64);
  const Outcome cut = play(harness::seed(), 7, 64);
  CHECK_EQ(whole.layout_hash, cut.layout_hash);
  CHECK(whole.layout_hash != play(harness::seed() + 1, UINT64_MAX, 64).layout_hash);
  const Counts& counts = whole.counts;
  CHECK_EQ(counts.failed_allocations(), 0U);
  CHECK(counts.kmalloc.allocations > 300 && counts.cache_objects.allocations > 300);
  CHECK(counts.blocks.allocations > 100 && counts.backing.allocations > 20);
  CHECK(counts.vmalloc.allocations > 10 && counts.ranges.allocations > 10);
  CHECK_EQ(counts.live.objects.now, 0U);
  CHECK_EQ(counts.unmatched.total(), 0U);
}

QUARRY_TEST(Player, goes_on_where_memory_runs_out) {
  const Outcome outcome = play(harness::seed(), UINT64_MAX, 8);
  CHECK(outcome.counts.failed_allocations() > 0);
  CHECK_EQ(outcome.counts.live.objects.now, 0U);
}

// The error of a trace with these events, of which the trace declares one more than there are.
const char* error_of(std::initializer_list<Event> list) {
  TraceTables trace = tables();
  static EventList events(trace);
  new (&events) EventList(trace);
  for (const Event& event : list) events.add(event);
  trace.events = events.count() + 1;
  harness::Machine machine{.nodes = 2, .cpus = 2};
  SystemTarget target(machine.system, {[](void*, CpuId) {}, nullptr});
  alignas(16) static unsigned char slots[32 * 1024];
  __builtin_memset(slots, 0, sizeof(slots));
  static FixedText<160> error;
  Player player(trace, events, target, nullptr, slots);
  while (player.more()) player.play_turn(UINT64_MAX);
  CHECK(player.failed() && !player.finish());
  error.clear();
  format(error, "%s", player.error());
  return error.c_str();
}

QUARRY_TEST(Player, says_what_cannot_be_right) {
  Event block{};
  block.op = Op::kPageAlloc;
  block.site = SiteClass::kPageSlab;
  CHECK_TEXT(error_of({block, block}), "page slot 0 is allocated while it is live");
  Event split{};
  split.op = Op::kPageSplit;
  split.other_slot = 1;
  CHECK_TEXT(error_of({block, split}), "page slot 0 has nothing to split");
  CHECK_TEXT(error_of({}), "the events end here, but the trace declares 1");
  Event wrong{};
  wrong.op = Op::kKfree;
  wrong.slot = kObjects;
  CHECK_TEXT(error_of({wrong}), "object slot 400 cannot be right");
}

}  // namespace
