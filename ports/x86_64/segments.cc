// SPDX-License-Identifier: MIT
#include "x86/cpu.h"
#include "x86/descriptors.h"

namespace quarry {
namespace {

constexpr uint32_t kGsBase = 0xc0000101;

constinit const uint64_t table[] = {
    0,
    0x00af'9a00'0000'ffff,  // code, 64-bit
    0x00cf'9200'0000'ffff,  // data
};

}  // namespace

void use_segments(BareCpu& cpu) {
  const DescriptorPointer pointer{sizeof(table) - 1, reinterpret_cast<uintptr_t>(table)};
  // The code segment's selector stays what it is, and so does what it means.
  asm volatile("lgdt %0" : : "m"(pointer));
  write_msr(kGsBase, reinterpret_cast<uintptr_t>(&cpu));
}

}  // namespace quarry
