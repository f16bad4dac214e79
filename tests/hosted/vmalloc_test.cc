// SPDX-License-Identifier: MIT
// vmalloc over the host's page tables: what must fault does fault, and the host's limits are
// answers.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "hosted/fault_probe.h"
#include "machine.h"

namespace {

using harness::CpuKind;
using harness::Machine;
using quarry::kPageBytes;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

char* bytes_of(void* address) { return static_cast<char*>(address); }
uintptr_t number(const void* address) { return reinterpret_cast<uintptr_t>(address); }

QUARRY_TEST(HostedVmalloc, the_guard_and_the_freed_area_fault) {
  for (const CpuKind kind : {CpuKind::kSimulated, CpuKind::kLockless}) {
    Machine m{.cpus = 0, .cpu_kind = kind};
    for (const size_t pages : {1U, 7U, 40U, 1500U}) {
      for (int round = 0; round != 3; ++round) {
        char* area = bytes_of(m->vmalloc(pages * kPageBytes - 100));
        CHECK(!probe::write_faults(number(area)));
        CHECK(!probe::write_faults(number(area + pages * kPageBytes - 1)));
        CHECK(probe::read_faults(number(area + pages * kPageBytes)));
        CHECK(probe::read_faults(number(area - 1)));
        m->vfree(area);
        CHECK(probe::read_faults(number(area)));
        CHECK(probe::write_faults(number(area + pages * kPageBytes - 1)));
      }
    }
  }
}

QUARRY_TEST(HostedVmalloc, vmap_and_reserved_areas_fault_as_they_should) {
  Machine m;
  Page* pages[] = {m->alloc_pages(gfp::kKernel, Order(0)), m->alloc_pages(gfp::kKernel, Order(0))};
  char* read_only = bytes_of(m->vmap(pages, quarry::MapAccess::kReadOnly));
  CHECK(!probe::read_faults(number(read_only)));
  CHECK(probe::write_faults(number(read_only + kPageBytes)));
  CHECK(probe::read_faults(number(read_only + 2 * kPageBytes)));
  m->vunmap(read_only);
  CHECK(probe::read_faults(number(read_only)));
  void* reserved = m->reserve_area(kPageBytes, kPageBytes);
  CHECK(probe::read_faults(number(reserved)));
  m->free_area(reserved);
  for (Page* page : pages) m->free_pages(page, Order(0));
}

// Each area is a mapping and leaves a gap: the host's limit (vm.max_map_count) comes before memory
// runs out. Null and a report, the process lives, and all works again once something is freed.
QUARRY_TEST(HostedVmalloc, the_limit_of_mappings_is_null_and_a_report) {
  Machine m{.mib = 512};
  struct Link {
    Link* next;
  };
  Link* areas = nullptr;
  size_t count = 0;
  while (void* area = m->vmalloc(1)) {
    areas = new (area) Link{areas};
    ++count;
    REQUIRE(count != 120'000);
  }
  CHECK(count > 20'000);
  CHECK(m.reported("vmalloc error: size 1, failed to map pages"));
  CHECK(m->vmalloc(16 * kPageBytes, gfp::kKernel | gfp::kNoWarn) == nullptr);
  void* object = m->kmalloc(100, gfp::kKernel);
  CHECK(object != nullptr);
  m->kfree(object);
  CHECK(m.sound());
  while (areas != nullptr) {
    Link* next = areas->next;
    m->vfree(areas);
    areas = next;
  }
  void* again = m->vmalloc(100 * kPageBytes);
  CHECK(again != nullptr);
  m->vfree(again);
}

QUARRY_TEST(HostedVmalloc, systems_side_by_side_do_not_meet) {
  Machine first{.mib = 32};
  Machine second{.mib = 32};
  char* a = bytes_of(first->vmalloc(5 * kPageBytes));
  char* b = bytes_of(second->vmalloc(5 * kPageBytes));
  a[10] = 'a';
  b[10] = 'b';
  CHECK(a[10] == 'a');
  CHECK(!first->is_vmalloc_addr(b));
  CHECK(first->vmalloc_to_page(b) == nullptr);
  first->vfree(a);
  CHECK(b[10] == 'b');
  second->vfree(b);
}

// --- Threads ---

struct Worker {
  Machine* machine = nullptr;
  uint64_t seed = 0;
  size_t errors = 0;
  pthread_t thread{};
};

constexpr size_t kSlots = 12;

void stamp(char* area, size_t pages, char mark) {
  for (size_t i = 0; i != pages; ++i) area[i * kPageBytes] = area[(i + 1) * kPageBytes - 1] = mark;
}

bool has_stamp(const char* area, size_t pages, char mark) {
  for (size_t i = 0; i != pages; ++i) {
    if (area[i * kPageBytes] != mark || area[(i + 1) * kPageBytes - 1] != mark) return false;
  }
  return true;
}

void* use_vmalloc(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  quarry::MemorySystem& system = worker.machine->system;
  quarry::Random random(worker.seed);
  struct Slot {
    char* area = nullptr;
    size_t pages = 0;
    char mark = 0;
  } slots[kSlots];
  for (int round = 0; round != 4000; ++round) {
    Slot& slot = slots[random.below(kSlots)];
    if (slot.area == nullptr) {
      slot.pages = random.one_in(8) ? random.between(30, 300) : random.between(1, 12);
      slot.mark = static_cast<char>(random.next_u32());
      slot.area = bytes_of(system.vmalloc(slot.pages * kPageBytes));
      if (slot.area == nullptr) continue;
      stamp(slot.area, slot.pages, slot.mark);
    } else {
      Page* page = system.vmalloc_to_page(slot.area);
      const bool mine = page != nullptr && has_stamp(slot.area, slot.pages, slot.mark) &&
                        bytes_of(system.page_address(page))[0] == slot.mark;
      worker.errors += mine ? 0 : 1;
      system.vfree(slot.area);
      slot.area = nullptr;
    }
  }
  for (const Slot& slot : slots) system.vfree(slot.area);
  return nullptr;
}

QUARRY_TEST(HostedVmalloc, threads_do_not_disturb_each_other) {
  for (const CpuKind kind : {CpuKind::kLockless, CpuKind::kLocked}) {
    Machine m{.mib = 128, .cpus = 0, .cpu_kind = kind};
    Worker workers[4];
    for (Worker& worker : workers) {
      worker.machine = &m;
      worker.seed = harness::seed() + static_cast<uint64_t>(&worker - workers);
      REQUIRE_EQ(pthread_create(&worker.thread, nullptr, use_vmalloc, &worker), 0);
    }
    for (Worker& worker : workers) {
      pthread_join(worker.thread, nullptr);
      CHECK_EQ(worker.errors, 0U);
    }
  }
}

}  // namespace
