// SPDX-License-Identifier: MIT
#pragma once

// The operations on one per-CPU array (abi/array.h), for whoever has it to himself: bare metal with
// interrupts off, and a lock's holder.

#include <cstdint>

#include "quarry/abi/array.h"

namespace quarry {

enum class PushResult : uint8_t {
  kPushed,
  kRefused,  // array full, off, or of another node
  kTwice,    // the topmost entry is this very pointer
};

namespace array_ops {

inline void* pop(quarry_array& array) {
  const uint32_t count = array.count;
  if (count == 0) return nullptr;
  array.count = count - 1;
  return array.slot[count - 1];
}

inline PushResult push(quarry_array& array, void* object, uint32_t node) {
  const uint32_t count = array.count;
  if (count != 0 && array.slot[count - 1] == object) return PushResult::kTwice;
  if (count >= array.capacity || array.node != node) return PushResult::kRefused;
  array.slot[count] = object;
  array.count = count + 1;
  return PushResult::kPushed;
}

// The topmost entries, in the order of the stack.
inline uint32_t pop_many(quarry_array& array, void** objects, uint32_t count) {
  const uint32_t moved = count < array.count ? count : array.count;
  array.count -= moved;
  for (uint32_t i = 0; i != moved; ++i) objects[i] = array.slot[array.count + i];
  return moved;
}

inline uint32_t push_many(quarry_array& array, void* const* objects, uint32_t count,
                          uint32_t node) {
  if (array.node != node || array.count >= array.capacity) return 0;
  const uint32_t room = array.capacity - array.count;
  const uint32_t moved = count < room ? count : room;
  for (uint32_t i = 0; i != moved; ++i) array.slot[array.count + i] = objects[i];
  array.count += moved;
  return moved;
}

}  // namespace array_ops

}  // namespace quarry
