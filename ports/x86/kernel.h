// SPDX-License-Identifier: MIT
#pragma once

namespace quarry {

// What a program for this port defines. It runs on the first CPU, with interrupts off, on the
// kernel's page tables, after the constructors; nothing is booted and the other CPUs sleep. Its
// result is the machine's: passed or failed.
bool kernel_main();

}  // namespace quarry
