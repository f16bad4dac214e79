// SPDX-License-Identifier: MIT
#pragma once

// The PC below the allocator: what a kernel has before it has memory to give away.

#include <quarry/platform.h>

// Where kernel.ld links the image; the first GiB of physical memory is seen there.
inline constexpr uintptr_t kKernelOffset = 0xffff'ffff'8000'0000;
// Where all memory is seen, physical address 0 first. One table; memory above 512 GiB is left out.
inline constexpr uintptr_t kDirectMap = 0xffff'8880'0000'0000;
inline constexpr uint64_t kDirectMapBytes = uint64_t{1} << 39;

// First serial port, exceptions, and the block that the core finds the CPU by.
void start_machine();
void write_serial(const char* text, size_t length);

// The PVH start information's memory map (physical address of the former), with what is taken of
// it as reserved ranges, and with a direct map of it all. Once.
std::span<const quarry::MemoryRange> take_memory(uint32_t start_info);
// The loader's command line, before take_memory().
const char* command_line(uint32_t start_info);
uintptr_t page_table_root_address();

uint64_t time_stamp();
[[noreturn]] void die(const char* message);
[[noreturn]] void leave_machine(bool passed);
