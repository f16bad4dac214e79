// SPDX-License-Identifier: MIT
#pragma once

// Whether an access faults (SIGSEGV, SIGBUS), and the process lives on. One probe at a time.

#include <setjmp.h>
#include <signal.h>

#include <cstdint>

namespace probe {

inline sigjmp_buf back;

inline void on_fault(int) { siglongjmp(back, 1); }

template <typename Access>
bool faults(Access&& access) {
  struct sigaction action = {};
  struct sigaction segv;
  struct sigaction bus;
  action.sa_handler = on_fault;
  sigaction(SIGSEGV, &action, &segv);
  sigaction(SIGBUS, &action, &bus);
  const bool faulted = sigsetjmp(back, 1) != 0;
  if (!faulted) access();
  sigaction(SIGSEGV, &segv, nullptr);
  sigaction(SIGBUS, &bus, nullptr);
  return faulted;
}

inline bool read_faults(uintptr_t address) {
  return faults([address] { (void)*reinterpret_cast<const volatile char*>(address); });
}
inline bool write_faults(uintptr_t address) {
  return faults([address] { *reinterpret_cast<volatile char*>(address) = 1; });
}

}  // namespace probe
