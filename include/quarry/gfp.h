// SPDX-License-Identifier: MIT
#pragma once

// GFP ("get free pages") flags: what an allocation may do and where its memory may lie.
// Values: Linux 6.1. Combine with | and test with any().

#include <cstdint>

#include "quarry/abi/gfp.h"

namespace quarry {

enum class Gfp : uint32_t {};

constexpr Gfp operator|(Gfp a, Gfp b) { return Gfp(uint32_t(a) | uint32_t(b)); }
constexpr Gfp operator&(Gfp a, Gfp b) { return Gfp(uint32_t(a) & uint32_t(b)); }
constexpr Gfp operator^(Gfp a, Gfp b) { return Gfp(uint32_t(a) ^ uint32_t(b)); }
constexpr Gfp operator~(Gfp a) { return Gfp(~uint32_t(a)); }
constexpr Gfp& operator|=(Gfp& a, Gfp b) { return a = a | b; }
constexpr Gfp& operator&=(Gfp& a, Gfp b) { return a = a & b; }
// True if `flags` has at least one of the bits of `mask`.
constexpr bool any(Gfp flags, Gfp mask) { return (uint32_t(flags) & uint32_t(mask)) != 0; }

namespace gfp {

// Zone modifiers: at most one of DMA, HIGHMEM, DMA32; MOVABLE beside HIGHMEM means ZONE_MOVABLE.
inline constexpr Gfp kDmaBit{QUARRY_GFP_DMA};
inline constexpr Gfp kHighmemBit{QUARRY_GFP_HIGHMEM};
inline constexpr Gfp kDma32Bit{QUARRY_GFP_DMA32};
inline constexpr Gfp kMovable{QUARRY_GFP_MOVABLE};
inline constexpr Gfp kReclaimable{QUARRY_GFP_RECLAIMABLE};
inline constexpr Gfp kHigh{QUARRY_GFP_HIGH};         // may use half of the min reserve
inline constexpr Gfp kIo{QUARRY_GFP_IO};             // reclaim may start I/O
inline constexpr Gfp kFs{QUARRY_GFP_FS};             // reclaim may call filesystems
inline constexpr Gfp kZero{QUARRY_GFP_ZERO};         // zeroed memory
inline constexpr Gfp kAtomicBit{QUARRY_GFP_ATOMIC};  // cannot wait and has high priority
inline constexpr Gfp kDirectReclaim{QUARRY_GFP_DIRECT_RECLAIM};  // the caller may sleep
inline constexpr Gfp kKswapdReclaim{QUARRY_GFP_KSWAPD_RECLAIM};  // wake background reclaim
inline constexpr Gfp kWrite{QUARRY_GFP_WRITE};                   // the page will soon be dirtied
inline constexpr Gfp kNoWarn{QUARRY_GFP_NOWARN};                 // no failure report
inline constexpr Gfp kRetryMayfail{QUARRY_GFP_RETRY_MAYFAIL};  // try hard, may fail, no OOM killer
inline constexpr Gfp kNoFail{QUARRY_GFP_NOFAIL};               // try for ever; needs kDirectReclaim
inline constexpr Gfp kNoRetry{QUARRY_GFP_NORETRY};             // one light attempt at reclaim
inline constexpr Gfp kMemalloc{QUARRY_GFP_MEMALLOC};           // ignore watermarks
inline constexpr Gfp kComp{QUARRY_GFP_COMP};                   // compound page
inline constexpr Gfp kNoMemalloc{QUARRY_GFP_NOMEMALLOC};       // never use the reserves
inline constexpr Gfp kHardwall{QUARRY_GFP_HARDWALL};
inline constexpr Gfp kThisNode{QUARRY_GFP_THISNODE};  // no fallback to other nodes
inline constexpr Gfp kAccount{QUARRY_GFP_ACCOUNT};    // charged to a memory group
inline constexpr Gfp kZeroTags{QUARRY_GFP_ZEROTAGS};

inline constexpr Gfp kReclaim = kDirectReclaim | kKswapdReclaim;
inline constexpr Gfp kAllBits{(1u << QUARRY_GFP_BITS_SHIFT) - 1};

inline constexpr Gfp kAtomic = kHigh | kAtomicBit | kKswapdReclaim;
inline constexpr Gfp kKernel = kReclaim | kIo | kFs;
inline constexpr Gfp kKernelAccount = kKernel | kAccount;
inline constexpr Gfp kNoWait = kKswapdReclaim;
inline constexpr Gfp kNoIo = kReclaim;
inline constexpr Gfp kNoFs = kReclaim | kIo;
inline constexpr Gfp kUser = kKernel | kHardwall;
inline constexpr Gfp kDma = kDmaBit;
inline constexpr Gfp kDma32 = kDma32Bit;
inline constexpr Gfp kHighUser = kUser | kHighmemBit;
inline constexpr Gfp kHighUserMovable = kHighUser | kMovable;
inline constexpr Gfp kTransHugeLight =
    (kHighUserMovable | kComp | kNoMemalloc | kNoWarn) & ~kReclaim;
inline constexpr Gfp kTransHuge = kTransHugeLight | kDirectReclaim;

static_assert(uint32_t(kAtomic) == 0xa20 && uint32_t(kKernel) == 0xcc0);
static_assert(uint32_t(kKernelAccount) == 0x400cc0 && uint32_t(kNoWait) == 0x800);
static_assert(uint32_t(kNoIo) == 0xc00 && uint32_t(kNoFs) == 0xc40 && uint32_t(kUser) == 0x100cc0);
static_assert(uint32_t(kHighUser) == 0x100cc2 && uint32_t(kHighUserMovable) == 0x100cca);
static_assert(uint32_t(kTransHugeLight) == 0x1c20ca && uint32_t(kTransHuge) == 0x1c24ca);

}  // namespace gfp

}  // namespace quarry
