// SPDX-License-Identifier: MIT
#include "memory_system_target.h"

#include <fmt/format.h>
#include <quarry/context.h>
#include <quarry/hosted_platform.h>

#include <cstring>
#include <utility>

#include "tool_error.h"

namespace quarry::tool {
namespace {

// What the kernel's text goes to.
class StringSink final : public TextSink {
 public:
  void write(const char* text, size_t length) override { text_.append(text, length); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// The section of the running thread that stands for what the CPU does; none for a task.
class CpuSection {
 public:
  ~CpuSection() { enter(Context::kTask); }

  // Returns what the CPU did before.
  Context enter(Context context) {
    const Context before = std::exchange(now_, context);
    if (before == context) return before;
    if (before != Context::kTask) leave(section_of(before));
    if (context != Context::kTask) quarry::enter(section_of(context));
    return before;
  }

 private:
  static Section section_of(Context context) {
    switch (context) {
      case Context::kSoftirq:
        return Section::kSoftirq;
      case Context::kHardirq:
        return Section::kHardirq;
      default:
        return Section::kNmi;
    }
  }

  Context now_ = Context::kTask;
};

// The traces name constructors, not what they do: one that leaves its mark, so that its cache is
// treated as one whose objects keep their state.
void mark_as_constructed(void* object) { std::memset(object, 0, sizeof(void*)); }

uint32_t cache_flags(const TraceCache& traits) {
  uint32_t flags = 0;
  if (traits.reclaimable) flags |= QUARRY_SLAB_RECLAIM_ACCOUNT;
  if (traits.typesafe_by_rcu) flags |= QUARRY_SLAB_TYPESAFE_BY_RCU;
  if (traits.hwcache_align) flags |= QUARRY_SLAB_HWCACHE_ALIGN;
  return flags;
}

class MemorySystemTarget final : public Target {
 public:
  explicit MemorySystemTarget(const MachineSpec& spec) {
    SlabEngineKind engine{};
    if (!find_slab_engine(spec.engine.c_str(), engine)) {
      throw ToolError(fmt::format("there is no engine '{}'", spec.engine));
    }
    const bool open = platform_.open({.ram_bytes = spec.ram_bytes,
                                      .nodes = spec.nodes,
                                      .cpus = spec.cpus,
                                      .simulated = true,
                                      .log = add_to_report,
                                      .log_context = this});
    if (!open) throw ToolError(fmt::format("{}: {}", describe(spec), platform_.error()));
    Config config;
    config.engine = engine;
    config.seed = spec.seed;
    if (!system_.boot(platform_, config)) {
      throw ToolError(fmt::format("{}: no such machine starts: {}", describe(spec), report_));
    }
    // Zones of the highest type are used first, from their start.
    if (spec.expected_bytes != 0) {
      for (const MemoryRange& range : platform_.memory_ranges()) {
        const PhysAddr above_dma32{std::max<uint64_t>(range.start.value(), uint64_t{4} << 30)};
        platform_.populate(spec.ram_bytes > above_dma32.value() ? above_dma32 : range.start,
                           spec.expected_bytes / spec.nodes);
      }
    }
  }

  ~MemorySystemTarget() override {
    section_.enter(Context::kTask);
    // What is live at a trace's end is no leak worth a report.
    muted_ = true;
    if (system_.booted()) system_.shutdown();
  }

  void run_on(CpuId cpu, Context context) override {
    platform_.set_current_cpu(cpu);
    section_.enter(context);
  }

  void* kmalloc(size_t bytes, Gfp flags, NodeId node) override {
    return system_.kmalloc_node(bytes, may_fail(flags), existing(node));
  }
  void kfree(void* object) override { system_.kfree(object); }

  // In task context whatever happens around it, because Linux makes no cache in an interrupt: on
  // the recorded machine the cache had been there for long.
  CacheId create_cache(const TraceCache& traits) override {
    const Context context = section_.enter(Context::kTask);
    KmemCache* const cache =
        system_.cache_create(traits.name.c_str(), traits.object_bytes,
                             {.align = traits.align_bytes,
                              .flags = cache_flags(traits),
                              .ctor = traits.has_ctor ? mark_as_constructed : nullptr});
    section_.enter(context);
    if (cache == nullptr) return kNoCache;
    const CacheId id = MemorySystem::cache_info(*cache).number;
    if (id >= caches_.size()) caches_.resize(id + size_t{1});
    caches_[id] = cache;
    return id;
  }
  void* cache_alloc(CacheId cache, Gfp flags, NodeId node) override {
    return system_.cache_alloc_node(caches_[cache], may_fail(flags), existing(node));
  }
  void cache_free(CacheId cache, void* object) override {
    system_.cache_free(caches_[cache], object);
  }

  Page* alloc_pages(Order order, Gfp flags, NodeId node) override {
    return system_.alloc_pages(may_fail(flags), order, existing(node));
  }
  void free_pages(Page* block, Order order) override { system_.free_pages(block, order); }
  void split_pages(Page* block, Order order) override { system_.split_page(block, order); }

  void* vmalloc(size_t bytes) override { return system_.vmalloc(bytes); }
  void vfree(void* area) override { system_.vfree(area); }
  void* reserve_area(size_t bytes, size_t align_bytes) override {
    return system_.reserve_area(bytes, align_bytes);
  }
  void release_area(void* area) override { system_.free_area(area); }

  Placement object_placement(const void* object) const override {
    const Page* const page = system_.virt_to_page(object);
    const auto offset = reinterpret_cast<uintptr_t>(object) % kPageBytes;
    return placement(*page, static_cast<uint32_t>(offset));
  }
  Placement block_placement(const Page* block) const override { return placement(*block, 0); }
  uint64_t area_offset(const void* area) const override {
    return VirtAddr(area) - platform_.vmalloc_start();
  }

  uint64_t slab_pages() const override { return system_.slab_page_count(); }

  std::vector<CacheState> caches() const override {
    std::vector<CacheState> states;
    system_.for_each_cache(
        [](void* context, const CacheInfo& info) {
          auto& list = *static_cast<std::vector<CacheState>*>(context);
          list.push_back({info.number, info.name, info});
          list.back().info.name = nullptr;
        },
        &states);
    return states;
  }

  std::string buddyinfo() const override {
    StringSink text;
    system_.buddyinfo(text);
    return text.take();
  }

  std::string validate() const override {
    StringSink text;
    return system_.validate(text) ? "ok" : text.take();
  }

  std::vector<FreeBlock> free_blocks() override {
    system_.drain_all();
    std::vector<FreeBlock> blocks;
    system_.for_each_free_block(
        [](void* context, const FreeBlock& block) {
          static_cast<std::vector<FreeBlock>*>(context)->push_back(block);
        },
        &blocks);
    return blocks;
  }

  std::string report() const override { return report_; }

 private:
  // Nobody else runs on this machine who could free memory, so that insisting would stop it for
  // good.
  static Gfp may_fail(Gfp flags) { return flags & ~gfp::kNoFail; }

  // A node that only the recorded machine had is no preference here.
  NodeId existing(NodeId node) const {
    return node.value() < static_cast<int>(system_.node_count()) ? node : kNoNode;
  }

  Placement placement(const Page& page, uint32_t offset) const {
    return {system_.page_to_pfn(&page).value(), offset,
            static_cast<uint16_t>(system_.page_node(&page).value()), page.cache};
  }

  static void add_to_report(void* context, const char* text, size_t length) {
    constexpr size_t kEnough = size_t{64} << 10;
    auto& target = *static_cast<MemorySystemTarget*>(context);
    if (!target.muted_ && target.report_.size() < kEnough) target.report_.append(text, length);
  }

  std::string report_;
  bool muted_ = false;
  HostedPlatform platform_;
  MemorySystem system_;
  CpuSection section_;
  std::vector<KmemCache*> caches_;  // by number; null where the trace has no such cache
};

}  // namespace

std::unique_ptr<Target> make_memory_system_target(const MachineSpec& spec) {
  return std::make_unique<MemorySystemTarget>(spec);
}

}  // namespace quarry::tool
