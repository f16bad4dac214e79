// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "quarry/assert.h"

// Text goes to a TextSink, and format() writes to one in the way of the kernel's printk:
//
//   format(sink, "Node %d, zone %8s ", node, name);
//
// Conversions: %d %u %x %c %s %p %%; flags '-', '0', '#'; a width. The length modifiers
// hh h l ll z t j are accepted and ignored, because an argument knows its own width. As in the
// kernel, %p is all hexadecimal digits of an address without a prefix, %#x of 0 is "0x0", and
// a null %s is "(null)". A pattern that does not fit its arguments is a compile error.
namespace quarry {

class TextSink {
 public:
  // `text` is not NUL-terminated and is read before the call returns.
  virtual void write(const char* text, size_t length) = 0;

 protected:
  ~TextSink() = default;
};

// A sink that keeps at most kSize - 1 characters, always NUL-terminated, and drops what is over.
template <size_t kSize>
class FixedText final : public TextSink {
  static_assert(kSize > 0);

 public:
  void write(const char* text, size_t length) override {
    const size_t room = kSize - 1 - size_;
    if (length > room) {
      truncated_ = true;
      length = room;
    }
    __builtin_memcpy(text_ + size_, text, length);
    size_ += length;
    text_[size_] = '\0';
  }

  void clear() {
    size_ = 0;
    truncated_ = false;
    text_[0] = '\0';
  }

  [[nodiscard]] const char* c_str() const { return text_; }
  [[nodiscard]] size_t size() const { return size_; }
  // Whether anything was dropped since the last clear().
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  size_t size_ = 0;
  bool truncated_ = false;
  char text_[kSize] = {};
};

// One argument of format(), with its type reduced to what a conversion can ask for. Typed
// units count as the integer they hold.
class Arg {
 public:
  enum class Kind : uint8_t { kSigned, kUnsigned, kText, kPointer };

  template <typename T>
  static consteval Kind kind_of() {
    if constexpr (std::is_integral_v<T>) {
      return std::is_signed_v<T> ? Kind::kSigned : Kind::kUnsigned;
    } else if constexpr (std::is_pointer_v<T> && std::is_convertible_v<T, const char*>) {
      return Kind::kText;
    } else if constexpr (std::is_pointer_v<T> || std::is_null_pointer_v<T>) {
      return Kind::kPointer;
    } else {
      static_assert(std::integral<decltype(T{}.value())>, "format() cannot print this type");
      return kind_of<decltype(T{}.value())>();
    }
  }

  template <typename T>
  explicit Arg(T value) : kind_(kind_of<T>()) {
    if constexpr (std::is_integral_v<T>) {
      set_integer(value);
    } else if constexpr (kind_of<T>() == Kind::kText) {
      text_ = value;
    } else if constexpr (kind_of<T>() == Kind::kPointer) {
      bits_ = reinterpret_cast<uintptr_t>(value);
    } else {
      set_integer(value.value());
    }
  }

  [[nodiscard]] Kind kind() const { return kind_; }
  // Null unless the kind is kText.
  [[nodiscard]] const char* text() const { return kind_ == Kind::kText ? text_ : nullptr; }
  // What %p shows of a pointer or a text.
  [[nodiscard]] uint64_t address() const {
    return kind_ == Kind::kText ? reinterpret_cast<uintptr_t>(text_) : bits_;
  }
  // The value at the argument's own width, as %u or as %d sees it.
  [[nodiscard]] uint64_t as_unsigned() const { return bits_; }
  [[nodiscard]] int64_t as_signed() const {
    return static_cast<int64_t>(bits_ << unused_bits_) >> unused_bits_;
  }

 private:
  template <std::integral T>
  void set_integer(T value) {
    using Integer = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;
    bits_ = static_cast<std::make_unsigned_t<Integer>>(value);
    unused_bits_ = 64 - 8 * sizeof(T);
  }

  Kind kind_;
  uint8_t unused_bits_ = 0;
  union {
    uint64_t bits_ = 0;
    const char* text_;
  };
};

// What stands between a '%' and the end of its conversion.
struct FormatSpec {
  bool left = false;
  bool zero = false;
  bool alternate = false;
  uint16_t width = 0;
  char conversion = '\0';

  // Reads from the character after the '%' and leaves `pattern` after the conversion. At the
  // pattern's end the conversion is NUL and `pattern` stays on the terminator.
  static constexpr FormatSpec parse(const char*& pattern) {
    FormatSpec spec;
    for (;; ++pattern) {
      if (*pattern == '-') {
        spec.left = true;
      } else if (*pattern == '0') {
        spec.zero = true;
      } else if (*pattern == '#') {
        spec.alternate = true;
      } else {
        break;
      }
    }
    for (; *pattern >= '0' && *pattern <= '9'; ++pattern) {
      spec.width = static_cast<uint16_t>(spec.width * 10 + (*pattern - '0'));
    }
    while (*pattern == 'h' || *pattern == 'l' || *pattern == 'z' || *pattern == 't' ||
           *pattern == 'j') {
      ++pattern;
    }
    spec.conversion = *pattern;
    if (*pattern != '\0') {
      ++pattern;
    }
    return spec;
  }

  [[nodiscard]] constexpr bool accepts(Arg::Kind kind) const {
    switch (conversion) {
      case 'd':
      case 'u':
      case 'x':
      case 'c':
        return kind == Arg::Kind::kSigned || kind == Arg::Kind::kUnsigned;
      case 's':
        return kind == Arg::Kind::kText;
      case 'p':
        return kind == Arg::Kind::kText || kind == Arg::Kind::kPointer;
      default:
        return false;
    }
  }
};

// Whether the pattern's conversions take exactly arguments of these kinds, in this order.
[[nodiscard]] constexpr bool pattern_fits(const char* pattern, std::span<const Arg::Kind> kinds) {
  size_t used = 0;
  while (*pattern != '\0') {
    if (*pattern++ != '%') {
      continue;
    }
    const FormatSpec spec = FormatSpec::parse(pattern);
    if (spec.conversion == '%') {
      continue;
    }
    if (used == kinds.size() || !spec.accepts(kinds[used])) {
      return false;
    }
    ++used;
  }
  return used == kinds.size();
}

// A string constant checked against the arguments that go with it.
template <typename... Args>
class Pattern {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): so that a call of format() reads like printf.
  consteval Pattern(const char* text) : text_(text) {
    constexpr Arg::Kind kKinds[sizeof...(Args) + 1] = {Arg::kind_of<Args>()...};
    QUARRY_CHECK(pattern_fits(text, std::span(kKinds, sizeof...(Args))));
  }
  [[nodiscard]] constexpr const char* text() const { return text_; }

 private:
  const char* text_;
};

// For patterns that are not known at compile time. A conversion without a fitting argument
// prints "%?" and uses the argument up.
void format_args(TextSink& sink, const char* pattern, std::span<const Arg> args);

// Any context that the sink may be written in.
template <typename... Args>
void format(TextSink& sink, std::type_identity_t<Pattern<Args...>> pattern, Args... args) {
  if constexpr (sizeof...(Args) == 0) {
    format_args(sink, pattern.text(), {});
  } else {
    const Arg list[] = {Arg(args)...};
    format_args(sink, pattern.text(), list);
  }
}

}  // namespace quarry
