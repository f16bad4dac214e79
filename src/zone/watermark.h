// SPDX-License-Identifier: MIT
#pragma once

// How much of a zone each kind of request may use: sizes, and the check. Pure arithmetic. Formulas
// and factors: Linux 6.1, Documentation/admin-guide/sysctl/vm.rst and mm/page_alloc as documented.
// Numbers are pages unless they say otherwise.

#include <cstdint>
#include <span>

#include "gfp/zone_table.h"
#include "quarry/units.h"
#include "zone/buddy.h"

namespace quarry {

enum class Mark : uint8_t { kMin, kLow, kHigh, kPromo };
inline constexpr unsigned kMarks = 4;

// What a request may do, beyond its GFP bits (Linux: ALLOC_*).
struct AllocFlags {
  Mark mark = Mark::kLow;
  bool no_watermarks = false;
  bool non_block = false;    // cannot sleep
  bool min_reserve = false;  // __GFP_HIGH: half of min
  bool high_atomic = false;  // may use pageblocks kept for atomic requests of higher order
  bool oom = false;          // for a victim of the OOM killer
  bool no_fragment = false;  // take no part of another type's pageblock
  bool kswapd = false;       // may wake background reclaim

  constexpr bool uses_reserves() const { return non_block || min_reserve || high_atomic || oom; }
};

struct Watermarks {
  long mark[kMarks] = {};
  // Kept from requests that could have used a higher zone: by the highest that they could.
  long lowmem_reserve[kZoneTypes] = {};
  // Written under the zone's lock, read by checks without it.
  std::atomic<long> boost{0};       // added to every mark until background reclaim has caught up
  std::atomic<long> highatomic{0};  // pages of HIGHATOMIC pageblocks

  long at(Mark m) const {
    return mark[static_cast<unsigned>(m)] + boost.load(std::memory_order_relaxed);
  }
};

// kB that all zones together keep free, for so many kB of lowmem (vm.min_free_kbytes).
uint32_t min_free_kbytes(uint64_t lowmem_kbytes);

// min, low, high, promo of a zone. `lowmem`: managed pages of all lowmem zones.
void set_watermarks(Watermarks& w, uint64_t managed, uint64_t lowmem, uint32_t min_free_kb,
                    bool is_highmem);

// lowmem_reserve of zone `type` of a node with these managed pages by zone type.
void set_lowmem_reserve(Watermarks& w, ZoneType type,
                        std::span<const uint64_t, kZoneTypes> managed);

// min, lowered for requests that may reach into it.
constexpr long lowered_mark(long mark, const AllocFlags& flags) {
  if (flags.min_reserve) {
    mark -= mark / 2;
    if (flags.non_block) mark -= mark / 4;
  }
  if (flags.oom) mark -= mark / 2;
  return mark;
}

// Whether a zone with these counters may serve a request of this order.
bool watermark_ok(const BuddyCounters& counters, const Watermarks& w, Order order, long mark,
                  ZoneType highest, const AllocFlags& flags);
// The same at flags.mark, with the boost left aside for order-0 requests that may use the reserve.
bool zone_watermark_ok(const BuddyCounters& counters, const Watermarks& w, Order order,
                       ZoneType highest, const AllocFlags& flags);

// Pages moved at once between a zone and a per-CPU stack, and how many the stacks of one CPU hold.
uint32_t pcp_batch(uint64_t managed);
uint32_t pcp_high(long low_mark, unsigned node_cpus, uint32_t batch);

}  // namespace quarry
