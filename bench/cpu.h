// SPDX-License-Identifier: MIT
// Placing benchmark threads, and waiting without sleeping.
#pragma once

#include <sched.h>

#include <thread>

namespace quarry::bench {

// Pins the calling thread to the n-th CPU (from 0) that the process could use when it started. A
// process with fewer CPUs keeps its thread where it is: the loop then measures time slices.
inline void pin_to_cpu(int n) {
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    return set;
  }();
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed) && n-- == 0) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      sched_setaffinity(0, sizeof(one), &one);
      return;
    }
  }
}

// Spins, then yields: on one CPU the other side could never run otherwise.
template <class Condition>
void spin_until(Condition condition) {
  for (int spins = 0; !condition(); ++spins) {
    if (spins < 4096) {
      __builtin_ia32_pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace quarry::bench
