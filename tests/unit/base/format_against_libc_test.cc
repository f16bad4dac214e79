// SPDX-License-Identifier: MIT
// The formatter against the C library's snprintf.
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

#include "base/text_sink.h"
#include "harness.h"

namespace {

using quarry::Arg;
using quarry::FixedText;
using quarry::format_args;

template <typename T>
void compare(const std::string& flags_and_width, const char* modifier, char conversion, T value) {
  const std::string pattern = "<%" + flags_and_width + modifier + conversion + ">";
  char expected[256];
  std::snprintf(expected, sizeof(expected), pattern.c_str(), value);
  FixedText<256> text;
  const Arg args[] = {Arg(value)};
  format_args(text, pattern.c_str(), args);
  EXPECT_STREQ(text.c_str(), expected) << pattern << ", seed " << harness::seed();
}

std::string random_layout(std::mt19937_64& random, const char* flags) {
  std::string layout;
  for (; *flags != '\0'; ++flags) {
    if (random() % 2 == 0) {
      layout += *flags;
    }
  }
  if (random() % 4 != 0) {
    layout += std::to_string(1 + random() % 40);
  }
  return layout;
}

TEST(FormatAgainstLibc, Integers) {
  std::mt19937_64 random(harness::seed());
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bits = random() >> (random() % 64);
    const std::string layout = random_layout(random, "-0");
    compare(layout, "", 'd', static_cast<int>(bits));
    compare(layout, "l", 'd', static_cast<long>(bits));
    compare(layout, "hh", 'd', static_cast<signed char>(bits));
    compare(layout, "", 'u', static_cast<unsigned>(bits));
    compare(layout, "l", 'u', static_cast<unsigned long>(bits));
    compare(layout, "ll", 'u', static_cast<unsigned long long>(bits));
    compare(layout, "z", 'u', static_cast<size_t>(bits));
    compare(layout, "h", 'u', static_cast<unsigned short>(bits));
    compare(layout, "", 'x', static_cast<unsigned>(bits));
    compare(layout, "l", 'x', static_cast<unsigned long>(bits));
    compare(layout + "", "l", 'x', static_cast<long>(bits));
    const std::string alternate = random_layout(random, "#-0");
    compare(alternate, "l", 'x', static_cast<unsigned long>(bits | 1));
  }
}

TEST(FormatAgainstLibc, EdgesOfEachWidth) {
  for (const int64_t edge : {INT64_MIN, INT64_MAX, int64_t{0}, int64_t{-1}, int64_t{999'999'999},
                             int64_t{1'000'000'000}, int64_t{1'000'000'001}}) {
    compare("", "l", 'd', static_cast<long>(edge));
    compare("025", "l", 'd', static_cast<long>(edge));
    compare("", "l", 'u', static_cast<unsigned long>(edge));
    compare("-25", "l", 'x', static_cast<unsigned long>(edge));
    compare("", "", 'd', static_cast<int>(edge));
  }
}

TEST(FormatAgainstLibc, TextsAndCharacters) {
  std::mt19937_64 random(harness::seed());
  for (int i = 0; i < 2'000; ++i) {
    const std::string word(random() % 30, static_cast<char>('a' + random() % 26));
    const std::string layout = random_layout(random, "-");
    compare(layout, "", 's', word.c_str());
    compare(layout, "", 'c', static_cast<char>('a' + random() % 26));
  }
}

}  // namespace
