// SPDX-License-Identifier: MIT
// Registration and the command line common to the benchmark executables.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace quarry::bench {

// Takes Google Benchmark's options and `--iterations=N`, which runs each loop exactly N times,
// once: that is what counting instructions needs.
class Suite {
 public:
  using Loop = void (*)(benchmark::State&);

  Suite(int argc, char** argv);

  // Registers `loop` as NAME, or as NAME/ARGUMENT for each argument.
  benchmark::internal::Benchmark* add(const std::string& name, Loop loop,
                                      const std::vector<std::int64_t>& arguments = {});
  // Runs what the command line selects; returns the exit status.
  int run();

 private:
  std::vector<char*> arguments_;
  std::int64_t iterations_ = 0;  // 0: as many as the minimum time needs
};

}  // namespace quarry::bench
