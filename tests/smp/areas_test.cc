// SPDX-License-Identifier: MIT
// Threads make and end areas of a few sizes, so that the addresses that one has given back are the
// next that another gets, while somebody purges them and somebody reads what there is.
#include <atomic>
#include <thread>
#include <vector>

#include "base/random.h"
#include "machine.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::kPageBytes;
namespace gfp = quarry::gfp;

constexpr unsigned kThreads = 3;
constexpr int kRounds = 3000;
constexpr size_t kSlots = 6;
constexpr size_t kMostPages = 4;

void use_areas(Machine& m, unsigned thread, std::atomic<unsigned>& wrong) {
  quarry::Random random(harness::seed() + thread);
  uint64_t* areas[kSlots] = {};
  uint64_t marks[kSlots] = {};
  for (int round = 0; round != kRounds; ++round) {
    const uint32_t i = random.below(kSlots);
    uint64_t*& area = areas[i];
    if (area != nullptr) {
      if (*area != marks[i] || m->vmalloc_to_page(area) == nullptr) ++wrong;
      m->vfree(area);
      area = nullptr;
      continue;
    }
    area = static_cast<uint64_t*>(m->vmalloc(random.between(1, kMostPages) * kPageBytes));
    if (area == nullptr) {
      ++wrong;
      continue;
    }
    marks[i] = random.next_u64();
    *area = marks[i];
  }
  for (uint64_t* area : areas) m->vfree(area);
}

QUARRY_TEST(SharedAreas, addresses_go_from_thread_to_thread) {
  Machine m{.cpus = 0, .cpu_kind = CpuKind::kLockless};
  std::atomic<unsigned> wrong{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (unsigned n = 0; n != kThreads; ++n) threads.emplace_back([&, n] { use_areas(m, n, wrong); });
  std::thread reader([&] {
    size_t lines = 0;
    while (!done.load()) {
      quarry::AreaInfo info;
      uintptr_t end = 0;
      for (uintptr_t from = 0; m.core().vmalloc.next_area(from, info); from = end) {
        const size_t pages = info.bytes / kPageBytes - 1;
        if (pages == 0 || pages > kMostPages) ++wrong;
        if (info.frame_count != (info.unpurged ? 0 : pages)) ++wrong;
        end = info.start + info.bytes;
        ++lines;
      }
      if (lines % 64 == 0) m->vm_unmap_aliases();
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  CHECK_EQ(wrong.load(), 0U);
}

}  // namespace
