// SPDX-License-Identifier: MIT
#pragma once

namespace quarry {

// QEMU's isa-debug-exit device ends the emulator with status 2 * value + 1. 0 cannot be said, and
// is what a triple fault gives, so passing has a value of its own (tests/boot/run knows both).
inline constexpr unsigned kExitPassed = 0x10;  // status 33
inline constexpr unsigned kExitFailed = 0x11;  // status 35

// Without that device the machine stops for good.
[[noreturn]] void leave_machine(bool passed);

}  // namespace quarry
