// SPDX-License-Identifier: MIT
#pragma once

#include "harness.h"
#include "zone/buddy.h"

namespace harness {

// Descriptors and pageblocks for `kFrames` frames from 0 on, all of one zone, and a buddy system
// over them that has no free pages yet. Pageblocks are Movable, as at boot.
template <uint32_t kFrames>
struct BuddyFrames {
  static constexpr uint8_t kZoneId = 3;
  static constexpr uint32_t kSections = (kFrames >> quarry::kSectionOrder) + 1;

  quarry::Page page[kFrames] = {};
  quarry::MemorySection section[kSections];
  quarry::MemorySection* sections[kSections];
  quarry::PageMap map;
  quarry::BuddyCounters counters;
  quarry::Buddy buddy;

  explicit BuddyFrames(uint32_t start = 0, uint32_t end = kFrames) {
    for (uint32_t i = 0; i != kSections; ++i) {
      sections[i] = &section[i];
      for (quarry::Pageblock& block : section[i].block) {
        block.zone_id = quarry::kNoZone;
        block.migratetype = static_cast<uint8_t>(quarry::MigrateType::kMovable);
      }
    }
    map.boot(page, sections, quarry::Pfn(kFrames), quarry::VirtAddr(uintptr_t{0}),
             quarry::Pfn(kFrames));
    for (uint32_t at = start; at < end; at += quarry::kPageblockPages) {
      map.pageblock(quarry::Pfn(at)).zone_id = kZoneId;
    }
    buddy.init(map, counters, kZoneId, quarry::Pfn(start), quarry::Pfn(end));
  }

  bool sound() {
    quarry::FixedText<512> problem;
    if (buddy.validate(&problem)) return true;
    fail(__FILE__, __LINE__, problem.c_str());
    return false;
  }
  uint32_t blocks(unsigned order, quarry::MigrateType type) const {
    return buddy.list(quarry::Order(order), type).count;
  }
};

}  // namespace harness
