// SPDX-License-Identifier: MIT
#include "trace_header.h"

#include <gtest/gtest.h>

#include "reading.h"
#include "small_trace.h"

namespace quarry::tool {
namespace {

TEST(TraceHeaderTest, tables_are_read) {
  SmallTrace trace{.live_end = "live_end obj 0 page 0 vmap 0 percpu 0"};
  Reading reading(trace.text());
  const TraceHeader& header = reading.reader.header();
  EXPECT_EQ(header.title, "a small trace");
  EXPECT_EQ(header.source, "nowhere");
  EXPECT_EQ(header.cpus, 2U);
  EXPECT_EQ(header.events, 0U);
  EXPECT_FALSE(header.duration_ns);
  EXPECT_EQ(header.slots, (SlotCounts{8, 8, 4, 4}));
  EXPECT_EQ(header.live_end, SlotCounts{});
  ASSERT_EQ(header.gfps.size(), 2U);
  EXPECT_EQ(header.gfps[0].flags, gfp::kKernel);
  EXPECT_EQ(header.gfps[0].node, kNoNode);
  EXPECT_EQ(header.gfps[1].flags, gfp::kHigh | gfp::kKswapdReclaim);
  EXPECT_EQ(header.gfps[1].node, NodeId{0});
  ASSERT_EQ(header.caches.size(), 2U);
  EXPECT_STREQ(header.caches[0].name, "dentry");
  EXPECT_TRUE(header.caches[0].reclaimable);
  EXPECT_FALSE(header.caches[0].has_ctor);
  EXPECT_EQ(header.caches[1].object_bytes, 96U);
  EXPECT_EQ(header.caches[1].slot_bytes, 104U);
  EXPECT_EQ(header.caches[1].align_bytes, 8U);
  EXPECT_TRUE(header.caches[1].typesafe_by_rcu);
  EXPECT_TRUE(header.caches[1].has_ctor);
  ASSERT_EQ(header.sites.size(), 5U);
  EXPECT_EQ(header.sites[2], SiteClass::kPageSlab);
  EXPECT_EQ(header.sites[4], SiteClass::kAreaIoremap);
}

TEST(TraceHeaderTest, what_linux_did_not_know_is_a_dash) {
  SmallTrace trace{.more_header = {"cache 2 mystery 40 40 - - - - - - -"}};
  Reading reading(trace.text());
  EXPECT_EQ(reading.reader.header().caches[2].align_bytes, 0U);
  EXPECT_FALSE(reading.reader.header().caches[2].hwcache_align);
}

TEST(TraceHeaderTest, names_of_caches_have_an_end) {
  const auto error_of_name = [](size_t length) {
    return error_of_reading(
        SmallTrace{.more_header = {"cache 2 " + std::string(length, 'n') + " 8 8 8 0 1 0 0 0 -"}}
            .text());
  };
  EXPECT_EQ(error_of_name(113), "");
  EXPECT_EQ(error_of_name(114), "T:18: the cache's name is longer than 113");
}

TEST(TraceHeaderTest, gfp_bits_go_by_name) {
  // Bit 24 means NO_OBJ_EXT here, which the library has no use for, and another flag elsewhere.
  SmallTrace trace{.more_header = {"gfpbit 24 NO_OBJ_EXT", "gfp 2 0x1000001 0 -1 DMA|NO_OBJ_EXT",
                                   "gfp 3 0x0 0 -1", "gfp 4 0x0 0 -1 -"}};
  Reading reading(trace.text());
  const auto& gfps = reading.reader.header().gfps;
  EXPECT_EQ(gfps[2].flags, gfp::kDma);
  EXPECT_EQ(gfps[3].flags, Gfp{});
  EXPECT_EQ(gfps[4].flags, Gfp{});
}

TEST(TraceHeaderTest, other_files_are_refused) {
  EXPECT_EQ(error_of_reading(""), "T:1: the file is empty");
  const std::string not_a_trace =
      "T:1: not a trace: neither zstd nor text that begins with 'kmtrace 1'";
  EXPECT_EQ(error_of_reading("#!/bin/sh\n"), not_a_trace);
  EXPECT_EQ(error_of_reading("kmtrace\n"), not_a_trace);
  EXPECT_EQ(error_of_reading(std::string(5000, '\0')), not_a_trace);
  EXPECT_EQ(error_of_reading(std::string(1'000'000, 'x')), "T:1: a line of more than 262144 bytes");
  EXPECT_EQ(error_of_reading("kmtrace 2\n"),
            "T:1: 'kmtrace 2' is unknown, only 'kmtrace 1' can be read");
}

TEST(TraceHeaderTest, incomplete_headers_are_refused) {
  EXPECT_EQ(error_of_reading("kmtrace 1\ncpus 2\n"), "T:2: the trace ends here, inside its header");
  EXPECT_EQ(error_of_reading("kmtrace 1\nbegin\n"), "T:2: the header has no 'cpus' line");
  EXPECT_EQ(error_of_reading("kmtrace 1\ncpus 1\nbegin\n"), "T:3: the header has no 'events' line");
  EXPECT_EQ(error_of_reading("kmtrace 1\ncpus 1\nevents 0\nbegin\n"),
            "T:4: the header has no 'slots' line");
  EXPECT_EQ(error_of_reading("kmtrace 1\ncpus 1\nevents 0\nslots\nbegin\nend\n"), "");
}

struct BadLine {
  const char* line;
  const char* complaint;
};

class BadHeaderLine : public testing::TestWithParam<BadLine> {};

TEST_P(BadHeaderLine, is_named_with_its_line) {
  SmallTrace trace{.more_header = {GetParam().line}};
  EXPECT_EQ(error_of_reading(trace.text()),
            fmt::format("T:{}: {}", SmallTrace::kHeaderLines + 1, GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    , BadHeaderLine,
    testing::Values(
        BadLine{"colour green", "unknown header line 'colour'"},
        BadLine{"", "the first word is missing"},
        BadLine{"cpus 0", "'cpus' is 0, outside 1 to 1024"},
        BadLine{"cpus two", "'cpus' is 'two', not a number"},
        BadLine{"cpus 2 3", "'3' is too much on this line"},
        BadLine{"pagesize 16384", "'pagesize' is 16384, outside 4096 to 4096"},
        BadLine{"events 99999999999999999999",
                "'events' is 99999999999999999999, outside 0 to 18446744073709551615"},
        BadLine{"slots obj", "the number of slots is missing"},
        BadLine{"slots obj 2000000000",
                "the number of slots is 2000000000, outside 0 to 1073741824"},
        BadLine{"slots sheep 3", "unknown kind of slots 'sheep'"},
        BadLine{"gfp 3 0x0 0 -1 IO", "'gfp' number 3 where number 2 is due"},
        BadLine{"gfp 2 cc0 0 -1 IO", "the gfp mask 'cc0' is not hex"},
        BadLine{"gfp 2 0xyz 0 -1 IO", "the gfp mask is 'yz', not a number"},
        BadLine{"gfp 2 0x40 0 -2 IO", "the node is '-2', not a number"},
        BadLine{"gfp 2 0x40 0 -1", "the list of gfp names is missing"},
        BadLine{"gfp 2 0x40 2 -1 IO", "whether the memory is charged is '2', not 0, 1 or -"},
        BadLine{"gfp 2 0x40 0 -1 IO|FOO", "no version of Linux has a gfp flag named 'FOO'"},
        BadLine{"gfp 2 0x40 0 -1 IO||FS", "no version of Linux has a gfp flag named ''"},
        BadLine{"cache 1 x 8 8 8 0 1 0 0 0 -", "'cache' number 1 where number 2 is due"},
        BadLine{"cache 2 x 0 8 8 0 1 0 0 0 -", "the object size is 0, outside 1 to 4194304"},
        BadLine{"cache 2 x 16 8 8 0 1 0 0 0 -",
                "the size with padding is 8, outside 16 to 4194304"},
        BadLine{"cache 2 x 8 8 12 0 1 0 0 0 -", "the alignment 12 is not a power of two"},
        BadLine{"cache 2 x 8 8 8 0 1 0 0 0", "the constructor is missing"},
        BadLine{"cache 2 x 8 8 8 0 1 0 0 0 - -", "'-' is too much on this line"},
        BadLine{"site 5 Px foo+0x1", "unknown site class 'Px'"},
        BadLine{"site 5 u", "the site's symbol is missing"},
        BadLine{"zone 1 High 5 4", "the zone's end is 4, outside 5 to 18446744073709551615"}));

}  // namespace
}  // namespace quarry::tool
