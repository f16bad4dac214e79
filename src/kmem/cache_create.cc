// SPDX-License-Identifier: MIT

// Making caches: what a request may ask for, and whether a cache that is there already will do.

#include "kmem/kmem.h"

namespace quarry {

namespace {

// Linux 6.1: what a caller may pass, and what of it makes a difference to a cache.
constexpr uint32_t kCreateFlags =
    QUARRY_SLAB_HWCACHE_ALIGN | QUARRY_SLAB_CACHE_DMA | QUARRY_SLAB_CACHE_DMA32 |
    QUARRY_SLAB_RECLAIM_ACCOUNT | QUARRY_SLAB_PANIC | QUARRY_SLAB_TYPESAFE_BY_RCU |
    QUARRY_SLAB_NOLEAKTRACE | QUARRY_SLAB_NO_MERGE | QUARRY_SLAB_ACCOUNT |
    QUARRY_SLAB_NO_USER_FLAGS | QUARRY_SLAB_DEBUG_FLAGS;
constexpr uint32_t kPermittedFlags = kCreateFlags | QUARRY_SLAB_MEM_SPREAD | QUARRY_SLAB_KMALLOC;

// Caches with one of the first are never merged; of the others both caches have the same.
constexpr uint32_t kNeverMerged = QUARRY_SLAB_RED_ZONE | QUARRY_SLAB_POISON |
                                  QUARRY_SLAB_STORE_USER | QUARRY_SLAB_TRACE |
                                  QUARRY_SLAB_TYPESAFE_BY_RCU | QUARRY_SLAB_NOLEAKTRACE |
                                  QUARRY_SLAB_FAILSLAB | QUARRY_SLAB_NO_MERGE;
constexpr uint32_t kMergedIfSame = QUARRY_SLAB_RECLAIM_ACCOUNT | QUARRY_SLAB_CACHE_DMA |
                                   QUARRY_SLAB_CACHE_DMA32 | QUARRY_SLAB_ACCOUNT;

// An object of kmalloc that a cache fits into, aligned.
constexpr size_t kCacheBytes = size_t{1} << (ilog2(sizeof(KmemCache) - 1) + 1);

constexpr uint32_t kMaxAlign = 32768;  // what kmem_cache::align holds
constexpr auto kWord = static_cast<uint32_t>(sizeof(void*));

// The kernel's error numbers.
constexpr int kNoMemory = -12;
constexpr int kInvalid = -22;

// Linux's rule (calculate_alignment): with HWCACHE_ALIGN a cache line, halved while two objects
// would fit into the half.
uint32_t effective_align(uint32_t align, uint32_t flags, uint32_t bytes) {
  if ((flags & QUARRY_SLAB_HWCACHE_ALIGN) != 0) {
    uint32_t line = Arch::kCacheLineBytes;
    while (bytes <= line / 2) line /= 2;
    if (align < line) align = line;
  }
  return round_up(align < kWord ? kWord : align, kWord);
}

// Of 6.12: where the user allows the link of the free list, instead of behind the object.
bool is_free_pointer_possible(const CacheRequest& request) {
  return request.free_pointer == CacheRequest::kNowhere ||
         ((request.flags & QUARRY_SLAB_TYPESAFE_BY_RCU) != 0 && request.ctor == nullptr &&
          request.bytes >= kWord && request.free_pointer <= request.bytes - kWord &&
          request.free_pointer % kWord == 0);
}

// Null: nothing is wrong with the request.
const char* refusal(const CacheRequest& request) {
  if (request.name == nullptr) return "no name";
  if (request.bytes == 0 || request.bytes > kMaxKmallocBytes) return "impossible object size";
  if (request.align != 0 && !is_power_of_two(request.align)) {
    return "alignment is not a power of two";
  }
  if (request.align > kMaxAlign) return "alignment is larger than 32 KiB";
  if ((request.flags & ~kPermittedFlags) != 0) return "unknown flags";
  if (!is_free_pointer_possible(request)) return "impossible place of the free pointer";
  if (in_interrupt(Arch::context())) return "called from interrupt context";
  return nullptr;
}

// Whether a line of slabinfo with that name could be read.
bool has_space(const char* name) {
  while (*name != '\0' && *name != ' ') ++name;
  return *name == ' ';
}

size_t text_bytes(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length + 1;
}

// Where all of it lies inside the object.
bool is_user_region_possible(const CacheRequest& request) {
  if (request.user_bytes == 0) return request.user_offset == 0;
  return request.user_bytes <= request.bytes &&
         request.user_offset <= request.bytes - request.user_bytes;
}

}  // namespace

KmemCache* Kmem::create(const CacheRequest& request, uintptr_t place) {
  reporter_->check_context(uint32_t(gfp::kKernel), place);
  const char* problem = refusal(request);
  if (problem == nullptr) {
    KmemCache* const cache = try_create(request, problem, place);
    if (cache != nullptr) return cache;
  }
  const char* const name = request.name == nullptr ? "(null)" : request.name;
  const int error = problem == nullptr ? kNoMemory : kInvalid;
  if (problem == nullptr) problem = "out of memory";
  if ((request.flags & QUARRY_SLAB_PANIC) != 0) {
    FixedText<160> text;
    format(text, "kmem_cache_create_usercopy: Failed to create slab '%s'. Error %d (%s)", name,
           error, problem);
    reporter_->platform().fatal(text.c_str());
  }
  {
    LogText out(reporter_->platform());
    format(out, "kmem_cache_create_usercopy(%s) failed with error %d\n", name, error);
    format(out, "quarry: %s: %s\n", name, problem);
  }
  reporter_->dump_stack();
  return nullptr;
}

// Null: `problem` says what is wrong with the request, or is null, and memory is out.
KmemCache* Kmem::try_create(const CacheRequest& request, const char*& problem, uintptr_t place) {
  CacheRequest made = request;
  made.flags &= kCreateFlags;
  if (has_space(request.name)) {
    reporter_->warn_once(place, "kmem_cache_create: a space in the name");
  }
  if (!is_user_region_possible(request)) {
    reporter_->warn(place, "kmem_cache_create: the region for users is not inside the object");
    made.user_offset = made.user_bytes = 0;
  }
  const size_t bytes = text_bytes(request.name);
  auto* const name =
      static_cast<CacheName*>(kmalloc(sizeof(CacheName) + bytes, gfp::kKernel, place));
  if (name == nullptr) return nullptr;
  __builtin_memcpy(name->text(), request.name, bytes);
  // Of the cache itself, where there is no table.
  void* const memory =
      kmalloc_engine_ != nullptr ? kmalloc(kCacheBytes, gfp::kKernel, place) : nullptr;
  KmemCache* cache = nullptr;
  {
    LockGuard guard(list_lock_);
    cache = make_cache(made, name, memory, problem);
  }
  if (cache == nullptr) {
    kfree(name, place);
    kfree(memory, place);
  }
  return cache;
}

// A new one, or one that is there already and gets the name too.
KmemCache* Kmem::make_cache(const CacheRequest& request, CacheName* name, void* memory,
                            const char*& problem) {
  const auto bytes = static_cast<uint32_t>(request.bytes);
  const uint32_t align = effective_align(request.align, request.flags, bytes);
  KmemCache* cache = find_mergeable(request, align);
  if (cache != nullptr) {
    ++cache->users;
    // What __GFP_ZERO clears has to do for each of its users.
    const uint32_t most = cache->object_size > bytes ? cache->object_size : bytes;
    std::atomic_ref(cache->object_size).store(most, std::memory_order_relaxed);
    if (cache->inuse_bytes < round_up(bytes, kWord)) cache->inuse_bytes = round_up(bytes, kWord);
  } else {
    cache = claim_cache(memory);
    if (cache == nullptr) return nullptr;
    if (!set_up(*cache, name->text(), bytes, align, request.flags, request.ctor)) {
      problem = "objects of this size and alignment fit into no slab";
      return nullptr;
    }
    cache->user_offset = request.user_offset;
    cache->user_bytes = request.user_bytes;
    link(*cache);
  }
  name->next = cache->names;
  cache->names = name;
  return cache;
}

// The oldest cache that serves the request as well as a new one would; null: none does.
KmemCache* Kmem::find_mergeable(const CacheRequest& request, uint32_t align) const {
  const uint32_t flags = engine_->flags_of(request.name, request.flags);
  if (!merges_ || kmalloc_engine_ != nullptr || request.ctor != nullptr ||
      request.user_bytes != 0 || (flags & kNeverMerged) != 0) {
    return nullptr;
  }
  const uint32_t size = round_up(round_up(static_cast<uint32_t>(request.bytes), kWord), align);
  for (KmemCache* cache = first_; cache != nullptr; cache = cache->next) {
    const bool allowed = cache->users != 0 && cache->ctor == nullptr && cache->user_bytes == 0 &&
                         (cache->flags & kNeverMerged) == 0 &&
                         ((cache->flags ^ flags) & kMergedIfSame) == 0;
    if (allowed && engine_->can_merge(*cache, size, align)) return cache;
  }
  return nullptr;
}

}  // namespace quarry
