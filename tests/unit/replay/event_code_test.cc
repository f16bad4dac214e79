// SPDX-License-Identifier: MIT
#include "replay/event_code.h"

#include "base/random.h"
#include "harness.h"

namespace {

using namespace quarry;
using namespace quarry::replay;

constexpr TraceGfp kGfps[300] = {};
constexpr TraceCache kCaches[3] = {};

TraceTables tables() {
  return {.cpus = 4,
          .events = 0,
          .slots = {.object = 70'000, .page = 256, .area = 257, .percpu = 1},
          .gfps = kGfps,
          .caches = kCaches};
}

// An event of that kind with every field at random, as a decoder has to accept it.
Event random_event(Random& random, Op op) {
  Event event{};
  const auto below = [&random](uint64_t end) { return random.below(static_cast<uint32_t>(end)); };
  event.op = op;
  event.cpu = static_cast<uint16_t>(below(4));
  event.context = static_cast<Context>(below(kContextCount));
  const uint64_t bytes = uint64_t{1} << below(56);
  switch (op) {
    case Op::kKmalloc:
      event.granted_bytes = below(kObjectBytesEnd - 1) + 1;
      event.requested_bytes = below(event.granted_bytes) + 1;
      break;
    case Op::kPageAlloc:
      event.site = static_cast<SiteClass>(static_cast<int>(SiteClass::kPageUser) + below(6));
      event.order = static_cast<uint8_t>(below(kOrderEnd));
      break;
    case Op::kAreaAlloc:
      event.site = static_cast<SiteClass>(static_cast<int>(SiteClass::kAreaVmalloc) + below(5));
      event.requested_bytes = 2 * kPageBytes + bytes / kPageBytes * kPageBytes;
      event.align_bytes = bytes;
      break;
    case Op::kPercpuAlloc:
      event.granted_bytes = bytes;
      break;
    case Op::kUnknownFree:
      event.detail = "ph"[below(2)];
      break;
    default:
      break;
  }
  if (op <= Op::kInferredFree) event.slot = below(70'000);
  if (op >= Op::kPageAlloc && op <= Op::kPageSplit) event.slot = below(256);
  if (op == Op::kPageSplit) event.other_slot = below(256);
  if (op == Op::kAreaAlloc || op == Op::kAreaFree) event.slot = below(257);
  if (op == Op::kKmalloc || op == Op::kCacheAlloc || op == Op::kPageAlloc) event.gfp = below(300);
  if (op == Op::kCacheAlloc) event.cache = below(3);
  return event;
}

void check_same(const Event& a, const Event& b) {
  CHECK_EQ(a.op, b.op);
  CHECK_EQ(a.cpu, b.cpu);
  CHECK_EQ(a.context, b.context);
  CHECK_EQ(a.slot, b.slot);
  CHECK_EQ(a.other_slot, b.other_slot);
  CHECK_EQ(a.gfp, b.gfp);
  CHECK_EQ(a.cache, b.cache);
  CHECK_EQ(a.requested_bytes, b.requested_bytes);
  CHECK_EQ(a.granted_bytes, b.granted_bytes);
  CHECK_EQ(a.align_bytes, b.align_bytes);
  CHECK_EQ(a.site, b.site);
  CHECK_EQ(a.order, b.order);
  CHECK_EQ(a.detail, b.detail);
}

QUARRY_TEST(EventCode, what_is_written_is_read) {
  Random random(harness::seed());
  const TraceTables trace = tables();
  const EventFields fields(trace);
  EventEncoder encoder(fields);
  EventDecoder decoder(fields, trace.cpus);
  for (int round = 0; round < 20'000; ++round) {
    const Event event = random_event(random, static_cast<Op>(random.below(kOpCount)));
    uint8_t bytes[kMaxEventBytes];
    const uint8_t* const end = encoder.add(event, bytes);
    REQUIRE(end > bytes && end <= bytes + sizeof(bytes));
    Event read{};
    const uint8_t* at = bytes;
    REQUIRE(decoder.next(at, end, read));
    CHECK(at == end);
    check_same(event, read);
  }
}

QUARRY_TEST(EventCode, events_follow_each_other) {
  Random random(harness::seed());
  const TraceTables trace = tables();
  const EventFields fields(trace);
  constexpr int kEvents = 100;
  static Event events[kEvents];
  static uint8_t bytes[kEvents * kMaxEventBytes];
  EventEncoder encoder(fields);
  uint8_t* end = bytes;
  for (Event& event : events) {
    event = random_event(random, static_cast<Op>(random.below(kOpCount)));
    end = encoder.add(event, end);
  }
  EventDecoder decoder(fields, trace.cpus);
  const uint8_t* at = bytes;
  for (const Event& event : events) {
    Event read{};
    REQUIRE(decoder.next(at, end, read));
    check_same(event, read);
  }
  CHECK(at == end);
}

// Whatever the bytes are, nothing is read behind them, and what is accepted is in its bounds.
QUARRY_TEST(EventCode, any_bytes_are_safe) {
  Random random(harness::seed());
  const TraceTables trace = tables();
  const EventFields fields(trace);
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 100'000; ++round) {
    // At the very end of an array, so that sanitizers see a step too far.
    uint8_t bytes[80];
    const size_t length = random.below(sizeof(bytes)) + 1;
    uint8_t* const front = bytes + sizeof(bytes) - length;
    for (size_t i = 0; i != length; ++i) {
      front[i] = static_cast<uint8_t>(random.one_in(2) ? random.below(32) : random.below(256));
    }
    EventDecoder decoder(fields, trace.cpus);
    const uint8_t* at = front;
    Event event{};
    if (!decoder.next(at, bytes + sizeof(bytes), event)) {
      ++refused;
      CHECK(at == front && decoder.wrong().what != nullptr);
      continue;
    }
    ++accepted;
    REQUIRE(at > front && at <= bytes + sizeof(bytes));
    CHECK(event.cpu < trace.cpus && static_cast<size_t>(event.op) < kOpCount);
    if (event.op <= Op::kInferredFree) CHECK(event.slot < trace.slots.object);
    if (event.op == Op::kCacheAlloc) CHECK(event.cache < 3 && event.gfp < 300);
    if (event.op == Op::kPageAlloc) CHECK(is_page_site(event.site) && event.order < kOrderEnd);
    if (event.op == Op::kAreaAlloc) CHECK(event.requested_bytes % kPageBytes == 0);
  }
  CHECK(accepted > 1000);
  CHECK(refused > 1000);
}

QUARRY_TEST(EventCode, what_is_wrong_is_named) {
  const TraceTables trace = tables();
  const EventFields fields(trace);
  const auto wrong_of = [&](std::initializer_list<uint8_t> bytes) {
    EventDecoder decoder(fields, trace.cpus);
    const uint8_t* at = bytes.begin();
    Event event{};
    return decoder.next(at, bytes.end(), event) ? EventDecoder::Wrong{"nothing"} : decoder.wrong();
  };
  const auto op = [](Op kind) { return static_cast<uint8_t>(kind); };
  CHECK_TEXT(wrong_of({op(Op::kKfree), 0x6f, 0x11, 0x01}).what, "nothing");
  CHECK_TEXT(wrong_of({op(Op::kKfree), 0x70, 0x11, 0x01}).what, "object slot");
  CHECK_EQ(wrong_of({op(Op::kKfree), 0x70, 0x11, 0x01}).value, 70'000U);
  CHECK_TEXT(wrong_of({op(Op::kPercpuFree)}).what, "nothing");
  CHECK_TEXT(wrong_of({0x20}).what, "kind of event");
  CHECK_TEXT(wrong_of({op(Op::kMark) | kWhereFollows, 16, 0}).what, "CPU");
  CHECK_TEXT(wrong_of({op(Op::kKmalloc), 0, 0, 0, 0, 0, 9, 8}).what, "size of a kmalloc");
  CHECK_TEXT(wrong_of({op(Op::kKmalloc), 0, 0, 0, 0, 0, 8}).what, "size of a kmalloc");
  CHECK_TEXT(wrong_of({op(Op::kKfree), 0, 0}).what, "the events end inside this one");
  CHECK_TEXT(wrong_of({}).what, "the events end before the last one");
}

}  // namespace
