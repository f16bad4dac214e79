// SPDX-License-Identifier: MIT
// What <linux/kernel.h>, <linux/string.h>, <linux/overflow.h> and <linux/err.h> compute.
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "c_test.h"

static int calls;

static int counted(int value) {
  ++calls;
  return value;
}

static void comparing(void) {
  char constant[min(3, 5) + max(1, 2)];
  EXPECT(sizeof(constant) == 5);
  calls = 0;
  EXPECT(min(counted(4), counted(7)) == 4 && max(counted(4), counted(7)) == 7);
  EXPECT(calls == 4);
  EXPECT(min_t(unsigned char, 300, 50) == 44);
  EXPECT(max_t(long, -1, 1) == 1);
  EXPECT(min3(3, 1, 2) == 1 && max3(3, 1, 2) == 3);
  EXPECT(min(min(4, 3), max(1, 2)) == 2);
  EXPECT(clamp(15, 0, 10) == 10 && clamp(-5, 0, 10) == 0 && clamp(5, 0, 10) == 5);
  EXPECT(clamp_t(unsigned int, 7, 8, 9) == 8);
  int a = 1, b = 2;
  swap(a, b);
  EXPECT(a == 2 && b == 1);
}

static void rounding(void) {
  EXPECT(DIV_ROUND_UP(10, 4) == 3 && DIV_ROUND_CLOSEST(10u, 4u) == 3);
  EXPECT(round_up(17, 8) == 24 && round_down(17, 8) == 16);
  EXPECT(roundup(17, 5) == 20 && rounddown(17, 5) == 15);
  EXPECT(ALIGN(4097UL, 4096) == 8192 && ALIGN_DOWN(4097UL, 4096) == 4096);
  EXPECT(IS_ALIGNED(64, 16) && !IS_ALIGNED(65, 16));
  EXPECT(ilog2(1) == 0 && ilog2(4095) == 11 && ilog2(4096) == 12);
  EXPECT(roundup_pow_of_two(17) == 32 && rounddown_pow_of_two(17) == 16);
  EXPECT(roundup_pow_of_two(16) == 16 && order_base_2(17) == 5);
  EXPECT(BIT(5) == 32 && GENMASK(7, 4) == 0xf0 && GENMASK_ULL(63, 60) == 0xfULL << 60);
  EXPECT(upper_32_bits(0x123456789abcdef0ULL) == 0x12345678);
  EXPECT(lower_32_bits(0x123456789abcdef0ULL) == 0x9abcdef0);
}

struct outer {
  int before;
  int inner[3];
};

static void layout(void) {
  struct outer object = {0, {1, 2, 3}};
  EXPECT(container_of(&object.inner, struct outer, inner) == &object);
  EXPECT(ARRAY_SIZE(object.inner) == 3);
  EXPECT(sizeof_field(struct outer, inner) == 12 && offsetofend(struct outer, before) == 4);
  BUILD_BUG_ON(sizeof(struct outer) != 16);
  EXPECT(BUILD_BUG_ON_ZERO(0) == 0);
  WRITE_ONCE(object.before, 5);
  EXPECT(READ_ONCE(object.before) == 5);
}

static void sizes_that_saturate(void) {
  struct {
    int count;
    long numbers[];
  }* flexible = NULL;
  EXPECT(struct_size(flexible, numbers, 3) == sizeof(*flexible) + 3 * sizeof(long));
  EXPECT(struct_size(flexible, numbers, SIZE_MAX / 4) == SIZE_MAX);
  EXPECT(array_size(SIZE_MAX, 2) == SIZE_MAX && array3_size(2, 3, 4) == 24);
  EXPECT(size_add(SIZE_MAX, 1) == SIZE_MAX);
  int sum;
  EXPECT(check_add_overflow(S32_MAX, 1, &sum) && !check_mul_overflow(6, 7, &sum) && sum == 42);
  EXPECT(U8_MAX == 255 && S16_MIN == -32768 && U64_MAX == ~0ULL);
}

static void errors_in_pointers(void) {
  void* error = ERR_PTR(-ENOMEM);
  EXPECT(IS_ERR(error) && PTR_ERR(error) == -ENOMEM);
  EXPECT(!IS_ERR(NULL) && IS_ERR_OR_NULL(NULL) && !IS_ERR_OR_NULL(&error));
  EXPECT(PTR_ERR_OR_ZERO(&error) == 0 && PTR_ERR_OR_ZERO(error) == -ENOMEM);
  EXPECT(-ENOTSUPP == -524);
}

static void texts(void) {
  char small[4];
  EXPECT(strscpy(small, "abc", sizeof(small)) == 3 && strcmp(small, "abc") == 0);
  EXPECT(strscpy(small, "abcd", sizeof(small)) == -E2BIG && strcmp(small, "abc") == 0);
  EXPECT(strscpy(small, "x", 0) == -E2BIG);
  memzero_explicit(small, sizeof(small));
  EXPECT(small[0] == 0 && small[2] == 0);
}

const struct c_test kernel_tests[] = {{"comparing", comparing},
                                      {"rounding", rounding},
                                      {"layout", layout},
                                      {"sizes_that_saturate", sizes_that_saturate},
                                      {"errors_in_pointers", errors_in_pointers},
                                      {"texts", texts},
                                      {NULL, NULL}};
