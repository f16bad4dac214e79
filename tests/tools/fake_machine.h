// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "replay_machine.h"

namespace quarry::tool {

// A machine that hands out numbers instead of memory, writes down what it was asked for, and fails
// the test when something is freed that is not live or in another way than it was allocated.
class FakeMachine final : public ReplayMachine, private replay::Target {
 public:
  // Owned by the test, so that it outlives the target.
  struct Record {
    std::vector<std::string> calls = {};  // in order, one word or more each
    bool keep_calls = true;
    uint64_t fail_after = UINT64_MAX;  // allocations that succeed before all others fail
    std::map<uint64_t, std::string> live = {};
    std::string validate = "ok";
    std::string report = {};
  };

  explicit FakeMachine(Record& record) : record_(record), pages_(1024) {
    record_.live.clear();
    caches_.push_back({"kmalloc-any", 8192, 0});
  }

  replay::Target& target() override { return *this; }

  void run_on(CpuId cpu, replay::Context context) override {
    note("on {}{}", cpu.value(), "tshn"[static_cast<int>(context)]);
  }

  void* kmalloc(size_t bytes, const replay::TraceGfp& gfp) override {
    note("kmalloc {} {:x} {}", bytes, static_cast<uint32_t>(gfp.flags), gfp.node.value());
    return allocate("object", bytes > 8192 ? replay::kNoCache : replay::CacheId{1});
  }
  void kfree(void* object, KmemCache*) override {
    note("kfree");
    release("object", object);
  }

  KmemCache* create_cache(const replay::TraceCache& traits) override {
    note("create {}", traits.name);
    caches_.push_back({traits.name, traits.slot_bytes, 0});
    return reinterpret_cast<KmemCache*>(caches_.size());
  }
  void* cache_alloc(KmemCache* cache, const replay::TraceGfp& gfp) override {
    note("cache_alloc {} {:x} {}", id_of(cache), static_cast<uint32_t>(gfp.flags),
         gfp.node.value());
    return allocate("object", id_of(cache));
  }
  void cache_free(KmemCache* cache, void* object) override {
    note("cache_free {}", id_of(cache));
    EXPECT_EQ(object_placement(object).cache, id_of(cache));
    release("object", object);
  }

  Page* alloc_pages(Order order, const replay::TraceGfp& gfp) override {
    note("alloc_pages {} {:x}", order.value(), static_cast<uint32_t>(gfp.flags));
    if (exhausted()) return nullptr;
    const uint64_t at = next_page_;
    next_page_ += uint64_t{1} << order.value();
    if (next_page_ > pages_.size()) next_page_ = 0;
    Page* const block = &pages_[at % pages_.size()];
    if (record_.keep_calls) live(block, fmt::format("block {}", order.value()));
    return block;
  }
  void free_pages(Page* block, Order order) override {
    note("free_pages {} {}", block - pages_.data(), order.value());
    if (record_.keep_calls) release(fmt::format("block {}", order.value()), block);
  }
  void split_pages(Page* block, Order order) override {
    note("split {}", order.value());
    release(fmt::format("block {}", order.value()), block);
    for (uint32_t i = 0; i < order.pages(); ++i) live(block + i, "block 0");
  }

  void* vmalloc(size_t bytes) override {
    note("vmalloc {}", bytes);
    return allocate("vmalloc", replay::kNoCache);
  }
  void vfree(void* area) override { release("vmalloc", area); }
  void* reserve_area(size_t bytes, size_t align_bytes) override {
    note("reserve {} {}", bytes, align_bytes);
    return allocate("range", replay::kNoCache);
  }
  void release_area(void* area) override { release("range", area); }

  replay::Placement object_placement(const void* object) const override {
    const auto number = reinterpret_cast<uint64_t>(object);
    return {number >> 12, static_cast<uint32_t>(number & 0xff0), 0,
            static_cast<replay::CacheId>(number >> 48)};
  }
  replay::Placement block_placement(const Page* block) const override {
    return {static_cast<uint64_t>(block - pages_.data()), 0, 0, replay::kNoCache};
  }
  uint64_t area_offset(const void* area) const override {
    return reinterpret_cast<uint64_t>(area) & 0xffff'ffff;
  }

  // A slab is a page, and every page is full but perhaps one of each cache.
  uint64_t slab_pages() const override {
    uint64_t pages = 0;
    for (const Cache& cache : caches_) pages += pages_of(cache);
    return pages;
  }
  std::vector<CacheState> caches() const override {
    std::vector<CacheState> states;
    for (size_t i = 0; i < caches_.size(); ++i) {
      CacheInfo info{};
      info.size = static_cast<uint32_t>(caches_[i].slot_bytes);
      info.array_capacity = 60;
      info.slab_pages = pages_of(caches_[i]);
      info.array_hits = 90;
      info.array_refills = 6;
      info.array_flushes = 4;
      states.push_back({static_cast<replay::CacheId>(i + 1), caches_[i].name, info});
    }
    return states;
  }
  std::map<std::string, std::string> proc_texts() const override {
    return {{"buddyinfo",
             "Node 0, zone      DMA      1      1      1\n"
             "Node 0, zone   Normal      5      0      2\n"},
            {"slabinfo", "slabinfo - version: 2.1\n"}};
  }
  std::string validate() const override { return record_.validate; }
  std::string report() const override { return record_.report; }
  void for_each_free_block(void (*visit)(void* context, const FreeBlock& block),
                           void* context) override {
    visit(context, {NodeId{0}, 2, 1, Order{3}, Pfn{static_cast<uint32_t>(next_page_)}});
  }

 private:
  struct Cache {
    std::string name;
    uint64_t slot_bytes;
    uint64_t live;
  };

  static replay::CacheId id_of(const KmemCache* cache) {
    return static_cast<replay::CacheId>(reinterpret_cast<uintptr_t>(cache));
  }
  static uint64_t pages_of(const Cache& cache) {
    return (cache.live * cache.slot_bytes + 4095) / 4096;
  }

  template <typename... Args>
  void note(fmt::format_string<Args...> pattern, Args&&... args) {
    if (record_.keep_calls)
      record_.calls.push_back(fmt::format(pattern, std::forward<Args>(args)...));
  }

  bool exhausted() {
    if (record_.fail_after == 0) return true;
    --record_.fail_after;
    return false;
  }

  void* allocate(const char* kind, replay::CacheId cache) {
    if (exhausted()) return nullptr;
    if (cache != replay::kNoCache) ++caches_[cache - 1U].live;
    const uint64_t number = uint64_t{cache} << 48 | ++objects_ << 4;
    live(reinterpret_cast<void*>(number), kind);
    return reinterpret_cast<void*>(number);
  }

  void live(const void* what, const std::string& kind) {
    EXPECT_TRUE(record_.live.emplace(reinterpret_cast<uint64_t>(what), kind).second);
  }

  void release(const std::string& kind, const void* what) {
    const auto found = record_.live.find(reinterpret_cast<uint64_t>(what));
    ASSERT_TRUE(found != record_.live.end()) << kind;
    EXPECT_EQ(found->second, kind);
    record_.live.erase(found);
    const replay::CacheId cache = object_placement(what).cache;
    if (kind == "object" && cache != replay::kNoCache) --caches_[cache - 1U].live;
  }

  Record& record_;
  std::vector<Page> pages_;
  uint64_t next_page_ = 1;
  uint64_t objects_ = 0;
  std::deque<Cache> caches_;
};

}  // namespace quarry::tool
