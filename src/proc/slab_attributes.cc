// SPDX-License-Identifier: MIT
#include "proc/slab_attributes.h"

#include "base/same_text.h"

namespace quarry {
namespace {

using Text = std::span<const char>;

template <auto kField>
void show_number(const KmemCache& cache, TextSink& out) {
  format(out, "%u\n", cache.*kField);
}

template <uint32_t kFlag>
void show_flag(const KmemCache& cache, TextSink& out) {
  format(out, "%d\n", (cache.flags & kFlag) != 0);
}

// Files that are there to be written to.
void show_nothing(const KmemCache&, TextSink&) {}

void show_order(const KmemCache& cache, TextSink& out) { format(out, "%u\n", cache.order.value()); }

void show_aliases(const KmemCache& cache, TextSink& out) {
  format(out, "%d\n", cache.users == 0 ? 0 : cache.users - 1);
}

void show_ctor(const KmemCache& cache, TextSink& out) {
  if (cache.ctor == nullptr) return;
  char name[128] = {};
  cache.owner->pages().platform().symbolize(reinterpret_cast<uintptr_t>(cache.ctor), name);
  format(out, "%s\n", static_cast<const char*>(name));
}

void show_min_partial(const KmemCache& cache, TextSink& out) {
  format(out, "%lu\n", cache.min_partial.load(std::memory_order_relaxed));
}

void show_cpu_partial(const KmemCache& cache, TextSink& out) {
  format(out, "%u\n", cache.array_capacity.load(std::memory_order_relaxed));
}

void show_remote_ratio(const KmemCache& cache, TextSink& out) {
  format(out, "%u\n", cache.remote_defrag.load(std::memory_order_relaxed) / 10);
}

using CountOfNode = size_t (*)(const KmemCache& cache, NodeId node);

// The sum, and what there is on each node that has any: "12 N0=5 N3=7".
void write_by_node(const KmemCache& cache, CountOfNode count_of, TextSink& out) {
  const unsigned nodes = cache.owner->pages().node_count();
  size_t count[PageAllocator::kMaxNodes];
  size_t sum = 0;
  for (unsigned id = 0; id != nodes; ++id) {
    sum += count[id] = count_of(cache, NodeId(static_cast<int>(id)));
  }
  format(out, "%lu", sum);
  for (unsigned id = 0; id != nodes; ++id) {
    if (count[id] != 0) format(out, " N%u=%lu", id, count[id]);
  }
  format(out, "\n");
}

template <CountOfNode kCount>
void show_by_node(const KmemCache& cache, TextSink& out) {
  write_by_node(cache, kCount, out);
}

SlabCounts counts(const KmemCache& cache, NodeId node) {
  return cache.owner->engine().node_counts(cache, node);
}
size_t slabs(const KmemCache& cache, NodeId node) { return counts(cache, node).slabs; }
size_t partial_slabs(const KmemCache& cache, NodeId node) {
  return counts(cache, node).partial_slabs;
}
size_t total_objects(const KmemCache& cache, NodeId node) {
  return counts(cache, node).total_objects;
}
size_t taken_objects(const KmemCache& cache, NodeId node) {
  const SlabCounts of_node = counts(cache, node);
  return of_node.total_objects - of_node.free_in_partial;
}
size_t taken_from_partial(const KmemCache& cache, NodeId node) {
  return cache.owner->engine().taken_from_partial(cache, node);
}
size_t no_slabs(const KmemCache&, NodeId) { return 0; }

// Objects, and behind them in brackets slabs, of all CPUs and of each that has any.
void show_cpu_arrays(const KmemCache& cache, TextSink& out) {
  const unsigned cpus = cache.owner->pages().cpu_count();
  uint32_t sum = 0;
  for (unsigned cpu = 0; cpu != cpus; ++cpu) sum += cache.cpu_arrays.count(CpuId(cpu));
  format(out, "%u(0)", sum);
  for (unsigned cpu = 0; cpu != cpus; ++cpu) {
    const uint32_t count = cache.cpu_arrays.count(CpuId(cpu));
    if (count != 0) format(out, " C%u=%u(0)", cpu, count);
  }
  format(out, "\n");
}

// As kstrtoul() to base 10: a plus in front and a newline behind the digits are allowed.
FileWrite read_number(Text text, size_t most, size_t& number) {
  if (!text.empty() && text.front() == '+') text = text.subspan(1);
  if (!text.empty() && text.back() == '\n') text = text.first(text.size() - 1);
  if (text.empty()) return FileWrite::kInvalid;
  number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return FileWrite::kInvalid;
    const auto digit = static_cast<size_t>(c - '0');
    if (number > (most - digit) / 10) return FileWrite::kOutOfRange;
    number = number * 10 + digit;
  }
  return FileWrite::kDone;
}

bool says_one(Text text) { return !text.empty() && text.front() == '1'; }

bool is_debugged(const KmemCache& cache) { return (cache.flags & QUARRY_SLAB_DEBUG_FLAGS) != 0; }

FileWrite store_min_partial(KmemCache& cache, Text text) {
  size_t slabs = 0;
  const FileWrite read = read_number(text, SIZE_MAX, slabs);
  if (read == FileWrite::kDone) cache.min_partial.store(slabs, std::memory_order_relaxed);
  return read;
}

FileWrite store_cpu_partial(KmemCache& cache, Text text) {
  size_t objects = 0;
  const FileWrite read = read_number(text, UINT32_MAX, objects);
  if (read != FileWrite::kDone) return read;
  if (objects != 0 && is_debugged(cache)) return FileWrite::kInvalid;
  const bool done = cache.owner->set_array_capacity(cache, static_cast<uint32_t>(objects));
  return done ? FileWrite::kDone : FileWrite::kNoMemory;
}

FileWrite store_remote_ratio(KmemCache& cache, Text text) {
  size_t percent = 0;
  const FileWrite read = read_number(text, UINT32_MAX, percent);
  if (read != FileWrite::kDone) return read;
  if (percent > 100) return FileWrite::kOutOfRange;
  cache.remote_defrag.store(static_cast<uint32_t>(percent) * 10, std::memory_order_relaxed);
  return FileWrite::kDone;
}

FileWrite store_shrink(KmemCache& cache, Text text) {
  if (!says_one(text)) return FileWrite::kInvalid;
  cache.owner->shrink(cache);
  return FileWrite::kDone;
}

FileWrite store_validate(KmemCache& cache, Text text) {
  if (!says_one(text) || !is_debugged(cache)) return FileWrite::kInvalid;
  cache.owner->check(cache);
  return FileWrite::kDone;
}

FileWrite store_failslab(KmemCache& cache, Text text) {
  if (cache.users > 1) return FileWrite::kInvalid;
  Kmem::choose_for_failslab(cache, says_one(text));
  return FileWrite::kDone;
}

constexpr SlabAttribute kAttributes[] = {
    {"slab_size", show_number<&KmemCache::size>, nullptr},
    {"object_size", show_number<&KmemCache::object_size>, nullptr},
    {"usersize", show_number<&KmemCache::user_bytes>, nullptr},
    {"objs_per_slab", show_number<&KmemCache::objects>, nullptr},
    {"align", show_number<&KmemCache::align>, nullptr},
    {"order", show_order, nullptr},
    {"aliases", show_aliases, nullptr},
    {"ctor", show_ctor, nullptr},
    {"min_partial", show_min_partial, store_min_partial},
    {"cpu_partial", show_cpu_partial, store_cpu_partial},
    {"remote_node_defrag_ratio", show_remote_ratio, store_remote_ratio},
    {"slabs", show_by_node<slabs>, nullptr},
    {"partial", show_by_node<partial_slabs>, nullptr},
    {"cpu_slabs", show_by_node<no_slabs>, nullptr},
    {"objects", show_by_node<taken_objects>, nullptr},
    {"objects_partial", show_by_node<taken_from_partial>, nullptr},
    {"total_objects", show_by_node<total_objects>, nullptr},
    {"slabs_cpu_partial", show_cpu_arrays, nullptr},
    {"hwcache_align", show_flag<QUARRY_SLAB_HWCACHE_ALIGN>, nullptr},
    {"reclaim_account", show_flag<QUARRY_SLAB_RECLAIM_ACCOUNT>, nullptr},
    {"cache_dma", show_flag<QUARRY_SLAB_CACHE_DMA>, nullptr},
    {"destroy_by_rcu", show_flag<QUARRY_SLAB_TYPESAFE_BY_RCU>, nullptr},
    {"sanity_checks", show_flag<QUARRY_SLAB_CONSISTENCY_CHECKS>, nullptr},
    {"trace", show_flag<QUARRY_SLAB_TRACE>, nullptr},
    {"red_zone", show_flag<QUARRY_SLAB_RED_ZONE>, nullptr},
    {"poison", show_flag<QUARRY_SLAB_POISON>, nullptr},
    {"store_user", show_flag<QUARRY_SLAB_STORE_USER>, nullptr},
    {"failslab", show_flag<QUARRY_SLAB_FAILSLAB>, store_failslab},
    {"shrink", show_nothing, store_shrink},
    {"validate", show_nothing, store_validate},
};

}  // namespace

const SlabAttribute* find_slab_attribute(const char* name) {
  for (const SlabAttribute& attribute : kAttributes) {
    if (same_text(attribute.name, name)) return &attribute;
  }
  return nullptr;
}

}  // namespace quarry
