// SPDX-License-Identifier: MIT
#include "background.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "sync/execution_context.h"

namespace quarry {

void BackgroundThread::set_work(const BackgroundWork& work) {
  if (work.step == nullptr && started_.load(std::memory_order_acquire)) {
    state_.store(kOver, std::memory_order_release);
    syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    pthread_join(thread_, nullptr);
    started_.store(false, std::memory_order_relaxed);
  }
  state_.store(kAsleep, std::memory_order_relaxed);
  work_ = work;
}

void BackgroundThread::wake() {
  if (work_.step == nullptr) return;
  if (state_.exchange(kAwake, std::memory_order_release) == kAwake &&
      started_.load(std::memory_order_relaxed)) {
    return;
  }
  if (!started_.load(std::memory_order_relaxed)) {
    // To make a thread takes locks of the C library that the interrupted code may hold.
    if (!in_interrupt(Arch::context())) start();
    return;
  }
  syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void BackgroundThread::start() {
  if (started_.exchange(true, std::memory_order_acq_rel)) return;
  // It inherits the mask: handlers of the program run on the program's threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread_, nullptr, run, this) != 0) {
    started_.store(false, std::memory_order_relaxed);  // the next call tries again
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void* BackgroundThread::run(void* self) {
  auto& thread = *static_cast<BackgroundThread*>(self);
  for (;;) {
    uint32_t awake = kAwake;
    // Pairs with wake(): what the step is for is there.
    thread.state_.compare_exchange_strong(awake, kAsleep, std::memory_order_acquire);
    if (awake == kOver) return nullptr;
    thread.sleep(thread.work_.step(thread.work_.context));
  }
}

void BackgroundThread::sleep(uint64_t ns) {
  constexpr uint64_t kNsPerSecond = 1'000'000'000;
  const timespec time{.tv_sec = static_cast<time_t>(ns / kNsPerSecond),
                      .tv_nsec = static_cast<long>(ns % kNsPerSecond)};
  syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, kAsleep,
          ns == BackgroundWork::kNever ? nullptr : &time, nullptr, 0);
}

void BackgroundThread::forget_thread() {
  started_.store(false, std::memory_order_relaxed);
  state_.store(kAsleep, std::memory_order_relaxed);
}

}  // namespace quarry
