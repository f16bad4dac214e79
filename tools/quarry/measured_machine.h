// SPDX-License-Identifier: MIT
#pragma once

#include <quarry/hosted_platform.h>
#include <quarry/memory_system.h>

#include <chrono>
#include <string>
#include <vector>

namespace quarry::tool {

// A machine that things are tried on: real CPUs, and a log that can be read.
class MeasuredMachine {
 public:
  MeasuredMachine(uint64_t ram_bytes, const Config& config);
  ~MeasuredMachine();
  MeasuredMachine(const MeasuredMachine&) = delete;
  MeasuredMachine& operator=(const MeasuredMachine&) = delete;

  // False: there is no such machine.
  bool booted() const { return system_.booted(); }
  MemorySystem& operator*() { return system_; }
  MemorySystem* operator->() { return &system_; }
  const std::string& log() const { return log_; }

  // Has the host back all of its memory, so that what is measured is the allocator.
  void populate() { platform_.populate(PhysAddr(0), ram_bytes_); }
  // Takes all pages and gives those with odd frame numbers back: half is free, and no two free
  // frames are neighbours.
  void fragment();

 private:
  uint64_t ram_bytes_;
  std::string log_;
  HostedPlatform platform_;
  MemorySystem system_;
  std::vector<Page*> held_;
};

// As the engine's number among those there are.
inline Config config_of(unsigned engine) {
  Config config;
  config.engine = static_cast<SlabEngineKind>(engine);
  config.merge_caches = false;  // each is measured by itself
  return config;
}

// Nanoseconds of one of `count` operations that `body` does; the fastest of several rounds.
template <class Body>
double fastest_ns(size_t count, Body&& body) {
  constexpr int kRounds = 7;
  double best = 0;
  for (int round = 0; round != kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    const double ns = spent.count() / static_cast<double>(count);
    if (round == 0 || ns < best) best = ns;
  }
  return best;
}

}  // namespace quarry::tool
