// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "layout_hash.h"
#include "run_result.h"
#include "target.h"
#include "trace_reader.h"

namespace quarry::tool {

// Runs a trace on a machine, event by event and in constant memory.
//
// Follows which slots of the trace are live and what lies in them. Objects, page blocks of page
// users, and areas are allocated and freed on the target as they were on Linux, each on its
// recorded CPU and in its context. The page blocks of Linux's own allocators only enter Linux's
// footprint; per-CPU memory is only counted. An allocation that the target refuses leaves its slot
// live and empty.
class Replay {
 public:
  // Called now and then with the number of events done.
  using Progress = std::function<void(uint64_t events)>;

  // Both must outlive this. The target has at least as many CPUs as the trace.
  Replay(TraceReader& reader, Target& target);

  // Replays all events. Returns what can be told from them and from the target; what belongs to the
  // command line is left to the caller. Throws ToolError at the first event that cannot be right.
  RunResult run(const Progress& progress);

 private:
  struct ObjectSlot {
    void* object = nullptr;
    uint32_t requested_bytes = 0;
    uint32_t granted_bytes = 0;  // 0: the slot is not live
    CacheId cache = kNoCache;    // where it lies on the target
    bool from_kmalloc = false;
  };
  struct BlockSlot {
    Page* block = nullptr;
    SiteClass site = SiteClass::kPageUnknown;
    Order order;
    bool live = false;
    bool single_pages = false;  // it is half of something that was split
  };
  struct AreaSlot {
    void* area = nullptr;
    uint64_t bytes = 0;  // 0: the slot is not live
    bool has_memory = false;
  };

  void apply(const TraceEvent& event);
  void allocate_object(const TraceEvent& event);
  void free_object(const TraceEvent& event);
  void allocate_block(const TraceEvent& event);
  void free_block(const TraceEvent& event);
  void split_block(const TraceEvent& event);
  void allocate_area(const TraceEvent& event);
  void free_area(const TraceEvent& event);
  void allocate_percpu(const TraceEvent& event);
  void free_percpu(const TraceEvent& event);
  void count_unknown_free(const TraceEvent& event);

  void* allocate_on_target(const TraceEvent& event, const ObjectSlot& slot);
  void note_placement(const TraceEvent& event, const Placement& placement);
  void enter_cache(ObjectSlot& slot, CacheId cache);
  void leave_cache(const ObjectSlot& slot);
  KindCounts& kind_of(const ObjectSlot& slot);
  KindCounts& kind_of(const BlockSlot& slot);
  CacheId target_cache(uint32_t trace_cache);
  void follow_slab_pages();
  std::vector<CacheUse> use_by_cache(const std::vector<CacheState>& caches) const;
  void require_dead(bool live, const char* kind, uint32_t slot) const;
  void require_live_end() const;
  void finish();

  TraceReader& reader_;
  Target& target_;
  std::vector<ObjectSlot> objects_;
  std::vector<BlockSlot> blocks_;
  std::vector<AreaSlot> areas_;
  std::vector<uint64_t> percpu_bytes_;  // by slot; 0: not live
  std::vector<CacheId> target_caches_;  // by the trace's cache; kNoCache: not used yet
  std::vector<CacheUse> use_;           // by target cache; its slab_pages are not kept
  uint64_t next_use_snapshot_pages_ = 1;
  uint32_t where_ = UINT32_MAX;  // CPU and context that the target was told last
  LayoutHash layout_;
  RunResult result_;
};

}  // namespace quarry::tool
