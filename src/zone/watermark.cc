// SPDX-License-Identifier: MIT
#include "zone/watermark.h"

namespace quarry {

namespace {

constexpr uint32_t kScaleFactor = 10;  // vm.watermark_scale_factor, in 1/10000 of a zone
// vm.lowmem_reserve_ratio by zone type; 0: nothing is kept.
constexpr uint32_t kReserveRatio[kZoneTypes] = {256, 256, 32, 0, 0};

constexpr uint64_t clamp(uint64_t value, uint64_t least, uint64_t most) {
  return value < least ? least : value > most ? most : value;
}

}  // namespace

uint32_t min_free_kbytes(uint64_t lowmem_kbytes) {
  return static_cast<uint32_t>(clamp(isqrt(lowmem_kbytes * 16), 128, 262144));
}

void set_watermarks(Watermarks& w, uint64_t managed, uint64_t lowmem, uint32_t min_free_kb,
                    bool is_highmem) {
  constexpr uint32_t kKbPerPage = kPageBytes / kKiB;
  const auto lowmem_pages = static_cast<uint32_t>(lowmem);
  const uint64_t share =
      lowmem_pages == 0 ? 0 : muldiv(managed, min_free_kb / kKbPerPage, lowmem_pages);
  const uint64_t scaled = muldiv(managed, kScaleFactor, 10000);
  const auto distance = static_cast<long>(share / 4 > scaled ? share / 4 : scaled);
  // Highmem serves nothing that cannot wait, so a little is enough there.
  const auto least = static_cast<long>(is_highmem ? clamp(managed / 1024, 32, 128) : share);
  for (unsigned i = 0; i != kMarks; ++i) w.mark[i] = least + static_cast<long>(i) * distance;
}

void set_lowmem_reserve(Watermarks& w, ZoneType type,
                        std::span<const uint64_t, kZoneTypes> managed) {
  const auto own = static_cast<unsigned>(type);
  uint64_t above = 0;
  for (unsigned highest = 0; highest != kZoneTypes; ++highest) {
    w.lowmem_reserve[highest] = 0;
    if (highest <= own) continue;
    above += managed[highest];
    if (kReserveRatio[own] != 0 && managed[own] != 0) {
      w.lowmem_reserve[highest] = static_cast<long>(div_u64(above, kReserveRatio[own]));
    }
  }
}

bool watermark_ok(const BuddyCounters& counters, const Watermarks& w, Order order, long mark,
                  ZoneType highest, const AllocFlags& flags) {
  long free = counters.free_pages.load(std::memory_order_relaxed);
  free -= static_cast<long>(order.pages() - 1);
  if (!flags.uses_reserves()) free -= w.highatomic.load(std::memory_order_relaxed);
  mark = lowered_mark(mark, flags);
  if (free <= mark + w.lowmem_reserve[static_cast<unsigned>(highest)]) return false;
  if (order == Order(0)) return true;
  uint32_t orders = counters.nonempty.load(std::memory_order_relaxed);
  if (flags.high_atomic || flags.oom) {
    orders |= counters.nonempty_highatomic.load(std::memory_order_relaxed);
  }
  return orders >> order.value() != 0;
}

bool zone_watermark_ok(const BuddyCounters& counters, const Watermarks& w, Order order,
                       ZoneType highest, const AllocFlags& flags) {
  if (watermark_ok(counters, w, order, w.at(flags.mark), highest, flags)) return true;
  // A boost is there to make reclaim work earlier, not to take the reserve away.
  if (order != Order(0) || !flags.min_reserve || flags.mark != Mark::kMin) return false;
  return watermark_ok(counters, w, order, w.mark[0], highest, flags);
}

uint32_t pcp_batch(uint64_t managed) {
  constexpr uint64_t kMostBytes = kMiB;
  const uint64_t share = clamp(managed >> 10, 0, kMostBytes / kPageBytes) / 4;
  const auto batch = static_cast<uint32_t>(share < 1 ? 1 : share);
  const uint32_t rounded = round_down_pow2(batch + batch / 2) - 1;
  return rounded < 1 ? 1 : rounded;
}

uint32_t pcp_high(long low_mark, unsigned node_cpus, uint32_t batch) {
  const auto high = static_cast<uint32_t>(low_mark) / (node_cpus == 0 ? 1 : node_cpus);
  return high < 4 * batch ? 4 * batch : high;
}

}  // namespace quarry
