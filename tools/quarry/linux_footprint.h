// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "level.h"
#include "trace_header.h"

namespace quarry::tool {

// The pages that Linux itself held while the trace was recorded, by what they were for: the sum
// over the live page blocks of a class, followed event by event.
//
// Of slabs this is a net figure. Linux's caches had free slots left when the recording began, and
// what went into those took no page of the trace.
class LinuxFootprint {
 public:
  void add(SiteClass site, uint64_t pages) { pages_[index(site)].add(pages); }
  void remove(SiteClass site, uint64_t pages) { pages_[index(site)].remove(pages); }

  const Level& pages(SiteClass site) const { return pages_[index(site)]; }

 private:
  static constexpr auto kFirst = static_cast<size_t>(SiteClass::kPageUser);
  static constexpr auto kClasses = static_cast<size_t>(SiteClass::kPagePercpu) - kFirst + 1;

  static constexpr size_t index(SiteClass site) { return static_cast<size_t>(site) - kFirst; }

  std::array<Level, kClasses> pages_;
};

// Bytes of the free slots that Linux's caches had when the recording began, from
// NAME.truth/truth.json beside the trace NAME.kmt[.zst]. Nothing when there is no such file or it
// does not say, or the trace comes from standard input; throws ToolError when the file is not JSON.
std::optional<uint64_t> linux_free_slot_bytes_at_start(const std::string& trace_path);

// The name of a trace without its folder and its endings, for tables.
std::string trace_name(const std::string& trace_path);

}  // namespace quarry::tool
