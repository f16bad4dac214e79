// SPDX-License-Identifier: MIT
#pragma once

// The sizes that kmalloc serves from caches: powers of two from 8 to 8192, and 96 and 192.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bits.h"
#include "gfp/zone_table.h"

namespace quarry {

inline constexpr std::array<uint16_t, 13> kClassBytes = {8,   16,  32,   64,   96,   128, 192,
                                                         256, 512, 1024, 2048, 4096, 8192};
inline constexpr unsigned kClasses = kClassBytes.size();
inline constexpr size_t kMaxClassBytes = kClassBytes.back();
// The largest request of all: one block of the highest order.
inline constexpr size_t kMaxKmallocBytes = kPageBytes << 10;

// One set of caches for each kind of memory; DMA is stronger than RECLAIMABLE, and that than
// ACCOUNT (Linux 6.1).
enum class KmallocType : uint8_t { kNormal, kReclaimable, kDma, kAccounted };
inline constexpr unsigned kKmallocTypes = 4;
inline constexpr const char* kKmallocPrefix[kKmallocTypes] = {"kmalloc-", "kmalloc-rcl-",
                                                              "dma-kmalloc-", "kmalloc-cg-"};
inline constexpr Gfp kTypeBits = gfp::kDmaBit | gfp::kReclaimable | gfp::kAccount;

constexpr KmallocType kmalloc_type(Gfp gfp) {
  if (any(gfp, gfp::kDmaBit)) return KmallocType::kDma;
  if (any(gfp, gfp::kReclaimable)) return KmallocType::kReclaimable;
  return any(gfp, gfp::kAccount) ? KmallocType::kAccounted : KmallocType::kNormal;
}

namespace detail {
// Class of a request of (i * 8 + 1) ... (i * 8 + 8) bytes, up to 192.
constexpr auto small_class_table() {
  std::array<uint8_t, 24> table{};
  for (unsigned i = 0; i != table.size(); ++i) {
    unsigned c = 0;
    while (kClassBytes[c] < (i + 1) * 8) ++c;
    table[i] = static_cast<uint8_t>(c);
  }
  return table;
}
inline constexpr auto kSmallClass = small_class_table();
}  // namespace detail

// Index into kClassBytes of the smallest class that holds `bytes`; 1 <= bytes <= kMaxClassBytes.
constexpr unsigned size_class(size_t bytes) {
  const auto last = static_cast<uint32_t>(bytes - 1);
  if (last < 192) return detail::kSmallClass[last / 8];
  return ilog2(last);  // 193..256 -> 7, 257..512 -> 8, ...
}

namespace detail {
constexpr bool classes_are_minimal() {
  for (size_t bytes = 1; bytes <= kMaxClassBytes; ++bytes) {
    const unsigned c = size_class(bytes);
    if (kClassBytes[c] < bytes || (c != 0 && kClassBytes[c - 1] >= bytes)) return false;
  }
  return true;
}
}  // namespace detail
static_assert(detail::classes_are_minimal());

// Number of the cache of a type and class; 0 is nobody's.
constexpr unsigned kmalloc_cache_number(KmallocType type, unsigned size_class) {
  return 1 + static_cast<unsigned>(type) * kClasses + size_class;
}
inline constexpr unsigned kFirstFreeCacheNumber = 1 + kKmallocTypes * kClasses;

}  // namespace quarry
