// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace quarry {

// The first serial port, 115200 8N1. Before anything else of the machine.
void start_serial();
// Pieces of several CPUs do not mix. Any context.
void write_serial(const char* text, size_t length);
// From now on write_serial() takes no lock: the caller may have stopped the CPU that holds it.
void unlock_serial();

}  // namespace quarry
