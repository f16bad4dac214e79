// SPDX-License-Identifier: MIT
#pragma once

#include "replay/target.h"

namespace quarry::replay {

// How a machine comes to run on one of its CPUs.
struct CpuSwitch {
  void (*go_to)(void* context, CpuId cpu);
  void* context;
};

// A booted MemorySystem as a target.
class SystemTarget final : public Target {
 public:
  // `system` must outlive this.
  SystemTarget(MemorySystem& system, const CpuSwitch& cpus) : system_(system), cpus_(cpus) {}

  void run_on(CpuId cpu, Context context) override;
  // Back to a task, as whoever plays was before the first turn.
  void rest() { enter(Context::kTask); }

  void* kmalloc(size_t bytes, const TraceGfp& gfp) override;
  void kfree(void* object, KmemCache* cache) override;
  KmemCache* create_cache(const TraceCache& traits) override;
  void* cache_alloc(KmemCache* cache, const TraceGfp& gfp) override;
  void cache_free(KmemCache* cache, void* object) override;
  Page* alloc_pages(Order order, const TraceGfp& gfp) override;
  void free_pages(Page* block, Order order) override;
  void split_pages(Page* block, Order order) override;
  void* vmalloc(size_t bytes) override;
  void vfree(void* area) override;
  void* reserve_area(size_t bytes, size_t align_bytes) override;
  void release_area(void* area) override;
  Placement object_placement(const void* object) const override;
  Placement block_placement(const Page* block) const override;
  uint64_t area_offset(const void* area) const override;
  uint64_t slab_pages() const override;
  void for_each_free_block(void (*visit)(void* context, const FreeBlock& block),
                           void* context) override;

 private:
  Context enter(Context context);
  NodeId existing(NodeId node) const;
  Placement placement(const Page& page, uint32_t offset) const;

  MemorySystem& system_;
  CpuSwitch cpus_;
  Context context_ = Context::kTask;  // the section that the running CPU is in
};

}  // namespace quarry::replay
