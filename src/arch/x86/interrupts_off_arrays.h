// SPDX-License-Identifier: MIT
#pragma once

// The operations on the running CPU's array with interrupts off, where registers are too few for
// restartable sequences.

#include "arch/array_ops.h"
#include "arch/x86/x86_arch.h"
#include "quarry/abi/array.h"

namespace quarry {

template <class Segment>
struct InterruptsOffArrays {
  static void* pop(const quarry_arrays& arrays, uintptr_t offset) {
    const InterruptsOff off;
    return array_ops::pop(own_array(arrays, offset));
  }
  static PushResult push(const quarry_arrays& arrays, uintptr_t offset, void* object,
                         uint32_t node) {
    const InterruptsOff off;
    return array_ops::push(own_array(arrays, offset), object, node);
  }
  static uint32_t pop_many(const quarry_arrays& arrays, uintptr_t offset, void** objects,
                           uint32_t count) {
    const InterruptsOff off;
    return array_ops::pop_many(own_array(arrays, offset), objects, count);
  }
  static uint32_t push_many(const quarry_arrays& arrays, uintptr_t offset, void* const* objects,
                            uint32_t count, uint32_t node) {
    const InterruptsOff off;
    return array_ops::push_many(own_array(arrays, offset), objects, count, node);
  }

 private:
  struct InterruptsOff {
    InterruptsOff() : flags(X86Arch<Segment>::irq_save()) {}
    ~InterruptsOff() { X86Arch<Segment>::irq_restore(flags); }
    unsigned long flags;
  };

  static quarry_array& own_array(const quarry_arrays& arrays, uintptr_t offset) {
    const auto index = static_cast<uintptr_t>(Segment::cpu()) + 1;
    return *reinterpret_cast<quarry_array*>(arrays.base + index * arrays.stride + offset);
  }
};

}  // namespace quarry
