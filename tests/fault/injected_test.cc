// SPDX-License-Identifier: MIT
// failslab and fail_page_alloc, as set when a system boots: which attempts fail, and that the
// per-CPU arrays hide none of them.
#include "machine.h"

namespace {

using harness::Machine;
using quarry::FaultParameters;
using quarry::Gfp;
using quarry::Order;
using quarry::Page;
namespace gfp = quarry::gfp;

constexpr Gfp kQuiet = gfp::kNoWait | gfp::kNoWarn;

// Attempts that failed, the first in bit 0.
uint64_t failed_objects(Machine& m, Gfp bits, unsigned attempts) {
  uint64_t failed = 0;
  for (unsigned i = 0; i != attempts; ++i) {
    void* object = m->kmalloc(100, bits);
    if (object == nullptr) failed |= uint64_t{1} << i;
    m->kfree(object);
  }
  return failed;
}

uint64_t failed_pages(Machine& m, Gfp bits, Order order, unsigned attempts) {
  uint64_t failed = 0;
  for (unsigned i = 0; i != attempts; ++i) {
    Page* page = m->alloc_pages(bits, order);
    if (page == nullptr) {
      failed |= uint64_t{1} << i;
    } else {
      m->free_pages(page, order);
    }
  }
  return failed;
}

QUARRY_TEST(Failslab, fails_every_third_attempt_five_times) {
  Machine m{.failslab = {.interval = 3, .probability = 100, .times = 5}};
  CHECK_EQ(failed_objects(m, kQuiet, 30), 0b100'100'100'100'100U);
}

QUARRY_TEST(Failslab, leaves_callers_alone_that_may_sleep_or_must_not_fail) {
  Machine m{.failslab = {.probability = 100, .times = -1}};
  CHECK_EQ(failed_objects(m, gfp::kKernel, 20), 0U);
  CHECK_EQ(failed_objects(m, kQuiet | gfp::kNoFail, 20), 0U);
  CHECK_EQ(failed_objects(m, kQuiet, 20), (1U << 20) - 1);
}

QUARRY_TEST(Failslab, reports_unless_nowarn) {
  Machine m{.failslab = {.probability = 100, .times = 2}};
  CHECK(m->kmalloc(64, gfp::kNoWait | gfp::kNoWarn) == nullptr);
  CHECK(m.log.empty());
  CHECK(m->kmalloc(64, gfp::kNoWait) == nullptr);
  CHECK_EQ(m.log.count("FAULT_INJECTION: forcing a failure.\n"
                       "name failslab, interval 1, probability 100, space 0, times 1\n"),
           1U);
  CHECK(m.reported("Call Trace:"));
}

QUARRY_TEST(Failslab, fails_as_often_as_its_probability_and_the_same_for_the_same_seed) {
  uint64_t first = 0;
  for (int round = 0; round != 2; ++round) {
    Machine m{.seed = 42, .failslab = {.probability = 30, .times = -1}};
    const uint64_t failed = failed_objects(m, kQuiet, 64);
    const int count = __builtin_popcountll(failed);
    CHECK(count > 8 && count < 32);
    if (round == 0) first = failed;
    CHECK_EQ(failed, first);
  }
}

QUARRY_TEST(Failslab, has_bytes_to_spend_first) {
  Machine m{.failslab = {.probability = 100, .space = 1000, .times = -1}};
  // Objects of 128 bytes: the budget is lowered as long as it is larger than one.
  CHECK_EQ(failed_objects(m, kQuiet, 10), 0b11'1000'0000U);
}

QUARRY_TEST(Failslab, is_changed_at_run_time) {
  Machine m;
  CHECK_EQ(failed_objects(m, kQuiet, 5), 0U);
  CHECK_EQ(m->failslab().probability, 0U);
  m->set_failslab({.probability = 100, .times = 3});
  CHECK_EQ(failed_objects(m, kQuiet, 5), 0b111U);
  CHECK_EQ(m->failslab().times, 0);
  m->set_failslab({});
  CHECK_EQ(failed_objects(m, kQuiet, 5), 0U);
  m->set_fail_page_alloc({.probability = 100, .times = 1});
  CHECK_EQ(failed_pages(m, kQuiet, Order{1}, 3), 0b1U);
  CHECK_EQ(m->fail_page_alloc().times, 0);
}

QUARRY_TEST(Failslab, of_chosen_caches_only) {
  Machine m;
  quarry::KmemCache* chosen = m->cache_create("chosen", 200);
  quarry::KmemCache* other = m->cache_create("other", 200, {.ctor = [](void*) {}});
  m->set_failslab({.probability = 100, .times = -1, .cache_filter = true});
  m->cache_choose_for_failslab(chosen, true);
  CHECK(m->cache_alloc(chosen, kQuiet) == nullptr);
  void* object = m->cache_alloc(other, kQuiet);
  CHECK(object != nullptr);
  CHECK_EQ(failed_objects(m, kQuiet, 5), 0U);
  m->cache_choose_for_failslab(chosen, false);
  void* spared = m->cache_alloc(chosen, kQuiet);
  CHECK(spared != nullptr);
  m->cache_free(chosen, spared);
  m->cache_free(other, object);
  m->cache_destroy(chosen);
  m->cache_destroy(other);
}

QUARRY_TEST(Failslab, of_tasks_that_ask_for_it) {
  Machine m{.failslab = {.probability = 100, .times = -1, .task_filter = true}};
  CHECK_EQ(failed_objects(m, kQuiet, 5), 0U);
  quarry::set_make_it_fail(true);
  CHECK(quarry::make_it_fail());
  CHECK_EQ(failed_objects(m, kQuiet, 5), 0b11111U);
  quarry::set_make_it_fail(false);
  CHECK_EQ(failed_objects(m, kQuiet, 5), 0U);
}

QUARRY_TEST(FailPageAlloc, spares_single_pages_and_highmem) {
  Machine m{.fail_page_alloc = {.probability = 100, .times = -1}};
  CHECK_EQ(failed_pages(m, kQuiet, Order{0}, 20), 0U);
  CHECK_EQ(failed_pages(m, kQuiet | gfp::kHighmemBit, Order{2}, 20), 0U);
  CHECK_EQ(failed_pages(m, gfp::kKernel, Order{2}, 20), 0U);
  CHECK_EQ(failed_pages(m, kQuiet, Order{1}, 20), (1U << 20) - 1);
  CHECK_EQ(failed_pages(m, kQuiet, Order{10}, 20), (1U << 20) - 1);
}

QUARRY_TEST(FailPageAlloc, counts_every_attempt) {
  Machine m{.fail_page_alloc = {.interval = 4, .probability = 100, .times = 3, .min_order = 0}};
  CHECK_EQ(failed_pages(m, kQuiet, Order{0}, 32), 0b1000'1000'1000U);
  CHECK_EQ(failed_pages(m, kQuiet, Order{1}, 32), 0U);
}

// A slab of single pages is made where no larger block is to be had.
QUARRY_TEST(FailPageAlloc, slabs_make_do_with_single_pages) {
  Machine m{.cpus = 4,
            .engine = quarry::SlabEngineKind::kSlub,
            .fail_page_alloc = {.probability = 100, .times = -1}};
  void* object = m->kmalloc(2048, gfp::kNoWait);
  REQUIRE(object != nullptr);
  const quarry::CacheInfo info = quarry::MemorySystem::cache_info(*m->cache_of(object));
  CHECK_EQ(info.pages_per_slab, 8U);
  CHECK_EQ(info.slab_pages, 1U);
  m->kfree(object);
}

}  // namespace
