// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace quarry {

// To standard error, whatever becomes of it.
void report_text(const char* text);
void report_text(const char* text, size_t length);

// Return addresses, innermost first: that of the caller's call leads. How many were found.
size_t collect_backtrace(std::span<uintptr_t> frames);

// As Platform::earlier_backtrace().
size_t collect_earlier_backtrace(uintptr_t place, uintptr_t stack, std::span<uintptr_t> frames,
                                 bool& exact);

// "symbol+0xoff/0xsize", or the address in hexadecimal; cut to the size, NUL-terminated.
void describe_address(uintptr_t address, std::span<char> text);

// One line a frame to standard error.
void report_backtrace();

}  // namespace quarry
