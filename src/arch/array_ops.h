// SPDX-License-Identifier: MIT
#pragma once

// The operations on one per-CPU array (abi/array.h), for whoever has it to himself: bare metal with
// interrupts off, and a lock's holder.

#include <cstdint>

#include "quarry/abi/array.h"

namespace quarry {

enum class PushResult : uint8_t {
  kPushed,
  kRefused,  // stack full, array off, or of another node
  kTwice,    // the entry freed last is this very pointer
};

enum class ArraySide : uint8_t { kReady, kFreed };

namespace array_ops {

inline uint32_t& size(quarry_array& array, ArraySide side) {
  return side == ArraySide::kReady ? array.ready : array.freed;
}
inline void** slots(quarry_array& array, ArraySide side) {
  return array.slot + (side == ArraySide::kReady ? 1 : 0);
}

inline void* pop(quarry_array& array) {
  if (array.ready == 0) return nullptr;
  array.ready -= 2;
  return array.slot[array.ready + 1];
}

inline PushResult push(quarry_array& array, void* object, uint32_t node) {
  const uint32_t freed = array.freed;
  if (freed != 0 && array.slot[freed - 2] == object) return PushResult::kTwice;
  if (freed >= array.capacity || array.node != node) return PushResult::kRefused;
  array.slot[freed] = object;
  array.freed = freed + 2;
  return PushResult::kPushed;
}

// Makes the freed entries the ready ones if there are none of these; how many that are.
inline uint32_t turn_over(quarry_array& array) {
  if (array.ready != 0) return 0;
  const uint32_t count = array.freed;
  for (uint32_t i = 0; i != count; i += 2) array.slot[i + 1] = array.slot[i];
  array.ready = count;
  array.freed = 0;
  return count / 2;
}

// The topmost entries, in the order of the stack.
inline uint32_t pop_many(quarry_array& array, ArraySide side, void** objects, uint32_t count) {
  uint32_t& used = size(array, side);
  const uint32_t moved = count < used / 2 ? count : used / 2;
  used -= 2 * moved;
  void** from = slots(array, side) + used;
  for (uint32_t i = 0; i != moved; ++i) objects[i] = from[2 * i];
  return moved;
}

inline uint32_t push_many(quarry_array& array, ArraySide side, void* const* objects, uint32_t count,
                          uint32_t node) {
  uint32_t& used = size(array, side);
  if (array.node != node || used >= array.capacity) return 0;
  const uint32_t room = (array.capacity - used) / 2;
  const uint32_t moved = count < room ? count : room;
  void** to = slots(array, side) + used;
  for (uint32_t i = 0; i != moved; ++i) to[2 * i] = objects[i];
  used += 2 * moved;
  return moved;
}

}  // namespace array_ops

}  // namespace quarry
