// SPDX-License-Identifier: MIT

// The tables of kmem and the caches of kmalloc.

#include "kmem/kmem.h"

namespace quarry {

namespace {

constexpr unsigned kMinCaches = 128;
constexpr unsigned kMaxCaches = 2048;

// As many caches as the machine deserves: one for each 256 KiB, unless their arrays and states
// would take more than 1/32 of its memory.
unsigned cache_count_for(uint64_t bytes, size_t cache_bytes) {
  uint64_t count = bytes >> 18;
  if (count > kMaxCaches) count = kMaxCaches;
  while (count > kMinCaches && count * cache_bytes > bytes >> 5) count >>= 1;
  return count < kMinCaches ? kMinCaches : static_cast<unsigned>(count);
}

// Names of the kmalloc caches, made at compile time so that nothing has to be allocated for them.
struct CacheName {
  char text[20];
};

constexpr CacheName make_name(const char* prefix, unsigned bytes) {
  CacheName name{};
  unsigned at = 0;
  while (*prefix != '\0') name.text[at++] = *prefix++;
  const char unit = bytes >= 1024 ? 'k' : '\0';
  if (bytes >= 1024) bytes /= 1024;
  char digits[5] = {};
  unsigned count = 0;
  for (; bytes != 0; bytes /= 10) digits[count++] = static_cast<char>('0' + bytes % 10);
  while (count != 0) name.text[at++] = digits[--count];
  name.text[at] = unit;
  return name;
}

constexpr auto make_names() {
  std::array<std::array<CacheName, kClasses>, kKmallocTypes> names{};
  for (unsigned type = 0; type != kKmallocTypes; ++type) {
    for (unsigned c = 0; c != kClasses; ++c) {
      names[type][c] = make_name(kKmallocPrefix[type], kClassBytes[c]);
    }
  }
  return names;
}

constexpr auto kNames = make_names();

}  // namespace

bool Kmem::boot(PageAllocator& pages, SlabEngine& engine, Rcu& rcu, BootMemory& boot,
                const FaultParameters& failslab, uint64_t seed) {
  pages_ = &pages;
  map_ = pages.map();
  engine_ = &engine;
  rcu_ = &rcu;
  reporter_ = &pages.reporter();
  fault_.init(*reporter_, "failslab", seed);
  fault_.set_parameters(failslab);

  const unsigned cpus = pages.cpu_count();
  kmalloc_engine_ = engine.kmalloc_engine();
  state_bytes_ = engine.state_bytes(pages.node_count());
  uintptr_t stride = 0;
  if (kmalloc_engine_ != nullptr) {
    max_caches_ = 1;
    stride = CpuArrays::array_bytes(0, cpus);
  } else {
    max_caches_ = cache_count_for(boot.memblock().memory().bytes(),
                                  (cpus + size_t{1}) * kArrayBytes + state_bytes_);
    stride = max_caches_ * kArrayBytes;
  }
  caches_ = boot.alloc_array<KmemCache>(max_caches_);
  void* arrays = boot.alloc(uint64_t{stride} * (cpus + 1));
  state_memory_ = boot.alloc_array<unsigned char>(max_caches_ * state_bytes_);
  auto* locks = boot.alloc_array<SpinLock>(cpus);
  auto* nodes = boot.alloc_array<uint16_t>(cpus);
  if (caches_ == nullptr || arrays == nullptr || state_memory_ == nullptr || locks == nullptr ||
      nodes == nullptr) {
    return false;
  }
  for (unsigned cpu = 0; cpu != cpus; ++cpu) {
    new (&locks[cpu]) SpinLock(LockRank::kCpuArrays);
    nodes[cpu] = static_cast<uint16_t>(pages.node_of_cpu(CpuId(cpu)).value());
  }
  array_table_.init(pages.platform(), arrays_, arrays, stride, std::span(locks, cpus),
                    std::span(nodes, cpus));
  array_table_.enable(wants_arrays());
  // Its arrays have no capacity: what is no object is refused by every fast path.
  new (&caches_[0]) KmemCache;
  return kmalloc_engine_ != nullptr || make_kmalloc_caches();
}

bool Kmem::make_kmalloc_caches() {
  constexpr uint32_t kTypeFlags[kKmallocTypes] = {0, QUARRY_SLAB_RECLAIM_ACCOUNT,
                                                  QUARRY_SLAB_CACHE_DMA, QUARRY_SLAB_ACCOUNT};
  min_class_ = engine_->min_kmalloc_class();
  for (unsigned c = 0; c != kClasses; ++c) {
    const unsigned number = kmalloc_cache_number(KmallocType::kNormal, own_class(c));
    kmalloc_arrays_[c] = static_cast<uint32_t>(number * kArrayBytes);
  }
  LockGuard guard(list_lock_);
  for (unsigned type = 0; type != kKmallocTypes; ++type) {
    for (unsigned c = min_class_; c != kClasses; ++c) {
      KmemCache& cache = caches_[kmalloc_cache_number(static_cast<KmallocType>(type), c)];
      const uint32_t bytes = kClassBytes[c];
      const uint32_t align = is_power_of_two(bytes) ? bytes : 8;
      const uint32_t flags = QUARRY_SLAB_KMALLOC | kTypeFlags[type];
      if (!set_up(cache, kNames[type][c].text, bytes, align, flags, nullptr)) return false;
      // All of it may be copied to users, which keeps other caches from being merged into it.
      cache.user_bytes = bytes;
      link(cache);
    }
  }
  return true;
}

// Fills an unused entry of the table, or what claim_cache() gave: this cannot run out of memory.
bool Kmem::set_up(KmemCache& cache, const char* name, uint32_t bytes, uint32_t align,
                  uint32_t flags, void (*ctor)(void*)) {
  uint16_t number = 0;
  if (kmalloc_engine_ == nullptr) {
    number = static_cast<uint16_t>(&cache - caches_);
  } else {
    number = last_number_ = static_cast<uint16_t>(last_number_ % UINT16_MAX + 1);
  }
  new (&cache) KmemCache();  // the head too, of whatever was here before
  cache.number = number;
  cache.owner = this;
  cache.object_size = bytes;
  cache.align = static_cast<uint16_t>(align);
  cache.flags = engine_->flags_of(name, flags);
  cache.ctor = ctor;
  if (!engine_->shape(cache, pages_->cpu_count())) return false;
  cache.name = name;
  if ((flags & QUARRY_SLAB_CACHE_DMA) != 0) cache.page_gfp |= gfp::kDmaBit;
  if ((flags & QUARRY_SLAB_CACHE_DMA32) != 0) cache.page_gfp |= gfp::kDma32Bit;
  if ((flags & QUARRY_SLAB_RECLAIM_ACCOUNT) != 0) cache.page_gfp |= gfp::kReclaimable;

  cache.engine_state = state_memory_ + number * state_bytes_;
  engine_->init_state(cache);
  const uint16_t capacity = cache.array_capacity.load(std::memory_order_relaxed);
  QUARRY_ASSERT(capacity <= kArrayEntries);
  cache.array_offset = kmalloc_engine_ != nullptr ? 0 : static_cast<uint32_t>(number * kArrayBytes);
  cache.cpu_arrays.init(array_table_, cache.array_offset, capacity);
  return true;
}

void Kmem::set_fault_parameters(const FaultParameters& parameters) {
  fault_.set_parameters(parameters);
  LockGuard guard(drain_lock_);
  array_table_.enable(wants_arrays());
}

void Kmem::set_zeroing(bool on_alloc, bool on_free) {
  zero_on_alloc_ = on_alloc;
  zero_on_free_ = on_free;
  LockGuard guard(drain_lock_);
  array_table_.enable(wants_arrays());
}

}  // namespace quarry
