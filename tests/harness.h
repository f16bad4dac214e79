// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include "base/text_sink.h"

// Test cases that run wherever the core does: they need no libc and no exceptions. An adapter walks
// the cases: tests/hosted_main.cc under GoogleTest, tests/boot/kernel.cc on bare machines.
//
//   QUARRY_TEST(Buddy, merges_with_its_buddy) {
//     Random random(harness::seed());
//     REQUIRE(pointer != nullptr);       // leaves the function, which returns nothing
//     CHECK_EQ(zone.free_pages(), 64U);  // goes on; shows both values
//   }
namespace harness {

// Where a failed check goes.
using Report = void (*)(const char* file, int line, const char* text);

struct Case {
  const char* suite;
  const char* name;
  const char* file;
  int line;
  void (*body)();
  Case* next = nullptr;
};

struct Run {
  uint64_t seed = 1;
  uint8_t engine = 0;     // SlabEngineKind of machines that name none
  unsigned slowness = 1;  // of the machine, in times the host's
  Report report = nullptr;
  size_t failures = 0;  // of the case that runs
  Case* first = nullptr;
  Case* last = nullptr;
};
inline constinit Run run;

struct Registration {
  explicit Registration(Case& test) {
    (run.first == nullptr ? run.first : run.last->next) = &test;
    run.last = &test;
  }
};

// What a test's random numbers start from; the same for all cases of a run, which prints it.
inline uint64_t seed() { return run.seed; }

// How many random operations to do, of those that a test is written for: all in a process. For
// emulated machines, which take about 20 times as long, the kernel's parameter `slowness` divides
// them.
inline unsigned operations(unsigned full) { return full / run.slowness; }

// Reports a failed check. A loop that fails in every round is reported a few times only.
inline void fail(const char* file, int line, const char* text) {
  constexpr size_t kMostReported = 8;
  if (run.failures++ < kMostReported) run.report(file, line, text);
}

inline void run_case(const Case& test, Report report) {
  run.report = report;
  run.failures = 0;
  test.body();
}

template <typename T>
void describe(quarry::TextSink& sink, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    describe(sink, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    format(sink, "%d", value);
  } else if constexpr (std::is_integral_v<T>) {
    format(sink, "%u (%#x)", value, value);
  } else if constexpr (std::is_pointer_v<T> || std::is_null_pointer_v<T>) {
    format(sink, "0x%p", value);
  } else if constexpr (requires { value.value(); }) {
    describe(sink, value.value());
  } else {
    format(sink, "a value of %zu bytes", sizeof(T));
  }
}

template <typename A, typename B>
bool equal(const A& a, const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, B>) {
    return std::cmp_equal(a, b);  // as numbers, whatever their signs and widths
  } else {
    return a == b;
  }
}

template <typename A, typename B>
bool check_equal(const char* file, int line, const char* expressions, const A& a, const B& b) {
  if (equal(a, b)) {
    return true;
  }
  quarry::FixedText<512> text;
  format(text, "not equal: %s: ", expressions);
  describe(text, a);
  format(text, ", ");
  describe(text, b);
  fail(file, line, text.c_str());
  return false;
}

inline bool check(const char* file, int line, const char* text, bool holds) {
  if (!holds) fail(file, line, text);
  return holds;
}

// Compares NUL-terminated texts and shows the first line that differs, got and wanted.
inline bool check_text(const char* file, int line, const char* got, const char* wanted) {
  size_t at = 0;
  size_t start = 0;
  for (; got[at] == wanted[at]; ++at) {
    if (got[at] == '\0') {
      return true;
    }
    start = got[at] == '\n' ? at + 1 : start;
  }
  quarry::FixedText<1024> text;
  format(text, "texts differ at character %zu; got and wanted:", at);
  for (const char* side : {got + start, wanted + start}) {
    format(text, "\n  \"");
    for (; *side != '\0' && *side != '\n'; ++side) {
      text.write(side, 1);
    }
    format(text, "\"%s", *side == '\0' ? ", the end" : "");
  }
  fail(file, line, text.c_str());
  return false;
}
}  // namespace harness

#define QUARRY_TEST(suite, name)                                                                 \
  static void suite##_##name();                                                                  \
  static harness::Case case_##suite##_##name{#suite, #name, __FILE__, __LINE__, suite##_##name}; \
  static const harness::Registration in_##suite##_##name(case_##suite##_##name);                 \
  static void suite##_##name()

#define CHECK(...) \
  harness::check(__FILE__, __LINE__, "false: " #__VA_ARGS__, static_cast<bool>(__VA_ARGS__))
#define CHECK_EQ(a, b) harness::check_equal(__FILE__, __LINE__, #a ", " #b, a, b)
#define CHECK_TEXT(got, wanted) harness::check_text(__FILE__, __LINE__, got, wanted)

// As CHECK, and leave the function that they stand in, which returns nothing.
#define REQUIRE(...) \
  while (!CHECK(__VA_ARGS__)) return
#define REQUIRE_EQ(a, b) \
  while (!CHECK_EQ(a, b)) return
