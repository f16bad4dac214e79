// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "quarry/platform.h"
#include "sync/spinlock.h"

namespace quarry {

// What the CPUs of a machine have cached of its page tables. `Cpu` is Arch, or in tests a CPU that
// is simulated.
template <class Cpu>
class Tlb {
 public:
  // From so many pages on, dropping all translations costs less than dropping one after the other
  // (Linux: tlb_single_page_flush_ceiling).
  static constexpr size_t kMostSingle = 33;

  constexpr Tlb() = default;
  // The platform must outlive this.
  void init(Platform& platform) {
    platform_ = &platform;
    one_cpu_ = platform.cpu_count() == 1;
  }

  // When this returns, no CPU uses what it had cached for `count` pages from `at` on, or for tables
  // on the way to them. Any context; locks may be held.
  void flush(VirtAddr at, size_t count) const {
    if (one_cpu_) return flush_local(at, count);
    Pages pages{at, count};
    platform_->run_on_all_cpus(
        [](void* context) {
          const auto& flushed = *static_cast<const Pages*>(context);
          flush_local(flushed.at, flushed.count);
        },
        &pages);
  }

 private:
  struct Pages {
    VirtAddr at;
    size_t count;
  };

  static void flush_local(VirtAddr at, size_t count) {
    if (count > kMostSingle) {
      const IrqGuard off;
      return Cpu::flush_local_tlb();
    }
    for (; count != 0; --count, at += kPageBytes) Cpu::flush_local_tlb(at);
  }

  Platform* platform_ = nullptr;
  bool one_cpu_ = false;
};

}  // namespace quarry
