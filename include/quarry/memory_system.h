// SPDX-License-Identifier: MIT
#pragma once

// The kernel's memory allocator as one object: zones and buddy system, kmem_cache and kmalloc,
// vmalloc. Any number of them can live side by side, each on a Platform of its own.
//
// Contract for every call, unless it says otherwise:
//   - the system is booted;
//   - null means out of memory (or beyond the call's limits, after a report) and nothing else;
//   - a call with gfp::kDirectReclaim may sleep: process context only. Without it, any context but
//     NMI. A call from a context it may not be made in is reported once per place and then served;
//   - calls may be made by any number of threads at once.

#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/abi/kmem_cache.h"
#include "quarry/abi/page.h"
#include "quarry/abi/rcu_head.h"
#include "quarry/fault_parameters.h"
#include "quarry/file_write.h"
#include "quarry/gfp.h"
#include "quarry/platform.h"
#include "quarry/text_sink.h"
#include "quarry/units.h"

namespace quarry {

using Page = ::page;
using RcuHead = ::callback_head;
class KmemCache;

// How slabs are managed below the per-CPU arrays; chosen at boot for the whole system.
enum class SlabEngineKind : uint8_t { kSlub, kSlab, kSlob };
// Kinds are 0 to count - 1.
unsigned slab_engine_count();
// Name as the command line has it ("slub").
const char* slab_engine_name(SlabEngineKind kind);
// False where no engine has that name.
bool find_slab_engine(const char* name, SlabEngineKind& kind);

struct Config {
  SlabEngineKind engine = SlabEngineKind::kSlub;
  // Seeds whatever the system decides at random; same seed, same decisions.
  uint64_t seed = 0;
  FaultParameters failslab{};
  FaultParameters fail_page_alloc{};
  // SLAB: order of slabs that larger ones are made of only where an object needs it; -1: 1 on
  // machines with more than 32 MiB, else 0.
  int slab_max_order = -1;
  // SLAB: objects of other nodes go straight to their slabs.
  bool no_alien_cache = false;
  // The program calls step() by itself, and what happens is the same in every run. False: the
  // platform does, if it can.
  bool steps_by_caller = false;
  // SLUB: bounds of a slab's order, and how many objects it should have; 0: by the number of CPUs.
  Order slub_min_order{0};
  Order slub_max_order{3};
  uint32_t slub_min_objects = 0;
  // SLUB: links of free objects are mixed with a secret; new slabs are handed out in random order
  // (Linux: CONFIG_SLAB_FREELIST_HARDENED, CONFIG_SLAB_FREELIST_RANDOM). Both follow from `seed`.
  bool slub_hardened = false;
  bool slub_random = false;
  // What the kernel parameter slub_debug is given: "" or "FZPU" for all caches, "U,kmalloc-64;FZ"
  // ... (src/kmem/slub/slub_options.h). Null: caches are debugged that are made with such flags.
  const char* slub_debug = nullptr;
  // A new cache may be an old one by another name, as Linux does it: cache_create().
  bool merge_caches = true;
  // Memory is zero when it is given out, or from its free on. Costs the per-CPU arrays too.
  bool init_on_alloc = false;
  bool init_on_free = false;
};

// A check of the slabs of a cache.
struct CacheCheck {
  uint64_t slabs;   // looked at
  uint64_t errors;  // found, and repairs made: each is a report
};
// While `counter` is not null, errors that the calling thread meets in slabs are counted there,
// each report and each repair, instead of being told (Linux: what KUnit's resource "slab_errors"
// does). The counter that was set before.
int* count_slab_errors(int* counter);

// How a cache is made. Flags: QUARRY_SLAB_* (abi/kmem_cache.h).
struct CacheOptions {
  uint32_t align = 0;  // power of two; 0: a word
  uint32_t flags = 0;
  // Runs once for each object when its slab is made, not at each allocation; objects have to be
  // freed in the constructed state. Null: none.
  void (*ctor)(void* object) = nullptr;
  // The part of each object that may be copied to and from user memory.
  uint32_t user_offset = 0;
  uint32_t user_bytes = 0;
};

// One cache at one moment.
struct CacheInfo {
  const char* name;
  uint16_t number;  // page::cache of every page of its slabs
  uint32_t object_size;
  uint32_t size;
  uint32_t align;
  uint32_t flags;
  uint32_t aliases;  // caches that were merged into it, by names of their own
  uint32_t user_offset;
  uint32_t user_bytes;
  uint32_t objects_per_slab;
  uint32_t pages_per_slab;
  uint32_t array_capacity;  // objects each CPU can hold
  uint64_t active_objects;  // as slabinfo counts: all but the free ones of partial slabs
  uint64_t total_objects;
  uint64_t slabs;
  uint64_t slab_pages;
  uint64_t cached_objects;  // free, held in per-CPU arrays
  uint64_t array_hits;      // served or taken by an array; counted only where arrays are locked
  uint64_t array_refills;   // trips to the slabs for more
  uint64_t array_flushes;   // trips to the slabs with surplus
};

// A free block of 1 << order frames.
struct FreeBlock {
  NodeId node;
  uint8_t zone;          // 0 DMA, 1 DMA32, 2 Normal, 3 HighMem
  uint8_t migrate_type;  // 0 Unmovable, 1 Movable, 2 Reclaimable, 3 HighAtomic
  Order order;
  Pfn pfn;
};

class MemorySystem {
 public:
  // Unbooted: no call but boot() and booted() is allowed.
  constexpr MemorySystem() = default;
  MemorySystem(const MemorySystem&) = delete;
  MemorySystem& operator=(const MemorySystem&) = delete;

  // --- Life ---

  // Takes over the platform's memory. False, after a report: the machine is too small or makes no
  // sense. The platform must outlive the system.
  [[nodiscard]] bool boot(Platform& platform, const Config& config);
  [[nodiscard]] bool booted() const;
  // The one it was booted with.
  [[nodiscard]] SlabEngineKind slab_engine() const;
  // Reports caches and areas that still hold something; afterwards the system is unbooted and its
  // memory is the platform's again. No other call may be under way. Number of leftover objects, or
  // pages with such under SLOB.
  uint64_t shutdown();

  // --- Pages: blocks of 1 << order frames, naturally aligned ---

  // Null also for orders above kMaxOrder, after a report. `node`: preferred node, kNoNode: local.
  [[nodiscard]] Page* alloc_pages(Gfp gfp, Order order, NodeId node = kNoNode);
  // Drops a reference; the last one frees the block. Null is not allowed (as in Linux).
  void free_pages(Page* page, Order order);
  // Address of a new block in the direct map; __GFP_HIGHMEM is ignored. Null on failure.
  [[nodiscard]] void* get_free_pages(Gfp gfp, Order order);
  // Null is a no-op.
  void free_pages_at(void* address, Order order);
  // A whole number of pages that holds `bytes`; pages of the rounding to 2^n are given back.
  [[nodiscard]] void* alloc_pages_exact(size_t bytes, Gfp gfp, NodeId node = kNoNode);
  void free_pages_exact(void* address, size_t bytes);
  // Fills the null slots with single pages; how many slots are filled then, those found filled
  // included. May be fewer than asked for.
  size_t alloc_pages_bulk(Gfp gfp, std::span<Page*> pages, NodeId node = kNoNode);
  // A block (not compound) becomes 1 << order single pages with one reference each.
  void split_page(Page* page, Order order);
  void get_page(Page* page);
  void put_page(Page* page);

  // Frames, descriptors and addresses. page_address: null for a page above the direct map (highmem)
  // that kmap() does not show now.
  [[nodiscard]] Pfn page_to_pfn(const Page* page) const;
  [[nodiscard]] Page* pfn_to_page(Pfn pfn) const;
  [[nodiscard]] bool pfn_valid(Pfn pfn) const;
  [[nodiscard]] void* page_address(const Page* page) const;
  // Null where the address is not in the direct map.
  [[nodiscard]] Page* virt_to_page(const void* address) const;
  [[nodiscard]] Page* compound_head(Page* page) const;
  [[nodiscard]] NodeId page_node(const Page* page) const;
  [[nodiscard]] unsigned page_zone(const Page* page) const;  // as FreeBlock::zone

  // --- Addresses for pages above the direct map; other pages keep the one they have ---

  // The page's address on every CPU until kunmap(), once for each kmap(). There are 1024 (512 with
  // three levels of page tables); process context, may sleep until one is free. Null: none is, and
  // nobody could give one back meanwhile, after a report.
  [[nodiscard]] void* kmap(const Page* page);
  // Any context.
  void kunmap(const Page* page);
  // An address for the running thread, on the CPU that it runs on now, until kunmap_local(): 16 for
  // each CPU, and what is mapped last is unmapped first. Any context; an interrupt may come between
  // and do the same. The thread stays on its CPU, and no other thread of that CPU runs meanwhile
  // that leaves something mapped: a kernel that preempts sees to that (Linux: migrate_disable()).
  [[nodiscard]] void* kmap_local_page(const Page* page);
  // Anywhere in the page.
  void kunmap_local(const void* address);
  // The page behind an address of kmap() or kmap_local_page(). Null: there is none.
  [[nodiscard]] Page* kmap_to_page(const void* address) const;
  // What nobody uses any more has no address, at once and on every CPU. Any context.
  void kmap_flush_unused();

  // --- kmalloc: physically contiguous, at least 8-aligned, powers of two naturally aligned ---

  // Size 0 gives kZeroSizePtr. Up to 4 MiB; above 8 KiB whole pages.
  [[nodiscard]] void* kmalloc(size_t bytes, Gfp gfp);
  [[nodiscard]] void* kmalloc_node(size_t bytes, Gfp gfp, NodeId node);
  [[nodiscard]] void* kzalloc(size_t bytes, Gfp gfp) { return kmalloc(bytes, gfp | gfp::kZero); }
  // Null, without a report, where count * bytes overflows.
  [[nodiscard]] void* kmalloc_array(size_t count, size_t bytes, Gfp gfp);
  [[nodiscard]] void* kcalloc(size_t count, size_t bytes, Gfp gfp) {
    return kmalloc_array(count, bytes, gfp | gfp::kZero);
  }
  // Null object: kmalloc. Size 0: frees and gives kZeroSizePtr. Null result: the object is as it
  // was.
  [[nodiscard]] void* krealloc(const void* object, size_t bytes, Gfp gfp);
  // Null and kZeroSizePtr are no-ops. What is nobody's object is reported and left alone.
  void kfree(const void* object);
  // Clears all ksize() bytes first.
  void kfree_sensitive(const void* object);
  // Usable bytes: at least what was asked for. 0 for null and kZeroSizePtr.
  [[nodiscard]] size_t ksize(const void* object) const;
  // What a kmalloc of that size really occupies.
  [[nodiscard]] size_t kmalloc_size_roundup(size_t bytes) const;
  [[nodiscard]] void* kmemdup(const void* source, size_t bytes, Gfp gfp);
  [[nodiscard]] char* kstrdup(const char* text, Gfp gfp);

  // --- Caches of equal objects ---

  // `name` is copied. Where a cache without constructor and user region is there already whose
  // objects are as large, give or take less than a word, and aligned as well, that one gets one
  // more user and name, unless flags forbid it (debugging, TYPESAFE_BY_RCU, NOLEAKTRACE, NO_MERGE)
  // or differ (DMA, DMA32, RECLAIM_ACCOUNT, ACCOUNT). Process context. Null: out of memory, or a
  // size, alignment or flag that makes no sense, after a report; with QUARRY_SLAB_PANIC the machine
  // stops instead.
  [[nodiscard]] KmemCache* cache_create(const char* name, size_t bytes,
                                        const CacheOptions& options = {});
  // Null is a no-op. A cache with several users loses one. With objects left: a report, and the
  // cache stays. Process context.
  void cache_destroy(KmemCache* cache);
  [[nodiscard]] void* cache_alloc(KmemCache* cache, Gfp gfp);
  [[nodiscard]] void* cache_zalloc(KmemCache* cache, Gfp gfp) {
    return cache_alloc(cache, gfp | gfp::kZero);
  }
  [[nodiscard]] void* cache_alloc_node(KmemCache* cache, Gfp gfp, NodeId node);
  // Of another cache's object: reported, and freed to the cache it really belongs to.
  void cache_free(KmemCache* cache, void* object);
  // All of them or none; how many.
  [[nodiscard]] size_t cache_alloc_bulk(KmemCache* cache, Gfp gfp, std::span<void*> objects);
  // Null cache: objects of any caches and kmalloc sizes (kfree_bulk).
  void cache_free_bulk(KmemCache* cache, std::span<void*> objects);
  // Gives back empty slabs and empties all per-CPU arrays. True if no slab remains.
  bool cache_shrink(KmemCache* cache);
  // One round of SLAB's timed reaper on behalf of a CPU: caches that are not used give back what
  // lies in their arrays, and free slabs. step() does it for each CPU every two seconds. Process
  // context.
  void reap_caches(CpuId cpu);
  [[nodiscard]] static CacheInfo cache_info(const KmemCache& cache);
  // The oldest cache that has that name or was merged with one of that name, kmalloc's own ones
  // included ("kmalloc-64"). Null: none.
  [[nodiscard]] KmemCache* find_cache(const char* name) const;
  // Checks all slabs of a debugged cache: what was overwritten is reported and repaired. Of other
  // caches only the lists of partial slabs are looked at.
  CacheCheck cache_check(KmemCache* cache);
  // What Linux has with SLUB as the file /sys/kernel/slab/CACHE/NAME (src/proc/slab_attributes.h),
  // in its format. False: there is no such file.
  bool cache_attribute(const KmemCache* cache, const char* name, TextSink& out) const;
  // What writing to it does: to cpu_partial, how many objects each CPU's array holds; min_partial,
  // remote_node_defrag_ratio, failslab, shrink, validate. Process context.
  FileWrite write_cache_attribute(KmemCache* cache, const char* name, std::span<const char> text);
  // Objects in use of a cache with QUARRY_SLAB_STORE_USER by who allocated them, or by who had
  // freed them before: the text of the kernel's alloc_traces and free_traces. False: there are no
  // such records, or no memory to sort them.
  bool alloc_traces(KmemCache* cache, TextSink& out) const;
  bool free_traces(KmemCache* cache, TextSink& out) const;
  // The cache an object belongs to; null if it is no cache's object.
  [[nodiscard]] KmemCache* cache_of(const void* object) const;
  // All names that a cache was created by, newest first. `visit` as for for_each_cache().
  static void for_each_cache_name(const KmemCache& cache, void (*visit)(void*, const char* name),
                                  void* context);
  // What an address is, in the kernel's words (mem_dump_obj): " slab kmalloc-64 start ... pointer
  // offset 8 size 64", "  2-page vmalloc region starting at ...", " NULL pointer"; with a newline.
  void describe(const void* address, TextSink& out) const;

  // --- Memory that readers may still look at (quarry/rcu.h) ---

  // Has function(head) called, in softirq context, when every section has ended that has begun by
  // now. Any context but NMI. The head is the system's until then.
  void call_rcu(RcuHead* head, void (*function)(RcuHead* head));
  // Returns when they have. Process context, and not in such a section: that is reported.
  void synchronize_rcu();
  // Returns when all functions and frees of earlier calls are over. Process context.
  void rcu_barrier();
  // kvfree(memory) then. The head lies in the memory, less than 4 KiB behind its start.
  void kvfree_deferred(RcuHead* head, const void* memory);
  // The same for memory without a head. Process context, may wait; null is a no-op.
  void kvfree_deferred(const void* memory);

  // --- Background ---

  // Does what can be done without waiting for anybody, and says after how many nanoseconds to call
  // it again; BackgroundWork::kNever: when there is more to do. Process context. The platform does
  // it, unless Config::steps_by_caller is set or it has no thread for that (docs/porting.md).
  uint64_t step();

  // --- vmalloc: virtually contiguous, frames from anywhere, a guard page behind; may sleep ---

  [[nodiscard]] void* vmalloc(size_t bytes, Gfp gfp = gfp::kKernel, NodeId node = kNoNode);
  [[nodiscard]] void* vzalloc(size_t bytes) { return vmalloc(bytes, gfp::kKernel | gfp::kZero); }
  // Null is a no-op. An address that is no area's start is reported and left alone.
  void vfree(const void* address);
  // The same frames at a second, contiguous address. The pages stay the caller's.
  [[nodiscard]] void* vmap(std::span<Page* const> pages, MapAccess access = MapAccess::kReadWrite);
  void vunmap(const void* address);
  // Null where nothing is mapped.
  [[nodiscard]] Page* vmalloc_to_page(const void* address) const;
  [[nodiscard]] bool is_vmalloc_addr(const void* address) const;
  // An address range without memory (ioremap, vm_map_ram); `align` a power of two. Ends with a
  // guard page like every area.
  [[nodiscard]] void* reserve_area(size_t bytes, size_t align);
  void free_area(const void* address);
  // The addresses of an ended area are kept for the next one of its size. Makes all of those free
  // for any size. Any context but NMI.
  void vm_unmap_aliases();
  // kmalloc where that works without effort, vmalloc otherwise.
  [[nodiscard]] void* kvmalloc(size_t bytes, Gfp gfp, NodeId node = kNoNode);
  void kvfree(const void* address);

  // --- What is going on ---

  // Text byte for byte as the kernel's files of that name have it.
  void buddyinfo(TextSink& out) const;
  void meminfo(TextSink& out) const;
  void pagetypeinfo(TextSink& out) const;
  void slabinfo(TextSink& out) const;
  // What the kernel does when a line is written to its file: "name limit batchcount shared", of
  // engines with tunables (SLAB). Numbers that make no sense change nothing. Process context.
  FileWrite write_slabinfo(std::span<const char> line);
  void vmallocinfo(TextSink& out) const;
  void zoneinfo(TextSink& out) const;
  // The same by the file's name. False: there is no such text.
  bool proc_text(const char* name, TextSink& out) const;
  // The same for writing to it; only to slabinfo that does something.
  FileWrite write_proc_text(const char* name, std::span<const char> text);
  // In memory a null follows the last.
  [[nodiscard]] static std::span<const char* const> proc_names();

  // Frames of all zones: handed over at boot, and free now (free lists and per-CPU stacks).
  [[nodiscard]] uint64_t managed_pages() const;
  [[nodiscard]] uint64_t free_page_count() const;
  // Frames behind objects of caches and of kmalloc up to 8 KiB, free slots included.
  [[nodiscard]] uint64_t slab_page_count() const;
  [[nodiscard]] uint64_t vmalloc_page_count() const;
  // Frames of page tables that the system writes itself. They stay for later mappings.
  [[nodiscard]] uint64_t page_table_page_count() const;
  // Gives those back that show nothing.
  void trim_page_tables();
  [[nodiscard]] unsigned node_count() const;
  [[nodiscard]] Platform& platform() const;

  // All caches in order of creation, the kmalloc caches first. `visit` runs under a lock and calls
  // nothing of the system.
  void for_each_cache(void (*visit)(void* context, const CacheInfo& info), void* context) const;
  // All free blocks of the buddy system: by node, zone, order, migrate type, place in the list.
  // Pages in per-CPU stacks are not in it; drain_all() puts them there.
  void for_each_free_block(void (*visit)(void* context, const FreeBlock& block),
                           void* context) const;
  // Empties the per-CPU page stacks of all CPUs.
  void drain_all();

  // --- Failures on demand; at any time. Read, `times` and `space` are what is left ---

  [[nodiscard]] FaultParameters failslab() const;
  void set_failslab(const FaultParameters& parameters);
  // Whether failslab's cache_filter lets the cache's objects fail.
  void cache_choose_for_failslab(KmemCache* cache, bool chosen);
  [[nodiscard]] FaultParameters fail_page_alloc() const;
  void set_fail_page_alloc(const FaultParameters& parameters);

  // Checks every invariant of every room. False: broken, `out` says what. No call may be under way.
  [[nodiscard]] bool validate(TextSink& out) const;

  // For a port that has to stop the world (fork): takes and gives back every lock in order.
  void lock_all();
  void unlock_all();

 private:
  friend struct Core;
  static constexpr size_t kCoreBytes = 96 * kKiB;
  alignas(64) unsigned char core_[kCoreBytes] = {};
};

// What kmalloc(0) returns: not null, must not be used, may be freed.
inline void* const kZeroSizePtr = reinterpret_cast<void*>(16);

}  // namespace quarry
