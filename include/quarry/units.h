// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "quarry/assert.h"
#include "quarry/bits.h"

// Numbers that must not be confused are types. Each is an integer in size and cost, zero when
// default-made, made explicitly from an integer (`Pfn{7}`) and read by `value()`. Adding an
// integer moves it; the difference of two is a plain number of the same width, and wraps as
// the integer does.
namespace quarry {

inline constexpr size_t kKiB = size_t{1} << 10;
inline constexpr size_t kMiB = size_t{1} << 20;
inline constexpr size_t kGiB = size_t{1} << 30;

template <typename Derived, std::integral Rep>
class Unit {
 public:
  using Representation = Rep;

  constexpr Unit() = default;

  // Requires that Rep can hold `value` (checked in debug builds).
  template <std::integral Value>
  constexpr explicit Unit(Value value) : value_(static_cast<Rep>(value)) {
    QUARRY_ASSERT(std::in_range<Rep>(value));
  }

  [[nodiscard]] constexpr Rep value() const { return value_; }

  constexpr Derived& operator+=(std::integral auto n) {
    value_ = static_cast<Rep>(value_ + static_cast<Rep>(n));
    return self();
  }
  constexpr Derived& operator-=(std::integral auto n) {
    value_ = static_cast<Rep>(value_ - static_cast<Rep>(n));
    return self();
  }
  constexpr Derived& operator++() { return *this += 1; }
  constexpr Derived& operator--() { return *this -= 1; }
  constexpr Derived operator++(int) {
    const Derived before = self();
    ++*this;
    return before;
  }
  constexpr Derived operator--(int) {
    const Derived before = self();
    --*this;
    return before;
  }
  [[nodiscard]] constexpr Derived operator+(std::integral auto n) const {
    Derived moved = self();
    return moved += n;
  }
  [[nodiscard]] constexpr Derived operator-(std::integral auto n) const {
    Derived moved = self();
    return moved -= n;
  }
  [[nodiscard]] constexpr Rep operator-(const Derived& other) const {
    return static_cast<Rep>(value_ - other.value_);
  }

  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of a defaulted comparison for a pointer.
  friend constexpr auto operator<=>(const Unit&, const Unit&) = default;

 private:
  [[nodiscard]] constexpr Derived& self() { return static_cast<Derived&>(*this); }
  [[nodiscard]] constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }

  Rep value_{};
};

// Log2 of a number of frames: 0..10 is what a zone hands out.
struct Order : Unit<Order, uint8_t> {
  using Unit::Unit;
  [[nodiscard]] constexpr uint32_t pages() const { return uint32_t{1} << value(); }
};

inline constexpr Order kMaxOrder{10};
inline constexpr size_t kOrderCount = size_t{kMaxOrder.value()} + 1;

// A page frame number. Frame 0 is never handed out, so that 0 can mean "none".
struct Pfn : Unit<Pfn, uint32_t> {
  using Unit::Unit;

  [[nodiscard]] constexpr Pfn operator^(uint32_t bits) const { return Pfn{value() ^ bits}; }
  [[nodiscard]] constexpr Pfn operator&(uint32_t bits) const { return Pfn{value() & bits}; }
  [[nodiscard]] constexpr Pfn operator|(uint32_t bits) const { return Pfn{value() | bits}; }

  [[nodiscard]] constexpr bool is_aligned(Order order) const {
    return quarry::is_aligned(value(), order.pages());
  }
  [[nodiscard]] constexpr Pfn align_down(Order order) const {
    return Pfn{round_down(value(), order.pages())};
  }
  [[nodiscard]] constexpr Pfn align_up(Order order) const {
    return Pfn{round_up(value(), order.pages())};
  }
};

inline constexpr Pfn kNoPfn{0};

// A physical address in bytes; 64 bits wide also where a pointer has 32.
struct PhysAddr : Unit<PhysAddr, uint64_t> {
  using Unit::Unit;
};

// An address that the CPU can dereference once it is mapped.
struct VirtAddr : Unit<VirtAddr, uintptr_t> {
  using Unit::Unit;
  explicit VirtAddr(const volatile void* pointer) : Unit(reinterpret_cast<uintptr_t>(pointer)) {}

  template <typename T = void>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(value());
  }
};

// A NUMA node.
struct NodeId : Unit<NodeId, int16_t> {
  using Unit::Unit;
};

// Where a node is wanted: "any". Where one is named: "unknown" (Linux: NUMA_NO_NODE).
inline constexpr NodeId kNoNode{-1};

struct CpuId : Unit<CpuId, uint16_t> {
  using Unit::Unit;
};

static_assert(sizeof(Pfn) == 4 && sizeof(PhysAddr) == 8 && sizeof(VirtAddr) == sizeof(void*));
static_assert(sizeof(Order) == 1 && sizeof(NodeId) == 2 && sizeof(CpuId) == 2);
static_assert(std::is_trivially_copyable_v<Pfn> && std::is_standard_layout_v<Pfn>);
static_assert(!std::is_convertible_v<uint32_t, Pfn> && !std::is_convertible_v<Pfn, uint32_t>);

}  // namespace quarry
