// SPDX-License-Identifier: MIT

// The texts of /proc, by call and by name, and those of /sys/kernel/slab.

#include "base/same_text.h"
#include "proc/meminfo.h"
#include "proc/proc.h"
#include "proc/slab_attributes.h"
#include "proc/vmallocinfo.h"
#include "system/core.h"

namespace quarry {
namespace {

using Text = void (MemorySystem::*)(TextSink& out) const;

// C wants a null behind them.
constexpr const char* kNames[] = {"buddyinfo",   "meminfo",  "pagetypeinfo", "slabinfo",
                                  "vmallocinfo", "zoneinfo", nullptr};
constexpr size_t kTextCount = std::size(kNames) - 1;
constexpr Text kTexts[kTextCount] = {&MemorySystem::buddyinfo,    &MemorySystem::meminfo,
                                     &MemorySystem::pagetypeinfo, &MemorySystem::slabinfo,
                                     &MemorySystem::vmallocinfo,  &MemorySystem::zoneinfo};

// kTextCount: there is none of that name.
size_t find_text(const char* name) {
  size_t index = 0;
  while (index != kTextCount && !same_text(name, kNames[index])) ++index;
  return index;
}

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

FileWrite MemorySystem::write_slabinfo(std::span<const char> line) {
  return write_to_slabinfo(Core::of(*this).kmem, line);
}

void MemorySystem::vmallocinfo(TextSink& out) const {
  write_vmallocinfo(out, Core::of(*this).vmalloc);
}

void MemorySystem::zoneinfo(TextSink& out) const { write_zoneinfo(out, Core::of(*this).kmem); }

bool MemorySystem::proc_text(const char* name, TextSink& out) const {
  const size_t index = find_text(name);
  if (index == kTextCount) return false;
  const Text text = kTexts[index];
  (this->*text)(out);
  return true;
}

FileWrite MemorySystem::write_proc_text(const char* name, std::span<const char> text) {
  if (same_text(name, "slabinfo")) return write_slabinfo(text);
  return find_text(name) == kTextCount ? FileWrite::kNoFile : FileWrite::kReadOnly;
}

std::span<const char* const> MemorySystem::proc_names() { return {kNames, kTextCount}; }

bool MemorySystem::cache_attribute(const KmemCache* cache, const char* name, TextSink& out) const {
  const SlabAttribute* const attribute = find_slab_attribute(name);
  if (slab_engine() != SlabEngineKind::kSlub || attribute == nullptr) return false;
  attribute->show(*cache, out);
  return true;
}

FileWrite MemorySystem::write_cache_attribute(KmemCache* cache, const char* name,
                                              std::span<const char> text) {
  const SlabAttribute* const attribute = find_slab_attribute(name);
  if (slab_engine() != SlabEngineKind::kSlub || attribute == nullptr) return FileWrite::kNoFile;
  return attribute->store == nullptr ? FileWrite::kReadOnly : attribute->store(*cache, text);
}

}  // namespace quarry
