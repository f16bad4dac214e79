// SPDX-License-Identifier: MIT
// `quarry compare` on this host: figures are only held against each other, for hosts differ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "compare_command.h"
#include "small_trace.h"
#include "temporary_folder.h"

namespace quarry::tool {
namespace {

using Json = nlohmann::json;

// Everything is measured once.
class CompareTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    TemporaryFolder folder;
    const std::string trace =
        folder.write("a.kmt", SmallTrace{.events = {"0 0t k 0 0 0 100 128"}}.text());
    testing::internal::CaptureStdout();
    compare_command({.traces = {trace}, .json = folder.path("out.json")});
    text_ = new std::string(testing::internal::GetCapturedStdout());
    json_ = new Json(Json::parse(folder.read("out.json")));
  }
  static void TearDownTestSuite() {
    delete text_;
    delete json_;
  }

  static const Json& call(const std::string& name) {
    for (const Json& each : (*json_)["calls"]) {
      if (each["call"] == name) return each;
    }
    throw std::runtime_error(name + " is missing");
  }

  static std::string* text_;
  static Json* json_;
};

std::string* CompareTest::text_ = nullptr;
Json* CompareTest::json_ = nullptr;

TEST_F(CompareTest, has_every_engine) {
  const Json& engines = (*json_)["engines"];
  const std::vector<std::string> names = engine_names();
  ASSERT_EQ(engines.size(), names.size());
  for (size_t i = 0; i != names.size(); ++i) {
    const Json& e = engines[i];
    SCOPED_TRACE(names[i]);
    EXPECT_EQ(e["engine"], names[i]);
    EXPECT_THAT(*text_, testing::HasSubstr("\n" + names[i] + ": "));
    EXPECT_GE(e["mixed_slab_bytes"], e["mixed_requested_bytes"]);
    EXPECT_LT(e["mixed_slab_bytes"], 2 * e["mixed_requested_bytes"].get<uint64_t>());
    EXPECT_GE(e["sparse_slab_bytes"], e["sparse_requested_bytes"]);
    EXPECT_LE(e["sparse_slab_bytes"], e["mixed_slab_bytes"]);
    EXPECT_EQ(e["mixed_requested_bytes"], engines[0]["mixed_requested_bytes"]);
    EXPECT_GE(e["kmalloc64_overhead_bytes"], 0);
    EXPECT_GE(e["kmalloc64_overhead_bytes"], e["cache64_overhead_bytes"]);
    EXPECT_GT(e["idle_bytes"], 0);
    EXPECT_LE(e["smallest_ram_bytes"], uint64_t{16} << 20);
    EXPECT_GE(e["smallest_ram_bytes"], uint64_t{1} << 20);
    for (const char* figure : {"pair_ns", "cache_pair_ns", "batch_ns", "random_ns"}) {
      EXPECT_GT(e[figure], 0) << figure;
    }
    ASSERT_EQ(e["traces"].size(), 1U);
    EXPECT_EQ(e["traces"][0]["peak_live_bytes"], 128);
    EXPECT_GE(e["traces"][0]["peak_slab_bytes"], 4096);
  }
}

TEST_F(CompareTest, slub_tells_what_is_wrong) {
  const Json& bugs = (*json_)["engines"][0]["bugs"];
  EXPECT_EQ(bugs["double_free"]["as_it_is"], "Object already free");
  EXPECT_EQ(bugs["wrong_cache"]["as_it_is"], "Wrong slab cache");
  EXPECT_EQ(bugs["leak"]["as_it_is"], "Objects remaining in planted");
  EXPECT_EQ(bugs["overrun"]["as_it_is"], "nothing");
  EXPECT_NE(bugs["double_free"]["debugged"], "nothing");
  EXPECT_EQ(bugs.size(), 8U);
}

TEST_F(CompareTest, kmalloc_is_contiguous_and_vmalloc_gets_along_with_fragments) {
  for (const char* name : {"kmalloc", "kzalloc", "vmalloc"}) {
    EXPECT_TRUE(call(name)["virtually_contiguous"].get<bool>()) << name;
    EXPECT_TRUE(call(name)["dma_below_16m"].get<bool>()) << name;
  }
  EXPECT_EQ(call("kmalloc")["pieces"], 1);
  EXPECT_EQ(call("kmalloc")["pieces_fragmented"], 0);
  EXPECT_EQ(call("vmalloc")["pieces_fragmented"], 16);
  EXPECT_TRUE(call("kmalloc")["one_dma_transfer"].get<bool>());
  EXPECT_FALSE(call("vmalloc")["one_dma_transfer"].get<bool>());
  EXPECT_EQ(call("kmalloc")["largest_bytes_fragmented"], 4096);
  EXPECT_GT(call("vmalloc")["largest_bytes_fragmented"], uint64_t{100} << 20);
  EXPECT_GE(call("vmalloc")["host_mappings"], 256);
}

TEST_F(CompareTest, contents_sizes_times_and_contexts) {
  EXPECT_GT(call("kmalloc")["dirty_bytes"], 60000);
  EXPECT_EQ(call("kzalloc")["dirty_bytes"], 0);
  EXPECT_EQ(call("kmalloc")["largest_bytes"], 4 << 20);
  EXPECT_GT(call("vmalloc")["largest_bytes"], uint64_t{200} << 20);
  EXPECT_LT(call("kmalloc")["bytes_of_100"], call("vmalloc")["bytes_of_100"]);
  EXPECT_LT(call("kmalloc")["ns_of_100"], call("vmalloc")["ns_of_100"]);
  EXPECT_LT(call("kmalloc")["ns_of_64k"], call("vmalloc")["ns_of_64k"]);
  EXPECT_LT(call("kmalloc")["ns_of_64k"], call("kzalloc")["ns_of_64k"]);
  EXPECT_GT(call("vmalloc")["touch_ns"], 0);
  EXPECT_TRUE(call("kmalloc")["in_interrupt"].get<bool>());
  EXPECT_FALSE(call("vmalloc")["in_interrupt"].get<bool>());
}

}  // namespace
}  // namespace quarry::tool
