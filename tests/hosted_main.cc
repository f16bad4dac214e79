// SPDX-License-Identifier: MIT
// Runs the cases of tests/harness.h as GoogleTest's, beside those that are GoogleTest's own.
//
//   QUARRY_TEST_SEED=n or --seed=n    what random numbers start from; "random" draws one
//   --engine=NAME                     slab engine of machines that name none
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "harness.h"
#include "quarry/memory_system.h"

namespace {

void report(const char* file, int line, const char* text) {
  ADD_FAILURE_AT(file, line) << text << "\n(seed " << harness::seed() << ")";
}

class CaseTest final : public testing::Test {
 public:
  explicit CaseTest(const harness::Case& test) : test_(test) {}

  void TestBody() override { harness::run_case(test_, report); }

 private:
  const harness::Case& test_;
};

// Prints when tests run, and not when they are listed.
class SeedLine final : public testing::Environment {
 public:
  void SetUp() override {
    std::printf("seed %llu\n", static_cast<unsigned long long>(harness::seed()));
  }
};

void set_seed(const char* text) {
  if (std::strcmp(text, "random") == 0) {
    harness::run.seed = std::random_device{}();
    return;
  }
  char* end = nullptr;
  harness::run.seed = std::strtoull(text, &end, 0);
  if (end == text || *end != '\0') {
    std::fprintf(stderr, "seed '%s': neither a number nor \"random\"\n", text);
    std::exit(2);
  }
}

void set_engine(const char* name) {
  quarry::SlabEngineKind kind{};
  if (!quarry::find_slab_engine(name, kind)) {
    std::fprintf(stderr, "engine '%s': there is none of that name\n", name);
    std::exit(2);
  }
  harness::run.engine = static_cast<uint8_t>(kind);
}

// Where a text goes on behind `option`; null: it does not begin with it.
const char* value_of(const char* text, const char* option) {
  const size_t length = std::strlen(option);
  return std::strncmp(text, option, length) == 0 ? text + length : nullptr;
}

void read_options(int argc, char** argv) {
  if (const char* text = std::getenv("QUARRY_TEST_SEED"); text != nullptr) {
    set_seed(text);
  }
  for (int i = 1; i < argc; ++i) {
    if (const char* seed = value_of(argv[i], "--seed=")) {
      set_seed(seed);
    } else if (const char* engine = value_of(argv[i], "--engine=")) {
      set_engine(engine);
    } else {
      std::fprintf(stderr, "unknown option '%s'\n", argv[i]);
      std::exit(2);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  read_options(argc, argv);
  for (const harness::Case* test = harness::run.first; test != nullptr; test = test->next) {
    testing::RegisterTest(test->suite, test->name, nullptr, nullptr, test->file, test->line,
                          [test]() -> testing::Test* { return new CaseTest(*test); });
  }
  testing::AddGlobalTestEnvironment(new SeedLine);
  return RUN_ALL_TESTS();
}
