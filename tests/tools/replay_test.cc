// SPDX-License-Identifier: MIT
#include "replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_machine.h"
#include "reading.h"
#include "small_trace.h"

namespace quarry::tool {
namespace {

using testing::ElementsAre;

class ReplayTest : public testing::Test {
 protected:
  RunResult replay(const SmallTrace& trace) {
    OpenTrace opened(trace.text());
    FakeMachine machine(record_);
    return Replay(*opened.input, machine).run({});
  }

  FakeMachine::Record record_;
};

TEST_F(ReplayTest, objects_go_the_way_they_went_on_linux) {
  const RunResult run = replay({.events = {
                                    "0 0t k 0 0 0 100 128",
                                    "0 0t c 1 0 1 1",
                                    "0 1s c 2 0 0 1",
                                    "0 1s K 1 0",  // Linux allows kfree() for these
                                    "0 1s C 2 0",
                                    "0 0t o 0 r",
                                    "0 0t c 3 0 0 0",
                                    "0 0t o 3 s",
                                }});
  EXPECT_THAT(record_.calls,
              ElementsAre("on 0t", "kmalloc 100 cc0 -1", "create anon_vma", "cache_alloc 2 820 0",
                          "on 1s", "cache_alloc 2 cc0 -1", "kfree", "cache_free 2", "on 0t",
                          "kfree", "create dentry", "cache_alloc 3 cc0 -1", "cache_free 3"));
  EXPECT_TRUE(record_.live.empty());
  EXPECT_EQ(run.events, 8U);
  EXPECT_EQ(run.events_by_context[1], 3U);
  EXPECT_EQ(run.kmalloc.allocations, 1U);
  EXPECT_EQ(run.kmalloc.inferred_frees, 1U);
  EXPECT_EQ(run.cache_objects.allocations, 3U);
  EXPECT_EQ(run.cache_objects.frees, 2U);
  EXPECT_EQ(run.cache_objects.live, 0U);
  EXPECT_EQ(run.failed_allocations(), 0U);
  EXPECT_EQ(run.validate, "ok");
}

TEST_F(ReplayTest, live_bytes_are_linuxs_sizes) {
  const RunResult run = replay({.events = {
                                    "0 0t k 0 0 0 100 128",     // 128 of them in slabs
                                    "0 0t k 1 0 0 8193 16384",  // whole pages
                                    "0 0t c 2 0 0 1",           // 96 in 104
                                    "0 0t K 0 0",
                                    "0 0t k 3 0 0 1 8",
                                }});
  EXPECT_EQ(run.live.objects.peak, 3U);
  EXPECT_EQ(run.live.slab.peak, 128U + 104U);
  EXPECT_EQ(run.live.requested.peak, 100U + 96U);
  EXPECT_EQ(run.live.slab.now, 104U + 8U);
  EXPECT_EQ(run.live.requested.now, 97U);
  EXPECT_EQ(run.live.large.peak, 16384U);
  EXPECT_EQ(run.live.large.now, 16384U);
}

TEST_F(ReplayTest, linuxs_own_pages_are_followed_and_not_replayed) {
  const RunResult run = replay({.events = {
                                    "0 0t p 0 2 0 3 0 8",   // a slab of Linux
                                    "0 0t p 1 1 0 1 0 16",  // somebody's pages
                                    "0 0t P 0 1",           // the site of a free does not count
                                    "0 0t p 2 2 0 0 0 3",
                                    "0 0t P 1 2",
                                }});
  EXPECT_THAT(record_.calls, ElementsAre("on 0t", "alloc_pages 1 cc0", "free_pages 1 1"));
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageSlab).peak, 8U);
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageSlab).now, 1U);
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageUser).peak, 2U);
  EXPECT_EQ(run.backing.allocations, 2U);
  EXPECT_EQ(run.backing.live, 1U);
  EXPECT_EQ(run.blocks.allocations, 1U);
  EXPECT_EQ(run.block_pages.peak, 2U);
}

TEST_F(ReplayTest, blocks_are_allocated_so_that_they_can_be_split) {
  const RunResult run =
      replay({.events = {"0 0t p 0 1 2 2 0 4", "0 0t h 0 1", "0 0t h 1 2", "0 0t P 0 1",
                         "0 0t q 2 s", "0 0t P 1 1"},
              .live_end = "live_end obj 0 page 0 vmap 0 percpu 0",
              .more_header = {"gfp 2 0x40cc0 0 -1 IO|FS|DIRECT_RECLAIM|KSWAPD_RECLAIM|COMP"}});
  EXPECT_THAT(record_.calls, ElementsAre("on 0t", "alloc_pages 2 cc0", "split 2", "free_pages 1 0",
                                         "free_pages 2 0", "free_pages 4 0", "free_pages 3 0"));
  EXPECT_TRUE(record_.live.empty());
  EXPECT_EQ(run.blocks.frees, 2U);
  EXPECT_EQ(run.blocks.inferred_frees, 1U);
  EXPECT_EQ(run.blocks.live, 0U);
  EXPECT_EQ(run.block_pages.now, 0U);
  EXPECT_EQ(run.linux_pages.pages(SiteClass::kPageUser).now, 0U);
}

TEST_F(ReplayTest, areas_lose_their_guard_page) {
  const RunResult run = replay({.events = {
                                    "0 0t v 0 3 20480 16384 d",
                                    "0 0t v 1 4 8192 4096 d",
                                    "0 0t v 2 4 4096 1 x",
                                    "0 0t u 3",
                                    "0 1t V 0 3",
                                    "0 1t V 1 4",
                                }});
  EXPECT_THAT(record_.calls, ElementsAre("on 0t", "vmalloc 16384", "reserve 4096 4096",
                                         "reserve 4096 1", "on 1t"));
  EXPECT_EQ(record_.live.size(), 1U);
  EXPECT_EQ(run.vmalloc.allocations, 1U);
  EXPECT_EQ(run.vmalloc.live, 0U);
  EXPECT_EQ(run.ranges.live, 1U);
  EXPECT_EQ(run.vmalloc_bytes.peak, 16384U);
  EXPECT_EQ(run.vmalloc_bytes.now, 0U);
}

TEST_F(ReplayTest, percpu_memory_is_counted) {
  const RunResult run =
      replay({.events = {"0 0t a 0 0 0 16 8 64", "0 0t a 1 0 0 4 4 16", "0 0t A 0"}});
  EXPECT_THAT(record_.calls, ElementsAre("on 0t"));
  EXPECT_EQ(run.percpu.allocations, 2U);
  EXPECT_EQ(run.percpu.live, 1U);
  EXPECT_EQ(run.percpu_bytes.peak, 80U);
  EXPECT_EQ(run.percpu_bytes.now, 16U);
}

TEST_F(ReplayTest, frees_of_unknown_things_are_counted_and_not_replayed) {
  const RunResult run = replay({.events = {
                                    "0 0t x o 0 -1 p",
                                    "0 0t x p 1 0 7 h",
                                    "0 0t x v 3",
                                    "0 0t x a",
                                    "0 0t K 0 0",
                                    "0 0t o 0 r",
                                    "0 0t P 0 1",
                                    "0 0t V 0 3",
                                    "0 0t A 0",
                                }});
  EXPECT_THAT(record_.calls, ElementsAre("on 0t"));
  EXPECT_EQ(run.unmatched.before_trace, 1U);
  EXPECT_EQ(run.unmatched.hidden_allocation, 1U);
  EXPECT_EQ(run.unmatched.unexplained, 2U);
  EXPECT_EQ(run.unmatched.dead_slots, 5U);
  EXPECT_EQ(run.unmatched.total(), 9U);
}

TEST_F(ReplayTest, what_fails_stays_empty) {
  record_.fail_after = 0;
  const RunResult run =
      replay({.events = {"0 0t k 0 0 0 8 8", "0 0t c 1 0 0 0", "0 0t p 0 1 0 1 0 2", "0 0t h 0 1",
                         "0 0t v 0 3 8192 1 d", "0 0t v 1 4 8192 1 d", "0 0t K 0 0", "0 0t C 1 0",
                         "0 0t P 0 1", "0 0t P 1 1", "0 0t V 0 3", "0 0t V 1 3"},
              .live_end = "live_end obj 0 page 0 vmap 0 percpu 0"});
  EXPECT_EQ(run.failed_allocations(), 5U);
  EXPECT_EQ(run.kmalloc.failed, 1U);
  EXPECT_EQ(run.cache_objects.failed, 1U);
  EXPECT_EQ(run.blocks.failed, 1U);
  EXPECT_EQ(run.vmalloc.failed, 1U);
  EXPECT_EQ(run.ranges.failed, 1U);
  EXPECT_EQ(run.block_pages.peak, 0U);
  EXPECT_EQ(run.vmalloc_bytes.peak, 0U);
}

TEST_F(ReplayTest, a_live_slot_cannot_be_allocated) {
  const auto error = [this](std::vector<std::string> events) {
    return error_of([&] { replay({.events = std::move(events)}); });
  };
  EXPECT_EQ(error({"0 0t u 1", "0 0t k 3 0 0 8 8", "0 0t c 3 0 0 0"}),
            "T:21: object slot 3 is allocated while it is live");
  EXPECT_EQ(error({"0 0t p 3 1 0 0 0 0", "0 0t p 3 2 0 0 0 1"}),
            "T:20: page slot 3 is allocated while it is live");
  EXPECT_EQ(error({"0 0t p 3 1 0 1 0 0", "0 0t h 3 3"}),
            "T:20: page slot 3 is allocated while it is live");
  EXPECT_EQ(error({"0 0t p 3 1 0 0 0 0", "0 0t h 3 4"}), "T:20: page slot 3 has nothing to split");
  EXPECT_EQ(error({"0 0t v 3 3 8192 1 d", "0 0t v 3 4 4096 1 d"}),
            "T:20: area slot 3 is allocated while it is live");
  EXPECT_EQ(error({"0 0t a 3 0 0 8 8 8", "0 0t a 3 0 0 8 8 8"}),
            "T:20: per-CPU slot 3 is allocated while it is live");
}

TEST_F(ReplayTest, live_slots_at_the_end_must_agree_with_the_header) {
  const auto error = [this](const char* live_end) {
    return error_of([&] {
      replay({.events = {"0 0t k 0 0 0 8 8", "0 0t p 0 1 0 0 0 0", "0 0t p 1 2 0 0 0 1",
                         "0 0t v 0 3 8192 1 d", "0 0t a 0 0 0 8 8 8"},
              .live_end = live_end});
    });
  };
  EXPECT_EQ(error("live_end obj 1 page 2 vmap 1 percpu 1"), "");
  EXPECT_EQ(error("live_end obj 1 page 1 vmap 1 percpu 1"),
            "T:25: 2 page slots are live at the end, but the header declares 1");
  EXPECT_EQ(error("live_end obj 0 page 2 vmap 1 percpu 1"),
            "T:25: 1 object slots are live at the end, but the header declares 0");
}

TEST_F(ReplayTest, slab_pages_are_followed_to_their_peak) {
  SmallTrace trace;
  for (int i = 0; i < 8; ++i) trace.events.push_back(fmt::format("0 0t k {} 0 0 5000 8192", i));
  for (int i = 0; i < 6; ++i) trace.events.push_back(fmt::format("0 0t K {} 0", i));
  trace.events.push_back("0 0t c 0 0 0 0");
  const RunResult run = replay(trace);
  EXPECT_EQ(run.peak_slab_pages, 16U);
  EXPECT_EQ(run.end_slab_pages, 5U);
  ASSERT_EQ(run.use_near_peak.size(), 2U);
  EXPECT_EQ(run.use_near_peak[1].objects, 8U);
  EXPECT_EQ(run.use_near_peak[1].requested_bytes, 40000U);
  EXPECT_EQ(run.use_near_peak[1].slab_pages, 16U);
  ASSERT_EQ(run.use_at_end.size(), 3U);
  EXPECT_EQ(run.use_at_end[1].requested_bytes, 10000U);
  EXPECT_EQ(run.use_at_end[2].objects, 1U);
  EXPECT_EQ(run.caches[1].name, "dentry");
}

TEST_F(ReplayTest, layout_hash_tells_layouts_apart) {
  const SmallTrace trace{.events = {"0 0t k 0 0 0 8 8", "0 0t k 1 0 0 8 8", "0 0t p 0 1 0 0 0 0"}};
  const uint64_t hash = replay(trace).layout_hash;
  EXPECT_EQ(replay(trace).layout_hash, hash);
  SmallTrace swapped = trace;
  std::swap(swapped.events[0], swapped.events[1]);
  EXPECT_NE(replay(swapped).layout_hash, hash);
  record_.fail_after = 2;
  EXPECT_NE(replay(trace).layout_hash, hash);
}

}  // namespace
}  // namespace quarry::tool
