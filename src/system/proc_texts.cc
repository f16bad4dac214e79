// SPDX-License-Identifier: MIT

// The texts of /proc, by call and by name.

#include "base/same_text.h"
#include "proc/meminfo.h"
#include "proc/proc.h"
#include "proc/vmallocinfo.h"
#include "system/core.h"

namespace quarry {
namespace {

using Text = void (MemorySystem::*)(TextSink& out) const;

// C wants a null behind them.
constexpr const char* kNames[] = {"buddyinfo",   "meminfo",  "pagetypeinfo", "slabinfo",
                                  "vmallocinfo", "zoneinfo", nullptr};
constexpr Text kTexts[std::size(kNames) - 1] = {
    &MemorySystem::buddyinfo, &MemorySystem::meminfo,     &MemorySystem::pagetypeinfo,
    &MemorySystem::slabinfo,  &MemorySystem::vmallocinfo, &MemorySystem::zoneinfo};

}  // namespace

void MemorySystem::buddyinfo(TextSink& out) const { write_buddyinfo(out, Core::of(*this).pages); }

void MemorySystem::meminfo(TextSink& out) const {
  write_meminfo(out, Core::of(*this).kmem, Core::of(*this).vmalloc);
}

void MemorySystem::pagetypeinfo(TextSink& out) const {
  write_pagetypeinfo(out, Core::of(*this).pages);
}

void MemorySystem::slabinfo(TextSink& out) const {
  quarry::write_slabinfo(out, Core::of(*this).kmem);
}

SlabinfoWrite MemorySystem::write_slabinfo(std::span<const char> line) {
  return write_to_slabinfo(Core::of(*this).kmem, line);
}

void MemorySystem::vmallocinfo(TextSink& out) const {
  write_vmallocinfo(out, Core::of(*this).vmalloc);
}

void MemorySystem::zoneinfo(TextSink& out) const { write_zoneinfo(out, Core::of(*this).kmem); }

bool MemorySystem::proc_text(const char* name, TextSink& out) const {
  size_t index = 0;
  while (index != std::size(kTexts) && !same_text(name, kNames[index])) ++index;
  if (index == std::size(kTexts)) return false;
  const Text text = kTexts[index];
  (this->*text)(out);
  return true;
}

std::span<const char* const> MemorySystem::proc_names() { return {kNames, std::size(kTexts)}; }

}  // namespace quarry
