// SPDX-License-Identifier: MIT
#include "trace_source.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdint>
#include <string>

#include "reading.h"

namespace quarry::tool {
namespace {

std::string pack(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

// Text that does not pack to nothing, larger than every buffer.
std::string long_text() {
  std::string text;
  uint32_t state = 1;
  while (text.size() < 3'000'000) {
    state = state * 1664525 + 1013904223;
    text += std::to_string(state >> 12) + "\n";
  }
  return text;
}

std::string read_all(const std::string& path) {
  TraceSource source(path);
  std::string text;
  std::vector<char> piece(1000);
  while (const size_t bytes = source.read(piece)) text.append(piece.data(), bytes);
  return text;
}

class TraceSourceTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(TraceSourceTest, reads_plain_text) {
  const std::string text = long_text();
  EXPECT_EQ(read_all(folder_.write("plain", text)), text);
}

TEST_F(TraceSourceTest, unpacks_zstd) {
  const std::string text = long_text();
  EXPECT_EQ(read_all(folder_.write("packed", pack(text))), text);
}

TEST_F(TraceSourceTest, unpacks_one_frame_after_another) {
  EXPECT_EQ(read_all(folder_.write("two", pack("one\n") + pack("two\n"))), "one\ntwo\n");
}

TEST_F(TraceSourceTest, empty_file_has_no_text) {
  EXPECT_EQ(read_all(folder_.write("empty", "")), "");
  EXPECT_EQ(read_all(folder_.write("short", "k")), "k");
  EXPECT_EQ(read_all(folder_.write("nothing packed", pack(""))), "");
}

TEST_F(TraceSourceTest, gives_what_it_could_unpack_before_a_cut) {
  const std::string text = long_text();
  const std::string packed = pack(text);
  for (const size_t cut : {size_t{5}, packed.size() / 2, packed.size() - 1}) {
    TraceSource source(folder_.write("cut", packed.substr(0, cut)));
    std::vector<char> piece(100'000);
    std::string got;
    const std::string error = error_of([&] {
      while (const size_t bytes = source.read(piece)) got.append(piece.data(), bytes);
    });
    EXPECT_EQ(error, "the zstd stream is cut off here") << cut;
    EXPECT_EQ(got, text.substr(0, got.size()));
    EXPECT_GE(got.size(), cut > 100 ? text.size() / 3 : 0);
  }
}

TEST_F(TraceSourceTest, damage_is_an_error) {
  std::string packed = pack(long_text());
  for (size_t i = packed.size() / 2; i < packed.size() / 2 + 100; ++i) packed[i] ^= 0x55;
  const std::string path = folder_.write("damaged", packed);
  EXPECT_TRUE(error_of([&] { read_all(path); }).starts_with("damaged zstd stream: "));
  const std::string tail = folder_.write("tail", pack("text\n") + "what is this");
  EXPECT_TRUE(error_of([&] { read_all(tail); }).starts_with("damaged zstd stream: "));
}

TEST_F(TraceSourceTest, what_cannot_be_opened_is_named) {
  const std::string missing = folder_.path("missing");
  EXPECT_EQ(error_of([&] { TraceSource source(missing); }),
            missing + ": No such file or directory");
  const std::string folder = folder_.path("");
  EXPECT_EQ(error_of([&] { TraceSource source(folder); }),
            folder + ": is a directory, not a trace");
}

}  // namespace
}  // namespace quarry::tool
