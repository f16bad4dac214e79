// SPDX-License-Identifier: MIT
#include "sync/rcu.h"

#include "support/test_platform.h"

namespace quarry {
namespace {

using harness::TestPlatform;

// Counts what comes back, in order.
struct Entry {
  RcuHead head{};
  unsigned turn = 0;  // 0: not yet
  bool in_softirq = false;
};
constinit unsigned turns = 0;

void note(RcuHead* head) {
  auto* const entry = reinterpret_cast<Entry*>(head);
  entry->turn = ++turns;
  entry->in_softirq = in_interrupt(Arch::context());
}

class Tags final : public RcuReceiver {
 public:
  void grace_period_over(RcuHead& head, uintptr_t tag) override {
    last_head = &head;
    last_tag = tag;
  }
  const RcuHead* last_head = nullptr;
  uintptr_t last_tag = 0;
};

struct Fixture {
  Fixture() {
    turns = 0;
    reporter.init(platform);
    rcu.init(reporter, tags, counters);
  }
  ~Fixture() {
    CHECK(rcu.idle());
    CHECK(platform.quiet());
    CHECK(may_sleep(Arch::context()));
  }
  void call(Entry& entry) { rcu.call(entry.head, note); }
  [[gnu::noinline]] uint32_t enter() { return rcu.enter(QUARRY_SECTION_ENTRY); }
  [[gnu::noinline]] void lock() { rcu.read_lock(QUARRY_SECTION_ENTRY); }
  void unlock() { rcu.read_unlock(0x40); }
  bool reported(const char* text) {
    const bool found = platform.logged(text);
    platform.clear_log();
    return found;
  }

  TestPlatform platform{4};
  Reporter reporter;
  Tags tags;
  RcuCounters counters[4] = {};
  Rcu rcu;
};

QUARRY_TEST(Rcu, without_readers_one_step_is_a_grace_period) {
  Fixture f;
  CHECK(!f.rcu.step());
  Entry entries[3];
  for (Entry& entry : entries) f.call(entry);
  CHECK(!f.rcu.idle());
  CHECK(!f.rcu.step());
  for (unsigned i = 0; i != 3; ++i) {
    CHECK_EQ(entries[i].turn, i + 1);
    CHECK(entries[i].in_softirq);
  }
}

QUARRY_TEST(Rcu, a_section_holds_what_was_handed_over_meanwhile) {
  Fixture f;
  const uint32_t token = f.enter();
  Entry entry;
  f.call(entry);
  for (int i = 0; i != 10; ++i) CHECK(f.rcu.step());
  CHECK_EQ(entry.turn, 0U);
  f.rcu.leave(token);
  CHECK(!f.rcu.step());
  CHECK_EQ(entry.turn, 1U);
}

// Else readers that come one after the other would hold it for ever.
QUARRY_TEST(Rcu, sections_that_begin_later_hold_nothing) {
  Fixture f;
  const uint32_t old = f.enter();
  Entry entry;
  f.call(entry);
  CHECK(f.rcu.step());
  const uint32_t later = f.enter();
  f.rcu.leave(old);
  CHECK(!f.rcu.step());
  CHECK_EQ(entry.turn, 1U);
  // But they hold what comes now, through both indices.
  Entry next;
  f.call(next);
  CHECK(f.rcu.step());
  const uint32_t last = f.enter();
  CHECK(f.rcu.step());
  f.rcu.leave(later);
  f.rcu.step();
  Entry after_next;
  f.call(after_next);
  CHECK(f.rcu.step());
  CHECK_EQ(after_next.turn, 0U);
  f.rcu.leave(last);
  CHECK(!f.rcu.step());
  CHECK_EQ(next.turn, 2U);
  CHECK_EQ(after_next.turn, 3U);
}

QUARRY_TEST(Rcu, sections_of_a_thread_nest) {
  Fixture f;
  f.lock();
  f.lock();
  Entry entry;
  f.call(entry);
  CHECK(f.rcu.step());
  f.unlock();
  CHECK(f.rcu.step());
  CHECK_EQ(Arch::context().rcu_depth, 1U);
  f.unlock();
  CHECK(!f.rcu.step());
  CHECK_EQ(entry.turn, 1U);
}

QUARRY_TEST(Rcu, sections_of_two_systems_end_in_any_order) {
  Fixture a;
  Fixture b;
  const uint32_t in_a = a.enter();
  const uint32_t in_b = b.enter();
  Entry of_a;
  Entry of_b;
  a.call(of_a);
  b.call(of_b);
  a.rcu.leave(in_a);
  CHECK(!a.rcu.step());
  CHECK(b.rcu.step());
  CHECK_EQ(of_a.turn, 1U);
  CHECK_EQ(of_b.turn, 0U);
  b.rcu.leave(in_b);
  CHECK(!b.rcu.step());
}

QUARRY_TEST(Rcu, nothing_may_sleep_in_a_section) {
  Fixture f;
  f.lock();
  CHECK(context_forbids(Arch::context(), QUARRY_GFP_DIRECT_RECLAIM));
  f.reporter.check_context(QUARRY_GFP_DIRECT_RECLAIM, 0x40);
  CHECK(f.platform.logged("BUG: sleeping function called from invalid context"));
  CHECK(f.reported("RCU nest depth: 1, expected: 0"));
  f.unlock();
  CHECK(!context_forbids(Arch::context(), QUARRY_GFP_DIRECT_RECLAIM));
}

struct Chain {
  RcuHead head{};
  Rcu* rcu = nullptr;
  unsigned left = 3;
};

QUARRY_TEST(Rcu, a_callback_may_hand_itself_over_again) {
  Fixture f;
  Chain chain{.rcu = &f.rcu};
  constexpr auto kAgain = [](RcuHead* head) {
    auto* const self = reinterpret_cast<Chain*>(head);
    // Where there is a next turn, it is another grace period.
    if (--self->left == 0) return;
    self->rcu->call(self->head, [](RcuHead* inner) {
      auto* const again = reinterpret_cast<Chain*>(inner);
      --again->left;
    });
  };
  f.rcu.call(chain.head, kAgain);
  CHECK(f.rcu.step());
  CHECK_EQ(chain.left, 2U);
  CHECK(!f.rcu.step());
  CHECK_EQ(chain.left, 1U);
}

QUARRY_TEST(Rcu, a_step_in_a_callback_is_none) {
  Fixture f;
  struct Nested {
    RcuHead head{};
    Rcu* rcu = nullptr;
    bool left = false;
  } nested{.rcu = &f.rcu};
  f.rcu.call(nested.head, [](RcuHead* head) {
    auto* const self = reinterpret_cast<Nested*>(head);
    self->left = self->rcu->step();
  });
  CHECK(!f.rcu.step());
  CHECK(nested.left);
}

QUARRY_TEST(Rcu, tags_go_to_the_receiver) {
  Fixture f;
  RcuHead head;
  for (const uintptr_t tag : {uintptr_t{0}, kRcuFreeTags - 1, kRcuTags - 1}) {
    f.tags.last_head = nullptr;
    f.rcu.call_tagged(head, tag);
    CHECK(!f.rcu.step());
    CHECK(f.tags.last_head == &head);
    CHECK_EQ(f.tags.last_tag, tag);
  }
}

QUARRY_TEST(Rcu, synchronize_and_barrier_run_what_there_is) {
  Fixture f;
  f.rcu.synchronize(0x40);
  Entry entry;
  f.call(entry);
  f.rcu.synchronize(0x40);
  CHECK_EQ(entry.turn, 1U);
  f.call(entry);
  f.rcu.barrier(0x40);
  CHECK_EQ(entry.turn, 2U);
  f.rcu.barrier(0x40);
}

QUARRY_TEST(Rcu, synchronize_waits_for_the_reader) {
  Fixture f;
  struct Reader {
    Rcu* rcu;
    uint32_t token;
    unsigned rounds;
  } reader{&f.rcu, f.enter(), 5};
  // Another thread's section, as far as this thread's context can tell.
  leave_section(&quarry_context::rcu_depth);
  f.platform.on_wait(
      [](void* context) {
        auto* const self = static_cast<Reader*>(context);
        if (--self->rounds == 0) {
          ++Arch::context().rcu_depth;
          self->rcu->leave(self->token);
        }
        return true;
      },
      &reader);
  Entry entry;
  f.call(entry);
  f.rcu.synchronize(0x40);
  CHECK_EQ(reader.rounds, 0U);
  CHECK_EQ(entry.turn, 1U);
}

QUARRY_TEST(Rcu, waiting_in_a_section_is_reported_and_no_wait) {
  Fixture f;
  f.lock();
  f.rcu.synchronize(0x40);
  CHECK(f.reported("Illegal synchronize_rcu() in RCU read-side critical section"));
  f.rcu.barrier(0x40);
  CHECK(f.reported("Illegal rcu_barrier() in RCU read-side critical section"));
  f.unlock();
  {
    const ContextGuard hardirq(&quarry_context::hardirq_depth);
    f.rcu.synchronize(0x40);
    CHECK(f.reported("BUG: sleeping function called from invalid context"));
  }
}

QUARRY_TEST(Rcu, a_section_that_nobody_can_end_is_reported) {
  Fixture f;
  const uint32_t token = f.enter();
  leave_section(&quarry_context::rcu_depth);
  f.rcu.synchronize(0x40);
  CHECK(f.reported("rcu: a read-side section never ends, and nobody is in it"));
  ++Arch::context().rcu_depth;
  f.rcu.leave(token);
  f.rcu.synchronize(0x40);
}

QUARRY_TEST(Rcu, an_unlock_too_many_is_reported) {
  Fixture f;
  f.unlock();
  CHECK(f.reported("rcu_read_unlock() without rcu_read_lock()"));
  f.lock();
  f.unlock();
}

// As in the child of a fork, which has none of the other threads.
QUARRY_TEST(Rcu, forgotten_readers_hold_nothing) {
  Fixture f;
  const uint32_t lost = f.enter();
  f.lock();
  f.rcu.stop_steps();
  f.rcu.lock_all();
  f.rcu.forget_readers();
  f.rcu.unlock_all();
  Entry entry;
  f.call(entry);
  CHECK(!f.rcu.step());
  CHECK_EQ(entry.turn, 1U);
  f.unlock();
  f.rcu.leave(lost);
  // Their ends count for nothing, and sections work as before.
  const uint32_t token = f.enter();
  f.call(entry);
  CHECK(f.rcu.step());
  f.rcu.leave(token);
  CHECK(!f.rcu.step());
}

// Sums wrap, and stay the number of sections.
QUARRY_TEST(Rcu, counters_wrap) {
  Fixture f;
  for (const unsigned index : {0U, 1U}) {
    f.counters[1].entered[index].store(~uint32_t{0});
    f.counters[3].left[index].store(~uint32_t{0} - 4);
    f.counters[2].left[index].store(4);
  }
  Entry entry;
  for (int round = 0; round != 8; ++round) {
    const uint32_t token = f.enter();
    f.call(entry);
    CHECK(f.rcu.step());
    f.rcu.leave(token);
    CHECK(!f.rcu.step());
  }
  CHECK_EQ(entry.turn, 8U);
}

}  // namespace
}  // namespace quarry
