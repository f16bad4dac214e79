// SPDX-License-Identifier: MIT
#pragma once

// The kernel that tests run in. Its command line says what it does:
//
//   test=Suite[.case][,...]   runs the named cases of tests/harness.h; "*" ends a name that may go
//                             on, test=* is all. No case of a name is a failure.
//   without test=             shows the machine
//   seed=N                    what random numbers of the tests start from
//
// To add a test: QUARRY_TEST(Suite, name) in a file that the CMakeLists.txt here lists (or, from
// another folder, target_sources(quarry-kernel PRIVATE ...)), and a boot that names it:
//
//   quarry_add_boot_test(NAME name KERNEL quarry-kernel COMMAND_LINE "test=Suite"
//     [QEMU option...] [TIMEOUT seconds])
//
// A case runs on the first CPU in process context with interrupts on; the others sleep and take
// jobs (x86/smp.h). What it logs goes to the serial line.

#include "quarry/memory_system.h"
#include "x86/bare_platform.h"
#include "x86/machine.h"

namespace boot {

// The system that the kernel booted, on all of the machine.
quarry::MemorySystem& system();
quarry::BarePlatform& platform();

}  // namespace boot
