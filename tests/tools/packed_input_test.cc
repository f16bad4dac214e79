// SPDX-License-Identifier: MIT
#include "packed_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fake_machine.h"
#include "reading.h"
#include "replay.h"
#include "small_trace.h"

namespace quarry::tool {
namespace {

SmallTrace example() {
  return {
      .events = {"10 0t k 1 0 1 100 128", "5 1s c 2 0 0 1", "0 0h K 1 0", "0 0t o 2 r",
                 "0 1t p 0 1 0 2 1 4", "0 0t h 0 1", "0 0t P 0 1", "0 0t q 1 s",
                 "0 0t v 0 3 20480 16384 d", "0 0t v 1 4 8192 4096 x", "0 0t V 0 3", "0 0t u 1",
                 "0 0t a 0 0 0 16 8 64", "0 0t A 0", "0 0t x o 0 -1 p", "0 0t x a", "0 0t # end"},
      .live_end = "live_end obj 0 page 0 vmap 1 percpu 0"};
}

std::string packed(const SmallTrace& trace) { return pack(*OpenTrace(trace.text()).input); }

std::string error_of_opening(std::string_view bytes) {
  return error_of([bytes] { OpenTrace{bytes}; });
}

// A packed trace after a change, with the checksum that goes with it.
template <typename Change>
std::string with(std::string bytes, Change&& change) {
  replay::PackedHeader header{};
  std::memcpy(&header, bytes.data(), sizeof(header));
  change(header, bytes);
  header.total_bytes = bytes.size();
  std::memcpy(bytes.data(), &header, sizeof(header));
  replay::PackedChecksum sum;
  sum.add({reinterpret_cast<const uint8_t*>(bytes.data()) + replay::kChecksummedFrom,
           bytes.size() - replay::kChecksummedFrom});
  header.checksum = sum.value();
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

TEST(PackedInputTest, a_replay_is_the_same_as_of_the_text) {
  const auto replay = [](std::string_view trace, FakeMachine::Record& record) {
    OpenTrace opened(trace);
    FakeMachine machine(record);
    return Replay(*opened.input, machine).run({});
  };
  FakeMachine::Record from_text;
  FakeMachine::Record from_packed;
  const RunResult text = replay(example().text(), from_text);
  const RunResult binary = replay(packed(example()), from_packed);
  EXPECT_EQ(from_text.calls, from_packed.calls);
  EXPECT_EQ(from_text.calls.size(), 19U);
  EXPECT_EQ(text.layout_hash, binary.layout_hash);
  EXPECT_EQ(binary.title, "a small trace");
  EXPECT_EQ(binary.source, "nowhere");
  EXPECT_EQ(binary.trace_cpus, 2U);
  EXPECT_EQ(binary.duration_ns, 15U);
  EXPECT_EQ(binary.events, 17U);
  EXPECT_EQ(binary.events_by_context[2], 1U);
  EXPECT_EQ(binary.linux_pages.pages(SiteClass::kPageUser).peak, 4U);
  EXPECT_EQ(binary.unmatched.before_trace, 1U);
}

TEST(PackedInputTest, packing_again_changes_nothing) {
  const std::string once = packed(example());
  EXPECT_EQ(pack(*OpenTrace(once).input), once);
}

TEST(PackedInputTest, is_compact) {
  SmallTrace trace;
  for (int i = 0; i < 10'000; ++i) {
    trace.events.push_back(fmt::format("{} {}t k {} 0 0 100 128", i, i / 100 % 2, i % 8));
  }
  EXPECT_LT(packed(trace).size() * 3, trace.text().size());
}

TEST(PackedInputTest, a_bad_trace_is_not_packed) {
  SmallTrace trace = example();
  trace.events[3] = "0 0t o 9 r";
  EXPECT_EQ(error_of([&] { packed(trace); }),
            fmt::format("T:{}: object slot 9 is not in 0 to 7", trace.line_of(3)));
}

TEST(PackedInputTest, damage_is_found) {
  const std::string whole = packed(example());
  const auto cut = [&](size_t length) { return error_of_opening(whole.substr(0, length)); };
  EXPECT_EQ(cut(50), "T: the packed trace ends inside its header, after 50 bytes");
  EXPECT_EQ(cut(whole.size() - 1),
            fmt::format("T: the packed trace has {} bytes, but its header says {}",
                        whole.size() - 1, whole.size()));
  EXPECT_EQ(error_of_opening(whole + "x"),
            fmt::format("T: the packed trace has {} bytes, but its header says {}",
                        whole.size() + 1, whole.size()));
  for (size_t i = replay::kChecksummedFrom - sizeof(uint64_t); i < whole.size(); i += 5) {
    std::string damaged = whole;
    damaged[i] ^= 0x10;
    EXPECT_EQ(error_of_opening(damaged), "T: the packed trace is damaged: wrong checksum") << i;
  }
  std::string other = whole;
  other[8] = 2;
  EXPECT_EQ(error_of_opening(other), "T: a packed trace of version 2, only version 1 can be read");
}

struct Lie {
  void (*change)(replay::PackedHeader& header, std::string& bytes);
  const char* complaint;
};

class PackedLie : public testing::TestWithParam<Lie> {};

TEST_P(PackedLie, is_refused) {
  const std::string bytes = with(packed(example()), GetParam().change);
  const std::string error = error_of([&] {
    FakeMachine::Record record;
    OpenTrace opened(bytes);
    FakeMachine machine(record);
    Replay(*opened.input, machine).run({});
  });
  EXPECT_EQ(error, std::string("T: ") + GetParam().complaint);
}

constexpr size_t kGfps = sizeof(replay::PackedHeader);
constexpr size_t kCaches = kGfps + 2 * sizeof(replay::TraceGfp);
constexpr size_t kText = kCaches + 2 * sizeof(replay::TraceCache);

INSTANTIATE_TEST_SUITE_P(
    , PackedLie,
    testing::Values(
        Lie{[](auto& header, auto&) { header.cpus = 0; }, "a packed trace of 0 CPUs"},
        Lie{[](auto& header, auto&) { header.cpus = 5000; }, "a packed trace of 5000 CPUs"},
        Lie{[](auto& header, auto&) { header.slots.area = 2'000'000'000; },
            "a packed trace with 2000000000 slots of a kind"},
        Lie{[](auto& header, auto&) { header.gfps = 1'000'000; },
            "the packed trace has no room for its tables"},
        Lie{[](auto& header, auto&) { header.caches = ~0U; },
            "the packed trace has no room for its tables"},
        Lie{[](auto& header, auto&) { header.text_bytes = ~7U; },
            "the packed trace has no room for its tables"},
        Lie{[](auto& header, auto&) { header.text_bytes = 8; },
            "the title or source of the packed trace does not end"},
        Lie{[](auto&, auto& bytes) { bytes[kGfps + 4] = '\xf0'; },
            "a packed trace with gfp 0xcc0 on node -16"},
        Lie{[](auto&, auto& bytes) { bytes[kGfps + 3] = '\x80'; },
            "a packed trace with gfp 0x80000cc0 on node -1"},
        Lie{[](auto&, auto& bytes) { bytes[kCaches] = '\0'; },
            "a packed trace with cache 'dentry' of 0 bytes in 192, aligned to 8"},
        Lie{[](auto&, auto& bytes) { bytes[kCaches + 8] = '\7'; },
            "a packed trace with cache 'dentry' of 192 bytes in 192, aligned to 7"},
        Lie{[](auto&, auto& bytes) { bytes[kText - 1] = 'x'; },
            "a packed trace with a cache whose name does not end"},
        Lie{[](auto& header, auto&) { header.slots.object = 2; },
            "event 2: object slot 2 cannot be right"},
        Lie{[](auto& header, auto&) { header.cpus = 1; }, "event 2: CPU 1 cannot be right"},
        Lie{[](auto& header, auto&) { header.live_end.area = 3; },
            "event 18: 1 area slots are live at the end, but the header declares 3"},
        Lie{[](auto& header, auto&) { header.events = 18; },
            "event 18: the events end here, but the trace declares 18"},
        Lie{[](auto& header, auto&) { header.events = 16; },
            "event 17: more than the 16 events that the trace declares"},
        Lie{[](auto&, auto& bytes) { bytes.resize(bytes.size() - 2); },
            "event 16: the events end inside this one"}));

}  // namespace
}  // namespace quarry::tool
