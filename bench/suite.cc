// SPDX-License-Identifier: MIT
#include "suite.h"

#include <cstdlib>
#include <string_view>

namespace quarry::bench {

Suite::Suite(int argc, char** argv) {
  constexpr std::string_view kIterations = "--iterations=";
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with(kIterations)) {
      iterations_ = std::atoll(argv[i] + kIterations.size());
    } else {
      arguments_.push_back(argv[i]);
    }
  }
  benchmark::AddCustomContext("build", QUARRY_BENCH_BUILD);
}

benchmark::internal::Benchmark* Suite::add(const std::string& name, Loop loop,
                                           const std::vector<std::int64_t>& arguments) {
  benchmark::internal::Benchmark* added = benchmark::RegisterBenchmark(name.c_str(), loop);
  for (std::int64_t argument : arguments) {
    added->Arg(argument);
  }
  if (iterations_ > 0) {
    added->Iterations(iterations_);
  }
  return added;
}

int Suite::run() {
  int count = static_cast<int>(arguments_.size());
  benchmark::Initialize(&count, arguments_.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments_.data())) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace quarry::bench
