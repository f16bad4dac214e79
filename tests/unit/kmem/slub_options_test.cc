// SPDX-License-Identifier: MIT
// The syntax of slub_debug=.
#include "kmem/slub/slub_options.h"

#include "harness.h"

namespace {

using quarry::SlubOptions;

constexpr uint32_t kF = QUARRY_SLAB_CONSISTENCY_CHECKS;
constexpr uint32_t kZ = QUARRY_SLAB_RED_ZONE;
constexpr uint32_t kP = QUARRY_SLAB_POISON;
constexpr uint32_t kU = QUARRY_SLAB_STORE_USER;
constexpr uint32_t kT = QUARRY_SLAB_TRACE;
constexpr uint32_t kA = QUARRY_SLAB_FAILSLAB;

struct Reading {
  SlubOptions options;
  quarry::FixedText<256> complaints;

  explicit Reading(const char* value) { options.read(value, complaints); }
  uint32_t of(const char* name, uint32_t flags = 0) const { return options.flags_of(name, flags); }
};

QUARRY_TEST(SlubOptions, without_the_parameter_nothing_is_debugged) {
  const Reading r(nullptr);
  CHECK_EQ(r.of("dentry"), 0U);
  CHECK_EQ(r.of("dentry", kZ), kZ);
}

QUARRY_TEST(SlubOptions, without_a_value_everything_is) {
  CHECK_EQ(Reading("").of("dentry"), kF | kZ | kP | kU);
  CHECK_EQ(SlubOptions::kAll, kF | kZ | kP | kU);
}

QUARRY_TEST(SlubOptions, letters_of_either_case) {
  CHECK_EQ(Reading("F").of("x"), kF);
  CHECK_EQ(Reading("z").of("x"), kZ);
  CHECK_EQ(Reading("p").of("x"), kP);
  CHECK_EQ(Reading("U").of("x"), kU);
  CHECK_EQ(Reading("t").of("x"), kT);
  CHECK_EQ(Reading("a").of("x"), kA);
  CHECK_EQ(Reading("fZpUtA").of("x"), kF | kZ | kP | kU | kT | kA);
  CHECK_EQ(Reading("-").of("x"), 0U);
  CHECK_EQ(Reading("FZ-P").of("x"), kP);
  CHECK(Reading("FO").options.keeps_orders());
  CHECK(!Reading("F").options.keeps_orders());
}

QUARRY_TEST(SlubOptions, letters_that_mean_nothing_are_named_and_skipped) {
  const Reading r("FxZ7,a-cache");
  CHECK_EQ(r.of("a-cache"), kF | kZ);
  CHECK_TEXT(r.complaints.c_str(),
             "slub_debug option 'x' unknown. skipped\nslub_debug option '7' unknown. skipped\n");
}

QUARRY_TEST(SlubOptions, a_list_is_for_its_caches_only) {
  const Reading r("FZ,dentry,kmalloc-64");
  CHECK_EQ(r.of("dentry"), kF | kZ);
  CHECK_EQ(r.of("kmalloc-64"), kF | kZ);
  CHECK_EQ(r.of("kmalloc-6"), 0U);
  CHECK_EQ(r.of("kmalloc-640"), 0U);
  CHECK_EQ(r.of("dentr"), 0U);
  CHECK_EQ(r.of(""), 0U);
}

QUARRY_TEST(SlubOptions, a_list_without_letters_means_full_debugging) {
  const Reading r(",dentry");
  CHECK_EQ(r.of("dentry"), SlubOptions::kAll);
  CHECK_EQ(r.of("inode"), 0U);
}

QUARRY_TEST(SlubOptions, a_star_ends_a_name_that_may_go_on) {
  const Reading r("P,kmalloc-*,a*");
  CHECK_EQ(r.of("kmalloc-8k"), kP);
  CHECK_EQ(r.of("kmalloc-"), kP);
  CHECK_EQ(r.of("kmalloc"), 0U);
  CHECK_EQ(r.of("a"), kP);
  CHECK_EQ(r.of("dma-kmalloc-8"), 0U);
  CHECK_EQ(Reading("P,*").of("anything"), kP);
}

QUARRY_TEST(SlubOptions, the_first_block_that_names_a_cache_decides) {
  const Reading r("FZ,kmalloc-*;P,kmalloc-64,dentry;;U");
  CHECK_EQ(r.of("kmalloc-64"), kF | kZ);
  CHECK_EQ(r.of("dentry"), kP);
  CHECK_EQ(r.of("inode"), kU);  // the block for all
  CHECK_EQ(r.of("inode", kT), kU | kT);
}

QUARRY_TEST(SlubOptions, a_block_can_take_a_cache_out) {
  const Reading r("FZPU;-,dentry");
  CHECK_EQ(r.of("inode"), SlubOptions::kAll);
  CHECK_EQ(r.of("dentry"), 0U);
}

QUARRY_TEST(SlubOptions, caches_that_take_no_options) {
  const Reading r("FZPU");
  CHECK_EQ(r.of("kunit", QUARRY_SLAB_NO_USER_FLAGS), QUARRY_SLAB_NO_USER_FLAGS);
  // A leak detector's caches keep no users unless they are named.
  const uint32_t leaks = QUARRY_SLAB_NOLEAKTRACE;
  CHECK_EQ(r.of("kmemleak_object", leaks), leaks | kF | kZ | kP);
  CHECK_EQ(Reading("U,kmemleak_object").of("kmemleak_object", leaks), leaks | kU);
}

QUARRY_TEST(SlubOptions, empty_blocks_and_names_are_nothing) {
  CHECK_EQ(Reading(";;F").of("x"), kF);
  CHECK_EQ(Reading("F;").of("x"), kF);
  CHECK_EQ(Reading("F,,x,").of("x"), kF);
  CHECK_EQ(Reading("F,,x,").of(""), 0U);
}

}  // namespace
