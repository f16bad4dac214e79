// SPDX-License-Identifier: MIT
#include "linux_footprint.h"

#include <gtest/gtest.h>

#include "reading.h"
#include "replay/counts.h"

namespace quarry::tool {
namespace {

constexpr const char* kTruth =
    R"({"linux_slab_pages_slabinfo": {"free_slots_bytes_before": 4633328}})";

TEST(LinuxFootprintTest, classes_are_apart) {
  using replay::SiteClass;
  replay::LinuxFootprint footprint;
  footprint.add(SiteClass::kPageSlab, 8);
  footprint.add(SiteClass::kPagePercpu, 1);
  footprint.add(SiteClass::kPageSlab, 2);
  footprint.remove(SiteClass::kPageSlab, 8);
  footprint.add(SiteClass::kPageUser, 5);
  EXPECT_EQ(footprint.pages(SiteClass::kPageSlab).now, 2U);
  EXPECT_EQ(footprint.pages(SiteClass::kPageSlab).peak, 10U);
  EXPECT_EQ(footprint.pages(SiteClass::kPagePercpu).peak, 1U);
  EXPECT_EQ(footprint.pages(SiteClass::kPageUser).now, 5U);
  EXPECT_EQ(footprint.pages(SiteClass::kPageVmalloc).peak, 0U);
}

TEST(TruthTest, lies_beside_the_trace) {
  TemporaryFolder folder;
  folder.write("fs.truth/truth.json", kTruth);
  EXPECT_EQ(linux_free_slot_bytes_at_start(folder.path("fs.kmt.zst")), 4633328U);
  EXPECT_EQ(linux_free_slot_bytes_at_start(folder.path("fs.kmt")), 4633328U);
  EXPECT_EQ(linux_free_slot_bytes_at_start(folder.path("fs")), 4633328U);
  EXPECT_EQ(linux_free_slot_bytes_at_start(folder.path("net.kmt.zst")), std::nullopt);
  EXPECT_EQ(linux_free_slot_bytes_at_start("-"), std::nullopt);
}

TEST(TruthTest, may_not_know) {
  TemporaryFolder folder;
  folder.write("a.truth/truth.json", "{}");
  folder.write("b.truth/truth.json",
               R"({"linux_slab_pages_slabinfo": {"free_slots_bytes_before": "many"}})");
  EXPECT_EQ(linux_free_slot_bytes_at_start(folder.path("a.kmt")), std::nullopt);
  EXPECT_EQ(linux_free_slot_bytes_at_start(folder.path("b.kmt")), std::nullopt);
}

TEST(TruthTest, must_be_json) {
  TemporaryFolder folder;
  const std::string file = folder.write("a.truth/truth.json", "{\"linux");
  EXPECT_EQ(error_of([&] { linux_free_slot_bytes_at_start(folder.path("a.kmt")); }),
            file + ": not JSON");
}

TEST(TraceNameTest, has_no_folder_and_no_endings) {
  EXPECT_EQ(trace_name("traces/fs.kmt.zst"), "fs");
  EXPECT_EQ(trace_name("/tmp/my.run.kmt"), "my.run");
  EXPECT_EQ(trace_name("odd.txt"), "odd.txt");
  EXPECT_EQ(trace_name("-"), "stdin");
}

}  // namespace
}  // namespace quarry::tool
