// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "quarry/platform.h"
#include "quarry/units.h"

namespace quarry {

// Makes frames visible at addresses outside the direct map. Addresses are page-aligned and belong
// to the caller; two threads never work on the same page.
class PageMapper {
 public:
  // `count` frames from `first` on, at `at` and the pages behind it, where nothing is mapped. May
  // sleep where page tables need memory. False: no page tables, or the machine has as many mappings
  // as it can have; nothing is mapped then.
  [[nodiscard]] virtual bool map(VirtAddr at, Pfn first, size_t count, MapAccess access) = 0;
  // Whatever is mapped in `count` pages from `at` on is gone on every CPU when this returns. Any
  // context.
  virtual void unmap(VirtAddr at, size_t count) = 0;

  // Frames that page tables have taken. They stay for the next mapping when what they showed is
  // unmapped, until trim() gives back those that show nothing. Any context.
  virtual size_t table_count() const { return 0; }
  virtual void trim() {}

 protected:
  ~PageMapper() = default;
};

}  // namespace quarry
