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

// What looks like a return address on the stack of the CPU that runs, from `from` on, innermost
// first; how many. Code that is compiled without frame pointers leaves no better trail; what a
// function has left behind that returned is among it.
size_t scan_stack(uintptr_t from, std::span<uintptr_t> frames);
// The same of the caller.
size_t collect_backtrace(std::span<uintptr_t> frames);
void describe_address(uintptr_t address, std::span<char> text);

// Reports and ends the machine as failed.
[[noreturn]] void die(const char* message);
[[noreturn]] void die_of_trap(const TrapFrame& frame);

}  // namespace quarry
