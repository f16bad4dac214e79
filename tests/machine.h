// SPDX-License-Identifier: MIT
#pragma once

#include "harness.h"
#include "machine_platform.h"
#include "quarry/memory_system.h"
#include "system/core.h"

// A whole machine for a test, booted when it is made:
//
//   Machine m{.nodes = 2, .mib = 64, .cpus = 4};
//   void* object = m->kmalloc(100, quarry::gfp::kKernel);
//   m.on_cpu(3);
//   m->kfree(object);
//
// When it goes, everything has to be back as it was after booting: no object, page or area may be
// left, every invariant has to hold, and each report in the log must have been asked for with
// reported().
namespace harness {

struct Machine {
  // What to build. Memory is split evenly over the nodes; CPUs go round the nodes.
  unsigned nodes = 1;
  unsigned mib = 64;
  unsigned cpus = 1;  // the machine's own: 0 for all that a thread may ever run on
  quarry::SlabEngineKind engine{harness::run.engine};
  CpuKind cpu_kind = CpuKind::kSimulated;
  uint64_t seed = harness::seed();
  std::span<const quarry::MemoryRange> memory_map{};  // instead of nodes and mib
  uint64_t vmalloc_bytes = 0;                         // 0: what goes well with the RAM
  quarry::FaultParameters failslab{};
  quarry::FaultParameters fail_page_alloc{};
  const char* slub_debug = nullptr;
  bool merge_caches = false;
  bool init_on_alloc = false;
  bool init_on_free = false;
  bool keeps_broken_slabs = false;                      // some memory never comes back
  void (*configure)(quarry::Config& config) = nullptr;  // what has no member here

  Log log{};
  MachinePlatform platform{};
  quarry::MemorySystem system{};
  // Pages while nobody uses anything.
  uint64_t idle_free_pages = 0;
  uint64_t idle_slab_pages = 0;
  bool booted = boot();

  quarry::MemorySystem* operator->() { return &system; }
  quarry::Core& core() { return quarry::Core::of(system); }

  void on_cpu(unsigned cpu) { run_on(platform, cpu); }

  // Whether the log has `text`, any number of times; forgets the whole log if it does.
  bool reported(const char* text) {
    const bool found = log.count(text) != 0;
    if (found) log.clear();
    return found;
  }

  bool sound() {
    quarry::FixedText<1024> problem;
    system.rcu_barrier();  // what is freed in the background is freed
    if (system.validate(problem)) return true;
    harness::fail(__FILE__, __LINE__, problem.c_str());
    return false;
  }

  // Makes all caches, CPUs and pools give back what they keep, and waits for what readers keep.
  void give_back_all() {
    system.vm_unmap_aliases();
    quarry::Kmem& kmem = core().kmem;
    kmem.for_each([&](quarry::KmemCache& cache) { kmem.shrink(cache); });
    system.rcu_barrier();
    system.trim_page_tables();
    system.drain_all();
  }

  // Those with backtraces count as free: they stay as long as any object is there.
  uint64_t free_pages() { return system.free_page_count() + core().slub.backtrace_pages(); }

  // Whether nothing is allocated; says what is.
  bool idle() {
    give_back_all();
    const bool slabs = CHECK_EQ(system.slab_page_count(), idle_slab_pages);
    const bool areas = CHECK_EQ(system.vmalloc_page_count(), 0U);
    return CHECK_EQ(free_pages(), idle_free_pages) && slabs && areas && sound();
  }

  ~Machine() {
    if (!booted) return;
    if (!log.empty()) complain("an unexpected report", log.text());
    log.clear();
    const bool all_back = keeps_broken_slabs ? sound() : idle();
    const uint64_t left = system.shutdown();
    if (!all_back || (left != 0 && !keeps_broken_slabs))
      complain("something was not freed", log.text());
    const quarry_context& context = quarry::Arch::context();
    CHECK_EQ(context.forbidden_gfp | context.irq_off_depth | context.held_locks, 0U);
  }

 private:
  bool boot() {
    const char* const closed = open_platform(platform, {.ram_bytes = uint64_t{mib} * quarry::kMiB,
                                                        .nodes = nodes,
                                                        .cpus = cpus,
                                                        .cpu_kind = cpu_kind,
                                                        .vmalloc_bytes = vmalloc_bytes,
                                                        .memory_map = memory_map,
                                                        .log = &log});
    quarry::Config config;
    // Objects that a thread moves would be in nobody's place while a test counts them.
    if (engine == quarry::SlabEngineKind::kSlab) config.steps_by_caller = true;
    config.engine = engine;
    config.seed = seed;
    config.failslab = failslab;
    config.fail_page_alloc = fail_page_alloc;
    config.slub_debug = slub_debug;
    config.merge_caches = merge_caches;
    config.init_on_alloc = init_on_alloc;
    config.init_on_free = init_on_free;
    if (configure != nullptr) configure(config);
    if (closed != nullptr) {
      complain("the platform does not open", closed);
    } else if (!system.boot(platform, config)) {
      complain("the machine does not boot", log.text());
    } else {
      give_back_all();
      idle_free_pages = free_pages();
      idle_slab_pages = system.slab_page_count();
      return true;
    }
    __builtin_trap();  // no test can go on without its machine
  }

  static void complain(const char* what, const char* text) {
    quarry::FixedText<3072> message;
    format(message, "%s:\n%s", what, text);
    harness::fail(__FILE__, __LINE__, message.c_str());
  }
};

}  // namespace harness
