/* SPDX-License-Identifier: MIT */
/* slub_debug=U,kmalloc-64 nr_cpus=1 */
#include "corrupt.h"

static noinline void* many(size_t bytes) {
  void* const object = kmalloc(bytes, GFP_KERNEL);
  barrier();
  return object;
}

static noinline void release(void* object) {
  kfree(object);
  barrier();
}

int main(void) {
  void* objects[5];
  char text[2048];
  release(many(60)); /* whom free_traces shows */
  for (int i = 0; i != times(3); ++i) objects[i] = many(60);
  for (int i = 3; i != times(5); ++i) objects[i] = many(40);
  quarry_alloc_traces("kmalloc-64", text, sizeof(text));
  fprintf(stderr, "%s", text);
  quarry_free_traces("kmalloc-64", text, sizeof(text));
  fprintf(stderr, "%s", text);
  for (int i = 0; i != 5; ++i) release(objects[i]);
  fprintf(stderr, "%zu, ", quarry_alloc_traces("kmalloc-64", text, 5));
  fprintf(stderr, "%s, ", text);
  fprintf(stderr, "%zu\n", quarry_alloc_traces("kmalloc-32", text, sizeof(text)));
  return still_works();
}
