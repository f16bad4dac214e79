// SPDX-License-Identifier: MIT
#pragma once

// The bytes that debugging writes into and around objects, and how a range of them is checked and
// shown. Nothing here knows what an object is.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/text_sink.h"

namespace quarry {

// Linux's values.
inline constexpr uint8_t kRedInactive = 0xbb;  // around a free object
inline constexpr uint8_t kRedActive = 0xcc;    // around one that is in use
inline constexpr uint8_t kPoisonInUse = 0x5a;  // padding, and a slab that was not used yet
inline constexpr uint8_t kPoisonFree = 0x6b;   // a free object
inline constexpr uint8_t kPoisonEnd = 0xa5;    // its last byte

using Bytes = std::span<unsigned char>;

inline void fill(Bytes bytes, uint8_t value) {
  __builtin_memset(bytes.data(), value, bytes.size());
}

// The smallest part that has all bytes other than `value`; empty: all are that.
Bytes bytes_other_than(Bytes bytes, uint8_t value);

// Lines of 16 bytes, as the kernel's print_hex_dump() with addresses and text:
//   "Object   ffff888003a1c040: 6b 6b 6b ... 6b a5  kkkkkkkkkkkkkkk."
void dump_bytes(TextSink& out, const char* name, const void* begin, size_t bytes);

}  // namespace quarry
