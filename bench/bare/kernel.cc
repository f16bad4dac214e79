// SPDX-License-Identifier: MIT
// Instructions for each operation of the kernel's C API, for one CPU of a bare machine. Under
// QEMU's -icount the time-stamp counter counts instructions: every run prints the same numbers.
// run.py starts the machine and reads the lines  "op NAME COUNTS OPERATIONS"; without -icount they
// say nothing.

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "base/random.h"
#include "compat/bare/default_machine.h"
#include "compat/default_system.h"
#include "x86/cpu.h"
#include "x86/kernel.h"
#include "x86/report.h"

namespace quarry {
namespace {

constexpr unsigned kWarmup = 100;
constexpr unsigned kRounds = 1000;
constexpr unsigned kBatch = 1000;
constexpr unsigned kBulk = 64;
constexpr unsigned kLargeBatch = 10000;
constexpr unsigned kLargeRounds = 5;  // each is kLargeBatch operations

void* batch[kLargeBatch];
unsigned free_order[kLargeBatch];
struct kmem_cache* cache;

// Time-stamp counts of that many calls, after some that put things into their places.
template <class Operation>
uint64_t count_rounds(unsigned rounds, Operation operation) {
  for (unsigned i = 0; i < kWarmup && i < rounds; ++i) operation();
  const uint64_t begin = read_tsc();
  for (unsigned i = 0; i != rounds; ++i) operation();
  return read_tsc() - begin;
}

// The counts of `operation` without those of a loop around `nothing`. A failed allocation ends the
// machine.
template <class Operation, class Nothing>
void measure(const char* name, unsigned operations, Operation operation, Nothing nothing) {
  const unsigned rounds = operations < kLargeBatch ? kRounds : kLargeRounds;
  const uint64_t with = count_rounds(rounds, operation);
  const uint64_t without = count_rounds(rounds, nothing);
  Console out;
  format(out, "op %s %u %u\n", name, with - without, operations * rounds);
}

void keep(void* pointer) { asm volatile("" : : "r"(pointer) : "memory"); }
void* use(void* pointer) {
  if (pointer == nullptr) die("out of memory");
  return pointer;
}
void empty_loop() { asm volatile("" : : : "memory"); }

size_t opaque(size_t bytes) {
  asm volatile("" : "+r"(bytes));
  return bytes;
}

void measure_objects() {
  measure(
      "kmalloc64_const_pair", 1, [] { kfree(kmalloc(64, GFP_KERNEL)); }, empty_loop);
  const size_t bytes = opaque(64);
  measure(
      "kmalloc64_var_pair", 1, [=] { kfree(kmalloc(bytes, GFP_KERNEL)); }, empty_loop);
  measure(
      "kmem_cache64_pair", 1, [] { kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL)); },
      empty_loop);
  measure(
      "kmalloc64_batch1000", kBatch,
      [] {
        for (unsigned i = 0; i != kBatch; ++i) batch[i] = kmalloc(64, GFP_KERNEL);
        for (unsigned i = 0; i != kBatch; ++i) kfree(batch[i]);
      },
      [] {
        for (unsigned i = 0; i != kBatch; ++i) batch[i] = &batch[i];
        for (unsigned i = 0; i != kBatch; ++i) keep(batch[i]);
      });
  measure(
      "kmem_cache_bulk64_per_object", kBulk,
      [] {
        if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, kBulk, batch) == 0) die("out of memory");
        kmem_cache_free_bulk(cache, kBulk, batch);
      },
      empty_loop);
}

// Objects freed in an order that has nothing to do with that of their allocation.
void measure_random_batch(const char* name) {
  Random random(1);
  for (unsigned i = 0; i != kLargeBatch; ++i) {
    const unsigned other = random.below(i + 1);
    free_order[i] = free_order[other];
    free_order[other] = i;
  }
  measure(
      name, kLargeBatch,
      [] {
        for (void*& object : batch) object = kmalloc(64, GFP_KERNEL);
        for (const unsigned i : free_order) kfree(batch[i]);
      },
      [] {
        for (void*& object : batch) object = &object;
        for (const unsigned i : free_order) keep(batch[i]);
      });
}

template <unsigned kOrder>
void page_pair() {
  __free_pages(static_cast<struct page*>(use(alloc_pages(GFP_KERNEL, kOrder))), kOrder);
}

template <unsigned kPages>
void vmalloc_pair() {
  vfree(use(vmalloc(kPages * PAGE_SIZE)));
}

}  // namespace

bool is_parameter_of_program(std::string_view) { return false; }

// With slab_engine=slob what is SLOB's own, else all that depends on no engine, and SLUB.
bool kernel_main() {
  if (default_system.slab_engine() == SlabEngineKind::kSlob) {
    measure_random_batch("slob_kmalloc64_batch10000_random");
    return true;
  }
  cache = kmem_cache_create("measured", 64, 0, 0, nullptr);
  use(cache);
  measure_objects();
  measure("page0_pair", 1, page_pair<0>, empty_loop);
  measure("page3_pair", 1, page_pair<3>, empty_loop);
  measure("page9_pair", 1, page_pair<9>, empty_loop);
  measure("vmalloc1_pair", 1, vmalloc_pair<1>, empty_loop);
  measure("vmalloc16_pair", 1, vmalloc_pair<16>, empty_loop);
  return true;
}

}  // namespace quarry
