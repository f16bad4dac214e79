// SPDX-License-Identifier: MIT
// Where things lie in a slot, byte for byte, by flags and word size.
#include "kmem/slub/slub_layout.h"
#include "harness.h"

namespace {

using quarry::slot_layout;
using quarry::SlotLayout;

constexpr uint32_t kF = QUARRY_SLAB_CONSISTENCY_CHECKS;
constexpr uint32_t kZ = QUARRY_SLAB_RED_ZONE;
constexpr uint32_t kP = QUARRY_SLAB_POISON;
constexpr uint32_t kU = QUARRY_SLAB_STORE_USER;
constexpr uint32_t kT = QUARRY_SLAB_TRACE;
constexpr uint32_t kKmalloc = QUARRY_SLAB_KMALLOC;
constexpr uint32_t kRcu = QUARRY_SLAB_TYPESAFE_BY_RCU;

struct Golden {
  uint32_t object_size, align, flags;
  bool ctor;
  SlotLayout wide, narrow;  // words of 8 and of 4 bytes
};

// size, red_left, inuse, free_pointer, tracks, asked, padding
constexpr Golden kGolden[] = {
    {64, 8, 0, false, {64, 0, 64, 32, 64, 64, 64}, {64, 0, 64, 32, 64, 64, 64}},
    {64, 8, kF | kT, false, {64, 0, 64, 32, 64, 64, 64}, {64, 0, 64, 32, 64, 64, 64}},
    {64, 8, kZ, false, {88, 8, 72, 32, 72, 72, 72}, {80, 8, 68, 32, 68, 68, 68}},
    {61, 8, kZ, false, {80, 8, 64, 24, 64, 64, 64}, {80, 8, 64, 28, 64, 64, 64}},
    {64, 8, kP, false, {72, 0, 64, 64, 72, 72, 72}, {72, 0, 64, 64, 68, 68, 68}},
    {64, 8, kU, false, {128, 0, 64, 32, 64, 128, 128}, {104, 0, 64, 32, 64, 104, 104}},
    {64, 8, kZ | kP, false, {96, 8, 72, 72, 80, 80, 80}, {88, 8, 68, 68, 72, 72, 72}},
    {64,
     8,
     kF | kZ | kP | kU,
     false,
     {160, 8, 72, 72, 80, 144, 144},
     {128, 8, 68, 68, 72, 112, 112}},
    // An object that holds no word has its link outside.
    {4, 8, kZ, false, {32, 8, 8, 8, 16, 16, 16}, {24, 8, 8, 0, 8, 8, 8}},
    {1, 8, kZ, false, {32, 8, 8, 8, 16, 16, 16}, {24, 8, 4, 4, 8, 8, 8}},
    // Constructed objects and those that readers may still look at.
    {20, 8, 0, true, {32, 0, 24, 24, 32, 32, 32}, {24, 0, 20, 20, 24, 24, 24}},
    {20, 8, kRcu, false, {32, 0, 24, 24, 32, 32, 32}, {24, 0, 20, 20, 24, 24, 24}},
    {20, 8, kZ, true, {48, 8, 24, 24, 32, 32, 32}, {40, 8, 24, 24, 28, 28, 28}},
    // kmalloc: the left red zone takes as much as keeps the object aligned, and what was asked for
    // is written down.
    {64, 64, kKmalloc | kZ, false, {192, 64, 72, 32, 72, 72, 72}, {192, 64, 68, 32, 68, 68, 68}},
    {64, 64, kKmalloc | kU, false, {192, 0, 64, 32, 64, 128, 132}, {128, 0, 64, 32, 64, 104, 108}},
    {64,
     64,
     kKmalloc | kZ | kU,
     false,
     {256, 64, 72, 72, 80, 144, 148},
     {192, 64, 68, 68, 72, 112, 116}},
    {64,
     64,
     kKmalloc | kF | kZ | kP | kU,
     false,
     {256, 64, 72, 72, 80, 144, 148},
     {192, 64, 68, 68, 72, 112, 116}},
    {96,
     8,
     kKmalloc | kF | kZ | kP | kU,
     false,
     {200, 8, 104, 104, 112, 176, 180},
     {160, 8, 100, 100, 104, 144, 148}},
    {8192,
     8192,
     kKmalloc | kF | kZ | kP | kU,
     false,
     {24576, 8192, 8200, 8200, 8208, 8272, 8276},
     {24576, 8192, 8196, 8196, 8200, 8240, 8244}},
    // The alignment is kept under a left red zone of a word.
    {40, 32, kZ, false, {96, 32, 48, 16, 48, 48, 48}, {96, 32, 44, 20, 44, 44, 44}},
};

void check(const Golden& golden, uint32_t word, const SlotLayout& wanted) {
  const SlotLayout got =
      slot_layout(golden.object_size, golden.align, golden.flags, golden.ctor, word);
  if (got == wanted) return;
  quarry::FixedText<200> text;
  format(text, "%u bytes, flags %#x, word %u: %u, %u, %u, %u, %u, %u, %u", golden.object_size,
         golden.flags, word, got.size, got.red_left, got.inuse, got.free_pointer, got.tracks,
         got.asked, got.padding);
  harness::fail(__FILE__, __LINE__, text.c_str());
}

QUARRY_TEST(SlubLayout, golden_table) {
  for (const Golden& golden : kGolden) {
    check(golden, 8, golden.wide);
    check(golden, 4, golden.narrow);
  }
}

// For every size, alignment and set of flags: parts do not overlap, and objects stay aligned.
QUARRY_TEST(SlubLayout, parts_follow_each_other_and_objects_stay_aligned) {
  for (uint32_t set = 0; set != 32; ++set) {
    const uint32_t flags =
        (set & 1 ? kZ : 0) | (set & 2 ? kP : 0) | (set & 4 ? kU : 0) | (set & 8 ? kKmalloc : 0);
    const bool ctor = (set & 16) != 0;
    for (uint32_t size = 1; size <= 300; ++size) {
      for (uint32_t align = 8; align <= 256; align *= 2) {
        for (const uint32_t word : {4U, 8U}) {
          const SlotLayout l = slot_layout(size, align, flags, ctor, word);
          CHECK(l.inuse >= size && l.inuse % word == 0);
          CHECK(l.free_pointer + word <= size || l.free_pointer == l.inuse ||
                (size < word && l.free_pointer == 0));
          CHECK(l.free_pointer < l.inuse ? l.tracks == l.inuse : l.tracks == l.inuse + word);
          CHECK(l.asked >= l.tracks && l.padding >= l.asked);
          CHECK(l.size % align == 0 && l.red_left % align == 0);
          CHECK(l.padding + l.red_left <= l.size);
          if ((flags & kZ) != 0)
            CHECK(l.red_left >= word && l.size - l.red_left - l.padding >= word);
          if ((flags & kZ) == 0) CHECK_EQ(l.red_left, 0U);
        }
      }
    }
  }
}

}  // namespace
