// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/units.h"

namespace quarry {

// Where page tables get their frames from.
class FrameSource {
 public:
  // A frame of the direct map that reads as zero. kNoPfn: out of memory. May sleep.
  [[nodiscard]] virtual Pfn take() = 0;
  // Any context.
  virtual void give_back(Pfn frame) = 0;

 protected:
  ~FrameSource() = default;
};

}  // namespace quarry
