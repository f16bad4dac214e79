// SPDX-License-Identifier: MIT
#pragma once

// The files that Linux 6.1 has for each cache of SLUB in /sys/kernel/slab/CACHE
// (Documentation/ABI/testing/sysfs-kernel-slab), as text. What Linux tells of slabs and partial
// slabs of CPUs is told here of the CPUs' arrays: cpu_partial is their capacity, slabs_cpu_partial
// how many objects are in them, in no slab of their own.

#include <span>

#include "kmem/kmem.h"
#include "quarry/file_write.h"

namespace quarry {

struct SlabAttribute {
  const char* name;
  // Process context; the cache stays meanwhile.
  void (*show)(const KmemCache& cache, TextSink& out);
  FileWrite (*store)(KmemCache& cache, std::span<const char> text);  // null: it is read only
};

// Null: there is none of that name.
const SlabAttribute* find_slab_attribute(const char* name);

}  // namespace quarry
