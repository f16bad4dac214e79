// SPDX-License-Identifier: MIT
#include "trace_reader.h"

#include <gtest/gtest.h>

#include "reading.h"
#include "small_trace.h"

namespace quarry::tool {
namespace {

TEST(TraceReaderTest, reads_every_kind_of_event) {
  const SmallTrace trace{.events = {
                             "10 0t k 1 0 1 100 128",
                             "20 1s K 1 0",
                             "0 0h c 2 0 0 1",
                             "0 0n C 2 0",
                             "0 0t o 3 s",
                             "0 0t p 7 1 0 3 2 4294967296",
                             "0 0t P 7 2",
                             "0 0t q 6 r",
                             "0 0t h 5 4",
                             "0 0t v 3 3 20480 16384 d",
                             "0 0t V 3 4",
                             "0 0t u 120",
                             "0 0t a 0 0 1 16 8 64",
                             "0 0t A 0",
                             "0 0t x o 0 -1 p",
                             "0 0t x o 0 1 h",
                             "0 0t x p 1 2 77 p",
                             "0 0t x v 3",
                             "0 0t x a",
                             "0 0t # workload-begin",
                         }};
  Reading reading(trace.text());
  const std::vector<TraceEvent> events = reading.all();
  ASSERT_EQ(events.size(), 20U);
  const Op ops[] = {Op::kKmalloc,      Op::kKfree,       Op::kCacheAlloc,  Op::kCacheFree,
                    Op::kInferredFree, Op::kPageAlloc,   Op::kPageFree,    Op::kInferredPageFree,
                    Op::kPageSplit,    Op::kAreaAlloc,   Op::kAreaFree,    Op::kAreaPurge,
                    Op::kPercpuAlloc,  Op::kPercpuFree,  Op::kUnknownFree, Op::kUnknownFree,
                    Op::kUnknownFree,  Op::kUnknownFree, Op::kUnknownFree, Op::kMark};
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].op, ops[i]) << i;

  EXPECT_EQ(events[0].delta_ns, 10U);
  EXPECT_EQ(events[0].slot, 1U);
  EXPECT_EQ(events[0].gfp, 1U);
  EXPECT_EQ(events[0].requested_bytes, 100U);
  EXPECT_EQ(events[0].granted_bytes, 128U);
  EXPECT_EQ(events[1].cpu, 1U);
  EXPECT_EQ(events[1].context, Context::kSoftirq);
  EXPECT_EQ(events[2].context, Context::kHardirq);
  EXPECT_EQ(events[2].cache, 1U);
  EXPECT_EQ(events[3].context, Context::kNmi);
  EXPECT_EQ(events[4].detail, 's');
  EXPECT_EQ(events[5].order, 3U);
  EXPECT_EQ(events[5].migrate_type, 2U);
  EXPECT_EQ(events[5].page, 4294967296U);
  EXPECT_EQ(events[8].other_slot, 4U);
  EXPECT_EQ(events[9].requested_bytes, 20480U);
  EXPECT_EQ(events[9].align_bytes, 16384U);
  EXPECT_EQ(events[9].detail, 'd');
  EXPECT_EQ(events[12].granted_bytes, 64U);
  EXPECT_EQ(events[14].detail, 'p');
  EXPECT_EQ(events[15].detail, 'h');
  EXPECT_EQ(events[16].detail, 'p');
  EXPECT_EQ(events[17].detail, 0);
}

TEST(TraceReaderTest, reads_lines_across_buffers) {
  SmallTrace trace;
  for (int i = 0; i < 40'000; ++i) {
    trace.events.push_back(fmt::format("{} 0t k {} 0 0 {} 4096", i, i % 8, i % 4096 + 1));
  }
  Reading reading(trace.text());
  const std::vector<TraceEvent> events = reading.all();
  ASSERT_EQ(events.size(), 40'000U);
  for (size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].delta_ns, i);
    ASSERT_EQ(events[i].requested_bytes, i % 4096 + 1);
  }
}

TEST(TraceReaderTest, a_newline_at_the_very_end_may_lack) {
  EXPECT_EQ(error_of_reading(SmallTrace{.events = {"0 0t u 1"}, .ending = "end"}.text()), "");
}

class BadEventLine : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadEventLine, is_named_with_its_line) {
  const auto& [line, complaint] = GetParam();
  const SmallTrace trace{.events = {"0 0t u 1", line, "0 0t u 1"}};
  EXPECT_EQ(error_of_reading(trace.text()), fmt::format("T:{}: {}", trace.line_of(1), complaint));
}

INSTANTIATE_TEST_SUITE_P(
    , BadEventLine,
    testing::Values(
        std::pair{"", "the line ends where the time step should stand"},
        std::pair{" 0t u 1", "'0t' where the time step should stand"},
        std::pair{"-5 0t u 1", "'-5' where the time step should stand"},
        std::pair{"5  0t u 1", "'0t' where the CPU should stand"},
        std::pair{"99999999999999999999 0t u 1",
                  "time step 99999999999999999999 is not in 0 to 18446744073709551614"},
        std::pair{"1 2t u 1", "CPU 2t is not in 0 to 1"},
        std::pair{"1 t u 1", "'t' where the CPU should stand"},
        std::pair{"1 0z u 1", "'z' where the context letter t, s, h or n should stand"},
        std::pair{"1 0t", "the line ends where the kind of event should stand"},
        std::pair{"1 0t z 1", "'z' where the kind of event should stand"},
        std::pair{"1 0t kk 1", "'k' where the object slot should stand"},
        std::pair{"1 0t k 8 0 0 8 8", "object slot 8 is not in 0 to 7"},
        std::pair{"1 0t k 7 9 0 8 8", "site 9 is not in 0 to 4"},
        std::pair{"1 0t k 7 0 2 8 8", "gfp 2 is not in 0 to 1"},
        std::pair{"1 0t k 7 0 0 9 8", "kmalloc of 9 bytes that returned 8"},
        std::pair{"1 0t k 7 0 0 0 8", "kmalloc of 0 bytes that returned 8"},
        std::pair{"1 0t k 7 0 0 8",
                  "the line ends where the size that Linux returned should stand"},
        std::pair{"1 0t k 7 0 0 8 8 8", "the line goes on with '8' where it should end"},
        std::pair{"1 0t k 7 0 0 8 8 ", "the line goes on with '' where it should end"},
        std::pair{"1 0t k 7 0 0 8 8\r", "the line goes on with '\r' where it should end"},
        std::pair{"1 0t c 7 0 0 2", "cache 2 is not in 0 to 1"},
        std::pair{"1 0t o 7 x", "'x' where the reason r or s should stand"},
        std::pair{"1 0t p 8 1 0 0 0 5", "page slot 8 is not in 0 to 7"},
        std::pair{"1 0t p 7 1 0 11 0 0", "order 11 is not in 0 to 10"},
        std::pair{"1 0t p 7 1 0 2 0 6", "page 6 is not aligned to order 2"},
        std::pair{"1 0t p 7 0 0 2 0 8", "site 0 is not one that allocates pages"},
        std::pair{"1 0t v 0 3 4096 1 d", "an area of 4096 bytes"},
        std::pair{"1 0t v 0 4 5000 1 d", "an area of 5000 bytes"},
        std::pair{"1 0t v 0 1 8192 1 d", "site 1 is not one that allocates areas"},
        std::pair{"1 0t v 0 3 8192 1 y", "'y' where the range d or x should stand"},
        std::pair{"1 0t a 0 0 0 8 8 0", "per-CPU memory of 0 bytes"},
        std::pair{"1 0t A 4", "per-CPU slot 4 is not in 0 to 3"},
        std::pair{"1 0t x q", "'q' where the kind o, p, v or a should stand"},
        std::pair{"1 0t x o 0 -2 p", "cache 2 is not in 0 to 1"},
        std::pair{"1 0t x o 0 2 p", "cache 2 is not in 0 to 1"},
        std::pair{"ende", "'ende' where the time step should stand"}));

TEST(TraceReaderTest, slots_of_a_kind_that_has_none) {
  const SmallTrace trace{.events = {"0 0t A 0"}, .slots = "slots obj 1"};
  EXPECT_EQ(error_of_reading(trace.text()), "T:19: per-CPU slot 0, but there is none");
}

TEST(TraceReaderTest, truncated_traces_are_named_where_they_end) {
  SmallTrace trace{.events = {"0 0t u 1", "0 0t u 22"}, .ending = ""};
  EXPECT_EQ(error_of_reading(trace.text()),
            "T:20: the trace ends here, after 2 of 2 events and without an 'end' line");
  std::string text = trace.text();
  text.pop_back();  // the newline
  EXPECT_EQ(error_of_reading(text),
            "T:20: the trace ends here, after 2 of 2 events and without an 'end' line");
  text.resize(text.size() - 3);  // " 22"
  EXPECT_EQ(error_of_reading(text), "T:20: the trace ends in the middle of this line");
  trace.ending = "en";
  EXPECT_EQ(error_of_reading(trace.text()), "T:21: the trace ends in the middle of this line");
}

TEST(TraceReaderTest, totals_must_agree_with_the_header) {
  const SmallTrace two{.events = {"5 0t u 1", "6 0t u 1"}};
  std::string text = two.text();
  text.replace(text.find("events 2"), 8, "events 3");
  EXPECT_EQ(error_of_reading(text), "T:21: 'end' after 2 events, but the header declares 3");
  text.replace(text.find("events 3"), 8, "events 1");
  EXPECT_EQ(error_of_reading(text), "T:20: more than the 1 events that the header declares");
  SmallTrace timed = two;
  timed.more_header = {"duration_ns 11"};
  EXPECT_EQ(error_of_reading(timed.text()), "");
  timed.more_header = {"duration_ns 12"};
  EXPECT_EQ(error_of_reading(timed.text()),
            "T:22: the events' time steps add up to 11 ns, but the header declares 12");
}

TEST(TraceReaderTest, nothing_may_follow_the_end) {
  EXPECT_EQ(error_of_reading(SmallTrace{.ending = "end\nend\n"}.text()),
            "T:20: text after the 'end' line");
}

}  // namespace
}  // namespace quarry::tool
