// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/text_sink.h"
#include "port_trap.h"

namespace quarry {

// The serial console, line by line.
class Console final : public TextSink {
 public:
  void write(const char* text, size_t length) override;
};

// Return addresses of the function that calls this, innermost first; how many.
size_t collect_backtrace(std::span<uintptr_t> frames);
// The chain of frames from `base` on, a frame pointer of the CPU that runs.
size_t follow_frames(uintptr_t base, std::span<uintptr_t> frames);
void describe_address(uintptr_t address, std::span<char> text);

// Reports and ends the machine as failed.
[[noreturn]] void die(const char* message);
[[noreturn]] void die_of_trap(const TrapFrame& frame);

}  // namespace quarry
