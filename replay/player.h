// SPDX-License-Identifier: MIT
#pragma once

#include <quarry/text_sink.h>

#include "replay/counts.h"
#include "replay/event_code.h"
#include "replay/event_source.h"
#include "replay/layout_hash.h"
#include "replay/target.h"

namespace quarry::replay {

// Is told what becomes of a replay's objects.
class Observer {
 public:
  // An object lies in a cache of the target, or has left it.
  virtual void object_allocated(CacheId cache, uint32_t requested_bytes) = 0;
  virtual void object_freed(CacheId cache, uint32_t requested_bytes) = 0;
  // The target's slabs hold more pages than ever before.
  virtual void slabs_grew(uint64_t pages) = 0;

 protected:
  ~Observer() = default;
};

// Plays a trace on a target, in turns: a turn is what one CPU does until another one's event comes.
// The same code plays in a process, whose one thread stands for all CPUs, and in a kernel, where
// each CPU plays its own turns: between two turns nothing of a player is in any CPU.
//
// Follows which slots of the trace are live and what lies in them. Objects, page blocks of page
// users, and areas are allocated and freed on the target as they were on Linux, each on its
// recorded CPU and in its context. The page blocks of Linux's own allocators only enter Linux's
// footprint; per-CPU memory is only counted. An allocation that the target refuses leaves its slot
// live and empty.
class Player {
 public:
  // Memory for the tables of a trace with these slots, in bytes.
  static uint64_t table_bytes(const TraceTables& trace);

  // All must outlive this. `tables` is table_bytes() of zeros at a multiple of 16. The target has
  // at least as many CPUs as the trace. `observer` may be null.
  Player(const TraceTables& trace, EventSource& source, Target& target, Observer* observer,
         void* tables);

  // Whether there is a next event. False at the end, and after an event that cannot be right.
  bool more() const { return more_; }
  // Requires more().
  CpuId cpu() const { return CpuId{event_.cpu}; }
  // Plays events of cpu() until the next one is another's, but not more than `most`.
  void play_turn(uint64_t most);
  // After the last turn: counts in the free memory that is left. False: the trace is not what it
  // says, error() tells.
  bool finish();

  bool failed() const { return failed_; }
  // What is wrong with event number counts().events, from 0.
  const char* error() const { return error_.c_str(); }

  const Counts& counts() const { return counts_; }
  uint64_t layout_hash() const { return layout_.value(); }

 private:
  struct ObjectSlot {
    void* object;
    uint32_t requested_bytes;
    uint32_t granted_bytes;  // 0: the slot is not live
    uint16_t trace_cache;    // kFromKmalloc: of kmalloc
    CacheId cache;           // where it lies on the target
  };
  struct BlockSlot {
    Page* block;
    SiteClass site;
    uint8_t order;
    bool live;
    bool single_pages;  // it is half of something that was split
  };
  struct AreaSlot {
    void* area;
    uint64_t bytes;  // 0: the slot is not live
    bool has_memory;
  };
  static constexpr uint16_t kFromKmalloc = 0xffff;

  void fetch();
  void apply();
  void allocate_object();
  void free_object();
  void allocate_block();
  void free_block();
  void split_block();
  void allocate_area();
  void free_area();
  void allocate_percpu();
  void free_percpu();
  void count_unknown_free();

  void* allocate_on_target(const ObjectSlot& slot);
  void note_placement(const Placement& placement);
  void follow_slab_pages();
  KindCounts& kind_of(const ObjectSlot& slot) {
    return slot.trace_cache == kFromKmalloc ? counts_.kmalloc : counts_.cache_objects;
  }
  KindCounts& kind_of(const BlockSlot& slot) {
    return is_backing_site(slot.site) ? counts_.backing : counts_.blocks;
  }
  bool is_dead(bool live, const char* kind, uint32_t slot);
  bool live_end_is_right();
  template <typename... Args>
  void fail(std::type_identity_t<Pattern<Args...>> pattern, Args... args) {
    format(error_, pattern, args...);
    failed_ = true;
    more_ = false;
  }

  const TraceTables& trace_;
  EventSource& source_;
  Target& target_;
  Observer* observer_;
  ObjectSlot* objects_;
  BlockSlot* blocks_;
  AreaSlot* areas_;
  uint64_t* percpu_bytes_;  // by slot; 0: not live
  KmemCache** caches_;      // by the trace's cache; null: not made yet

  EventFields fields_;
  EventDecoder decoder_;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  Event event_{};  // the next one
  bool more_ = true;
  bool failed_ = false;
  LayoutHash layout_;
  Counts counts_;
  FixedText<160> error_;
};

}  // namespace quarry::replay
