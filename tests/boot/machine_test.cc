// SPDX-License-Identifier: MIT
#include "harness.h"
#include "kernel.h"

namespace {

using namespace quarry;

QUARRY_TEST(Machine, kmalloc_works) {
  void* const object = boot::system().kmalloc(100, gfp::kKernel);
  REQUIRE(object != nullptr);
  boot::system().kfree(object);
}

QUARRY_TEST(Machine, vmalloc_works) {
  constexpr size_t kBytes = 4 * kMiB;
  auto* const area = static_cast<unsigned char*>(boot::system().vmalloc(kBytes));
  REQUIRE(area != nullptr);
  for (size_t i = 0; i < kBytes; i += 4096) area[i] = static_cast<unsigned char>(i >> 12);
  size_t wrong = 0;
  for (size_t i = 0; i < kBytes; i += 4096) {
    if (area[i] != static_cast<unsigned char>(i >> 12)) ++wrong;
  }
  CHECK_EQ(wrong, 0U);
  boot::system().vfree(area);
}

}  // namespace
