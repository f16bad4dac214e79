// SPDX-License-Identifier: MIT
#pragma once

// What the core needs from a CPU, inline because it is on hot paths. The build puts exactly one of
// src/arch/{hosted,x86_64,i386} on the include path; its port_arch.h defines `struct Arch`, and the
// concept below says what that has to contain. Machine-shaped, cold services are in Platform.
//
// Per-CPU arrays (abi/array.h). pop() and push() act on the array of the CPU they run on and are
// atomic towards interrupts, signals, migration and the other CPUs' use of their own arrays.
// "Off" means stride 0; an operation that starts again reads the stride again. To empty other CPUs'
// arrays: store stride 0, then Platform::restart_array_operations(), then take what they hold.

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "arch/array_ops.h"
#include "port_arch.h"
#include "quarry/abi/array.h"
#include "quarry/abi/context.h"

namespace quarry {

template <class A>
concept ArchContract = requires(const quarry_arrays& arrays, uintptr_t offset, void* object,
                                void** objects, uint32_t node, uint32_t count, unsigned spins) {
  // 4 KiB pages everywhere; a pageblock is the unit that has one migrate type.
  { A::kPageShift } -> std::convertible_to<unsigned>;
  { A::kPageblockOrder } -> std::convertible_to<unsigned>;
  { A::kCacheLineBytes } -> std::convertible_to<unsigned>;
  // True where physical memory above the direct map exists and needs kmap.
  { A::kHasHighmem } -> std::convertible_to<bool>;
  // First physical address above ZONE_DMA32 (0: the machine has no such zone), above the direct
  // map, and above all that a page table can show.
  { A::kDma32Limit } -> std::convertible_to<uint64_t>;
  { A::kLowmemLimit } -> std::convertible_to<uint64_t>;
  { A::kPhysicalLimit } -> std::convertible_to<uint64_t>;

  // Number of the running CPU, or -1 where it cannot be known (an unregistered thread).
  { A::cpu_id() } -> std::same_as<int>;
  // The context of the running thread (hosted) or CPU.
  { A::context() } -> std::same_as<quarry_context&>;
  // Whether context().forbidden_gfp is not 0: what every allocation asks.
  { A::forbids_some_gfp() } -> std::same_as<bool>;
  // Interrupts off and back; nests.
  { A::irq_save() } -> std::same_as<unsigned long>;
  {A::irq_restore(0UL)};
  // One turn of a spin loop; the number of turns so far. On a bare machine it also runs what other
  // CPUs ask for (Platform::run_on_all_cpus()), because it may be called with interrupts off.
  {A::relax(spins)};

  { A::pop(arrays, offset) } -> std::same_as<void*>;
  { A::push(arrays, offset, object, node) } -> std::same_as<PushResult>;
  // As many as there are or fit, in the order of the stack; the number moved is returned.
  { A::pop_many(arrays, offset, objects, count) } -> std::same_as<uint32_t>;
  { A::push_many(arrays, offset, objects, count, node) } -> std::same_as<uint32_t>;
};

static_assert(ArchContract<Arch>);

inline constexpr unsigned kPageShift = Arch::kPageShift;
inline constexpr size_t kPageBytes = size_t{1} << kPageShift;

}  // namespace quarry
