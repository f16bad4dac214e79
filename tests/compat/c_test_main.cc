// SPDX-License-Identifier: MIT
#include "c_test.h"

#include <gtest/gtest.h>

void c_test_failed(const char* file, int line, const char* expression) {
  ADD_FAILURE_AT(file, line) << expression;
}

namespace {

class CTest final : public testing::Test {
 public:
  explicit CTest(void (*body)()) : body_(body) {}

  void TestBody() override { body_(); }

 private:
  void (*body_)();
};

void add(const char* suite, const c_test* tests) {
  for (; tests->name != nullptr; ++tests) {
    void (*const body)() = tests->body;
    testing::RegisterTest(suite, tests->name, nullptr, nullptr, __FILE__, __LINE__,
                          [body]() -> testing::Test* { return new CTest(body); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  add("Kmalloc", kmalloc_tests);
  add("Devices", device_tests);
  add("Caches", cache_tests);
  add("Slab", slab_tests);
  add("Sheaves", sheaf_tests);
  add("Pages", page_tests);
  add("Highmem", highmem_tests);
  add("Vmalloc", vmalloc_tests);
  add("List", list_tests);
  add("Kernel", kernel_tests);
  add("Context", context_tests);
  add("Rcu", rcu_tests);
  add("Proc", proc_tests);
  add("Faults", fault_tests);
  return RUN_ALL_TESTS();
}
