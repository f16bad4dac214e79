// SPDX-License-Identifier: MIT
#include "host_cpus.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"

extern "C" {
// The beginning of struct rseq, for threads of a process in which no machine was opened yet: they
// run on no CPU, and what they announce is read by nobody.
struct QuarryNoRseq {
  uint32_t cpu_id_start;
  int32_t cpu_id;
  uint64_t rseq_cs;
};
[[gnu::used]] alignas(32) __thread QuarryNoRseq quarry_no_rseq = {0, -1, 0};
}

// std::ptrdiff_t quarry_hosted_rseq_offset = offset of quarry_no_rseq from the thread pointer,
// which is no constant to the compiler but one to the linker.
asm(".pushsection .data.rel, \"aw\"\n"
    ".balign 8\n"
    ".globl quarry_hosted_rseq_offset\n"
    ".hidden quarry_hosted_rseq_offset\n"
    ".type quarry_hosted_rseq_offset, @object\n"
    ".size quarry_hosted_rseq_offset, 8\n"
    "quarry_hosted_rseq_offset:\n"
    ".quad quarry_no_rseq@tpoff\n"
    ".popsection");

#ifndef QUARRY_NO_RSEQ
#define QUARRY_NO_RSEQ 0
#endif

namespace quarry {

namespace {

// For whoever uses Arch on another platform than the hosted one.
[[gnu::constructor]] void find_rseq_area() { quarry_hosted_rseq_offset = __rseq_offset; }

}  // namespace

unsigned possible_host_cpus() {
  // A list such as "0-7" or "0,2-5" (cputopology in the kernel's documentation).
  const int file = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[256];
  const ssize_t length = read(file, text, sizeof(text));
  close(file);
  unsigned last = 0;
  bool seen = false;
  for (ssize_t i = 0; i < length; ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    const bool goes_on = i != 0 && text[i - 1] >= '0' && text[i - 1] <= '9';
    if (digit) last = (goes_on ? last * 10 : 0) + static_cast<unsigned>(text[i] - '0');
    seen = seen || digit;
  }
  return seen ? last + 1 : 0;
}

unsigned configured_host_cpus() {
  const long count = sysconf(_SC_NPROCESSORS_CONF);
  return count < 1 ? 1 : static_cast<unsigned>(count);
}

bool register_host_sequences(bool wanted) {
  __atomic_store_n(&quarry_hosted_rseq_offset, __rseq_offset, __ATOMIC_RELAXED);
  // Size 0: the C library registered no area.
  if (!wanted || QUARRY_NO_RSEQ || __rseq_size == 0 || Arch::cpu_id() < 0) return false;
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0;
}

bool restart_host_sequences() {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0;
}

}  // namespace quarry
