/* SPDX-License-Identifier: MIT */
/* Test cases written in C. c_test_main.cc gives them to GoogleTest. */
#ifndef C_TEST_H
#define C_TEST_H

#ifdef __cplusplus
extern "C" {
#endif

struct c_test {
  const char* name;
  void (*body)(void);
};

/* One array for each source; its last element has no name. */
extern const struct c_test cache_tests[];
extern const struct c_test kmalloc_tests[];
extern const struct c_test device_tests[];
extern const struct c_test slab_tests[];
extern const struct c_test sheaf_tests[];
extern const struct c_test page_tests[];
extern const struct c_test highmem_tests[];
extern const struct c_test vmalloc_tests[];
extern const struct c_test list_tests[];
extern const struct c_test kernel_tests[];
extern const struct c_test context_tests[];
extern const struct c_test rcu_tests[];
extern const struct c_test proc_tests[];
extern const struct c_test fault_tests[];

/* Reports a failed check of the test that runs, which goes on. */
void c_test_failed(const char* file, int line, const char* expression);

#ifdef __cplusplus
}
#endif

#define EXPECT(condition) ((condition) ? (void)0 : c_test_failed(__FILE__, __LINE__, #condition))
#define REQUIRE(condition)                           \
  do {                                               \
    if (!(condition)) {                              \
      c_test_failed(__FILE__, __LINE__, #condition); \
      return;                                        \
    }                                                \
  } while (0)

#endif
