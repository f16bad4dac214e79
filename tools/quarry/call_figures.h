// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace quarry::tool {

// What was measured of one way to ask for memory: kmalloc, kzalloc, vmalloc.
struct CallFigures {
  std::string call;

  bool virtually_contiguous = false;  // written through, read back through each frame
  size_t pieces = 0;                  // runs of adjacent frames behind 64 KiB
  size_t pieces_fragmented = 0;  // the same where no two free frames are neighbours; 0: refused
  size_t dirty_bytes = 0;        // of 64 KiB, not zero where memory was used before
  size_t bytes_of_100 = 0;       // occupied by a request of 100 bytes
  size_t bytes_of_5000 = 0;

  uint64_t largest_bytes = 0;  // found by trying on a machine of 256 MiB
  uint64_t largest_bytes_fragmented = 0;

  // One allocation and one free.
  double ns_of_100 = 0;
  double ns_of_4k = 0;
  double ns_of_64k = 0;
  double ns_of_1m = 0;
  double touch_ns = 0;       // one page of 4 MiB, in any order
  size_t host_mappings = 0;  // that 1 MiB of scattered frames adds to the process

  bool dma_below_16m = false;  // all frames of 64 KiB of a GFP_DMA request
  bool in_interrupt = false;   // GFP_ATOMIC in a hardware interrupt, without a report

  // Whether a device can be given 64 KiB as one piece whatever memory looks like: what is granted
  // is never in pieces.
  bool one_transfer() const { return pieces == 1 && pieces_fragmented <= 1; }
};

std::vector<CallFigures> measure_calls();

}  // namespace quarry::tool
