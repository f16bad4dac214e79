// SPDX-License-Identifier: MIT
#pragma once

// The thread that calls a system's step() in a process. It starts when there is something to do for
// the first time, so that a program which asks for nothing of that kind stays single-threaded.
//
// A child of fork() has no such thread; it starts its own when it has to.

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "quarry/platform.h"

namespace quarry {

class BackgroundThread {
 public:
  // When no thread runs; {}: ends the one that does and waits for it.
  void set_work(const BackgroundWork& work);
  // Any thread. From a signal handler it does not start the thread; the next call outside does.
  void wake();
  // In a child of fork(), where nobody else runs.
  void forget_thread();

 private:
  enum State : uint32_t { kAsleep, kAwake, kOver };

  static void* run(void* self);
  void start();
  void sleep(uint64_t ns);

  BackgroundWork work_{};
  std::atomic<uint32_t> state_{kAsleep};  // a futex: kAwake asks for a step
  std::atomic<bool> started_{false};      // by whoever set it
  pthread_t thread_{};
};

}  // namespace quarry
