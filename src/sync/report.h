// SPDX-License-Identifier: MIT
#pragma once

// Reports of misuse and of failures, in the kernel's words, to Platform::log. Nothing here
// allocates or sleeps; any context. A `place` is the code address that is to blame: a return
// address.

#include <atomic>
#include <cstdint>

#include "base/text_sink.h"
#include "quarry/platform.h"
#include "sync/spinlock.h"

namespace quarry {

// Gathers text and hands it to the log a line at a time, so that lines of two threads do not mix.
// What is left is handed over when the object dies.
class LogText final : public TextSink {
 public:
  explicit LogText(Platform& platform) : platform_(platform) {}
  ~LogText() { flush(); }
  LogText(const LogText&) = delete;
  LogText& operator=(const LogText&) = delete;

  void write(const char* text, size_t length) override;

 private:
  void flush();

  Platform& platform_;
  size_t size_ = 0;
  char line_[240];
};

// Code addresses seen before. Room for kPlaces; when it is full, further places count as seen.
class PlaceSet {
 public:
  static constexpr unsigned kPlaces = 256;

  // True the first time for each place.
  bool insert(uintptr_t place);

 private:
  std::atomic<uintptr_t> place_[kPlaces] = {};
};

// At most `burst` permits in each interval (Linux: ratelimit_state).
class RateLimit {
 public:
  constexpr RateLimit(uint64_t interval_ns, uint32_t burst)
      : interval_ns_(interval_ns), burst_(burst) {}
  // An interval of 0: no limit.
  void set(uint64_t interval_ns, uint32_t burst);
  // `now_ns` from Platform::clock_ns().
  bool allow(uint64_t now_ns);

 private:
  SpinLock lock_{LockRank::kLeaf};
  uint64_t interval_ns_ QUARRY_GUARDED_BY(lock_);
  uint32_t burst_ QUARRY_GUARDED_BY(lock_);
  uint32_t granted_ QUARRY_GUARDED_BY(lock_) = 0;
  uint64_t begin_ns_ QUARRY_GUARDED_BY(lock_) = 0;
};

// Bits of Linux's tainted mask.
enum class Taint : uint32_t { kBadPage = 1 << 5, kWarn = 1 << 9 };

// The reports that all rooms share. One for each MemorySystem.
class Reporter {
 public:
  void init(Platform& platform) { platform_ = &platform; }
  Platform& platform() const { return *platform_; }

  // "WARNING: CPU: 0 at kmalloc+0x..., <what>" with the stack.
  void warn(uintptr_t place, const char* what);
  // The first time for each place and text, which must last (Linux: WARN_ON_ONCE).
  void warn_once(uintptr_t place, const char* what) {
    if (once(place, what)) warn(place, what);
  }
  // An allocation with these GFP bits is made where it might not: reports that, once for each
  // place, with the stack and with the one where the atomic section was entered. Does nothing where
  // it may be made.
  void check_context(uint32_t gfp, uintptr_t place) {
    if (Arch::forbids_some_gfp() || Arch::context().irq_off_depth != 0) [[unlikely]] {
      check_context_slow(gfp, place);
    }
  }
  // "Call Trace:" and the caller's frames.
  void dump_stack() const;
  // "symbol+0xoff/0xsize", or the address.
  void print_address(TextSink& out, uintptr_t address) const;

  // Something was found broken: reports say so from now on.
  void taint(Taint taint) {
    taints_.fetch_or(static_cast<uint32_t>(taint), std::memory_order_relaxed);
  }
  // "Not tainted", or "Tainted: " and a letter or space for each of Linux's taints.
  void print_taints(TextSink& out) const;

 private:
  // True the first time. The two addresses are mixed into one, which no other two are likely to be.
  bool once(uintptr_t place, const char* what) {
    constexpr uintptr_t kOdd = 0x9e3779b1;
    return places_.insert(place * kOdd + reinterpret_cast<uintptr_t>(what));
  }
  void check_context_slow(uint32_t gfp, uintptr_t place);
  void show_section_entry(const quarry_context& context);

  Platform* platform_ = nullptr;
  PlaceSet places_;
  std::atomic<uint32_t> taints_{0};
};

}  // namespace quarry
