// SPDX-License-Identifier: MIT

// Boot order: memory map -> page descriptors -> zones (empty) -> caches -> memory to the zones ->
// page tables, kmap, vmalloc. What describes memory is taken before the zones get what is left.

#include "frame/boot_page_map.h"
#include "system/core.h"
#include "system/leaks.h"

namespace quarry {

SlabEngine& Core::start_engine(const Config& config, const Memblock& memblock) {
  engine = config.engine;
  if (config.engine == SlabEngineKind::kSlab) {
    const bool has_room = memblock.memory().bytes() > 32 * kMiB;
    const unsigned order = config.slab_max_order >= 0 ? unsigned(config.slab_max_order) : has_room;
    slab.init(kmem, pages, {.max_order = order, .aliens = !config.no_alien_cache});
    return slab;
  }
  if (config.engine == SlabEngineKind::kSlob) {
    slob.init(kmem, pages);
    return slob;
  }
  slub.init(kmem, pages,
            {.min_order = config.slub_min_order,
             .max_order = config.slub_max_order,
             .min_objects = config.slub_min_objects,
             .hardened = config.slub_hardened,
             .random = config.slub_random,
             .seed = config.seed});
  return slub;
}

bool Core::boot_rcu(BootMemory& boot_memory) {
  auto* const counters = boot_memory.alloc_array<RcuCounters>(pages.cpu_count());
  if (counters == nullptr) return false;
  rcu_frees.init(kmem, vmalloc);
  rcu.init(pages.reporter(), rcu_frees, std::span(counters, pages.cpu_count()));
  return true;
}

bool Core::boot(Platform& platform, const Config& config) {
  Memblock memblock;
  if (!memblock.add_all(platform)) return false;
  BootMemory boot_memory(memblock, platform, PhysAddr(Arch::kLowmemLimit));
  if (!boot_page_map(map, boot_memory, platform)) return false;
  const PageAllocatorOptions page_options{.fail_page_alloc = {}, .seed = config.seed};
  if (!pages.boot(platform, map, boot_memory, page_options)) return false;
  if (!boot_rcu(boot_memory)) return false;
  SlabEngine& slabs = start_engine(config, memblock);
  if (&slabs == &slub && !slub.set_debug_options(config.slub_debug, boot_memory)) return false;
  if (!kmem.boot(pages, slabs, rcu, boot_memory, {}, config.seed)) return false;
  pages.hand_over(memblock);
  table_frames.init(pages);
  if (!space.boot(platform, map, pages.reporter(), table_frames)) return false;
  pages.set_kmap(space.kmap());
  if (!vmalloc.boot(pages, kmem, space.mapper())) return false;
  kmem.set_merging(config.merge_caches);
  if (config.init_on_alloc || config.init_on_free) {
    pages.set_zeroing(config.init_on_alloc, config.init_on_free);
    kmem.set_zeroing(config.init_on_alloc, config.init_on_free);
  }
  // Faults are injected once the system stands.
  pages.set_fault_parameters(config.fail_page_alloc);
  kmem.set_fault_parameters(config.failslab);
  return true;
}

bool MemorySystem::boot(Platform& platform, const Config& config) {
  Core* core = new (core_) Core;
  core->booted = core->boot(platform, config);
  if (core->booted) {
    platform.set_fork_hooks(
        {.before = [](void* system) { static_cast<MemorySystem*>(system)->lock_all(); },
         .alone =
             [](void* system) {
               Core::of(*static_cast<MemorySystem*>(system)).rcu.forget_readers();
             },
         .after = [](void* system) { static_cast<MemorySystem*>(system)->unlock_all(); },
         .context = this});
    if (!config.steps_by_caller) {
      platform.set_background_work(
          {.step = [](void* system) { return static_cast<MemorySystem*>(system)->step(); },
           .context = this});
      core->rcu.set_wakes(true);
      if (core->kmem.engine().reap_interval_ns() != 0) platform.wake_background();
    }
  } else {
    LogText out(platform);
    format(out, "quarry: this machine has too little memory, or memory in too many pieces\n");
  }
  return core->booted;
}

SlabEngineKind MemorySystem::slab_engine() const { return Core::of(*this).engine; }

bool MemorySystem::booted() const { return Core::of(*this).booted; }

uint64_t MemorySystem::shutdown() {
  Core& core = Core::of(*this);
  core.pages.platform().set_background_work({});
  rcu_barrier();
  // First, because areas hold objects.
  uint64_t left = core.vmalloc.shutdown();
  core.space.shutdown();
  // What one cache gives up may be objects of another.
  core.kmem.for_each([&](KmemCache& cache) { core.kmem.shrink(cache); });
  left += report_leaks(core);
  rcu_barrier();
  if (!core.kmem.counts_caches() && core.kmem.slab_pages() != 0) {
    left += core.kmem.slab_pages();
    LogText out(core.pages.platform());
    format(out, "slob: objects in %zu pages were never freed\n", core.kmem.slab_pages());
  }
  core.pages.platform().set_fork_hooks({});
  core.pages.platform().discard_memory();
  core.booted = false;
  return left;
}

Platform& MemorySystem::platform() const { return Core::of(*this).pages.platform(); }

void MemorySystem::lock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  Core& core = Core::of(*this);
  core.rcu.stop_steps();
  core.reap_lock.lock();
  core.kmem.lock_all();
  core.vmalloc.lock_all();
  core.pages.lock_all();
  core.rcu.lock_all();
}

void MemorySystem::unlock_all() QUARRY_NO_THREAD_SAFETY_ANALYSIS {
  Core& core = Core::of(*this);
  core.rcu.unlock_all();
  core.pages.unlock_all();
  core.vmalloc.unlock_all();
  core.kmem.unlock_all();
  core.reap_lock.unlock();
}

}  // namespace quarry
