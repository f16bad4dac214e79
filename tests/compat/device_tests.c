// SPDX-License-Identifier: MIT
// Memory that goes with its device.
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/fault-inject.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "c_test.h"

static char released[16];

static void note(void* data) { strcat(released, data); }
static void note_resource(struct device* dev, void* resource) {
  (void)dev;
  strcat(released, resource);
}
static int matches(struct device* dev, void* resource, void* text) {
  (void)dev;
  return strcmp(resource, text) == 0;
}

static int is_zero(const void* memory, size_t bytes) {
  const unsigned char* at = memory;
  for (size_t i = 0; i != bytes; ++i) {
    if (at[i] != 0) return 0;
  }
  return 1;
}

static void the_newest_is_released_first(void) {
  struct device dev = {0};
  released[0] = '\0';
  EXPECT(devm_add_action(&dev, note, "a") == 0);
  EXPECT(devm_kzalloc(&dev, 100, GFP_KERNEL) != NULL);
  EXPECT(devm_add_action_or_reset(&dev, note, "b") == 0);
  EXPECT(devm_add_action(&dev, note, "c") == 0);
  devm_remove_action(&dev, note, "c");
  EXPECT(devm_add_action(&dev, note, "d") == 0);
  devm_release_action(&dev, note, "d");
  EXPECT(strcmp(released, "d") == 0);
  EXPECT(devres_release_all(&dev) == 3);
  EXPECT(strcmp(released, "dba") == 0);
  EXPECT(devres_release_all(&dev) == 0);
}

static void resources_of_any_kind(void) {
  struct device dev = {0};
  char* first = devres_alloc(note_resource, 8, GFP_KERNEL);
  char* second = devres_alloc(note_resource, 8, GFP_KERNEL);
  char* third = devres_alloc(note_resource, 8, GFP_KERNEL);
  REQUIRE(first != NULL && second != NULL && third != NULL);
  EXPECT(is_zero(first, 8));
  released[0] = '\0';
  strcpy(first, "1");
  strcpy(second, "2");
  strcpy(third, "1");
  devres_add(&dev, first);
  devres_add(&dev, second);
  EXPECT(devres_find(&dev, note_resource, NULL, NULL) == second);
  EXPECT(devres_find(&dev, note_resource, matches, "1") == first);
  EXPECT(devres_find(&dev, note_resource, matches, "3") == NULL);
  // There is one already, so the other is freed.
  EXPECT(devres_get(&dev, third, matches, "1") == first);
  EXPECT(devres_remove(&dev, note_resource, matches, "1") == first);
  EXPECT(devres_get(&dev, first, matches, "1") == first);
  EXPECT(devres_destroy(&dev, note_resource, matches, "3") == -ENOENT);
  EXPECT(devres_destroy(&dev, note_resource, matches, "2") == 0);
  EXPECT(strcmp(released, "") == 0);
  EXPECT(devres_release(&dev, note_resource, NULL, NULL) == 0);
  EXPECT(strcmp(released, "1") == 0);
  EXPECT(devres_release(&dev, note_resource, NULL, NULL) == -ENOENT);
  devres_free(NULL);
}

static void memory_of_a_device(void) {
  struct device dev = {0};
  volatile size_t half = SIZE_MAX / 2 + 1;
  char* plain = devm_kmalloc(&dev, 100, GFP_KERNEL);
  char* zeroed = devm_kzalloc(&dev, 100, GFP_KERNEL);
  long* numbers = devm_kcalloc(&dev, 10, sizeof(*numbers), GFP_KERNEL);
  REQUIRE(plain != NULL && zeroed != NULL && numbers != NULL);
  EXPECT(IS_ALIGNED((unsigned long)plain, ARCH_KMALLOC_MINALIGN));
  EXPECT(is_zero(zeroed, 100) && is_zero(numbers, 10 * sizeof(*numbers)));
  memset(plain, 0xff, 100);
  EXPECT(is_zero(zeroed, 100));
  EXPECT(devm_kmalloc(&dev, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
  EXPECT(devm_kmalloc_array(&dev, half, 2, GFP_KERNEL) == NULL);
  EXPECT(devm_kcalloc(&dev, half, 2, GFP_KERNEL) == NULL);
  EXPECT(devm_krealloc_array(&dev, plain, half, 2, GFP_KERNEL) == NULL);
  EXPECT(devm_kmalloc(&dev, SIZE_MAX - half % 7, GFP_KERNEL) == NULL);
  devm_kfree(&dev, plain);
  devm_kfree(&dev, NULL);
  devm_kfree(&dev, ZERO_SIZE_PTR);
  EXPECT(devres_release_all(&dev) == 2);
}

static void growing(void) {
  struct device dev = {0};
  released[0] = '\0';
  char* text = devm_krealloc(&dev, NULL, 20, GFP_KERNEL);
  REQUIRE(text != NULL && devm_add_action(&dev, note, "x") == 0);
  strcpy(text, "nineteen characters");
  EXPECT(devm_krealloc(&dev, text, 5, GFP_KERNEL) == text);
  char* moved = devm_krealloc(&dev, text, 5000, GFP_KERNEL);
  REQUIRE(moved != NULL && moved != text);
  EXPECT(strcmp(moved, "nineteen characters") == 0);
  // What cannot be had leaves the memory as it was.
  EXPECT(devm_krealloc(&dev, moved, KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN) == NULL);
  EXPECT(strcmp(moved, "nineteen characters") == 0);
  // Not in the device's list: reported, and nothing happens.
  char* foreign = kmalloc(10, GFP_KERNEL);
  EXPECT(devm_krealloc(&dev, foreign, 100, GFP_KERNEL) == NULL);
  devm_kfree(&dev, foreign);
  kfree(foreign);
  EXPECT(devm_krealloc(&dev, moved, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
  EXPECT(devm_krealloc(&dev, ZERO_SIZE_PTR, 8, GFP_KERNEL) != NULL);
  EXPECT(devres_release_all(&dev) == 2);
}

static void copies(void) {
  struct device dev = {0};
  static const char constant[] = "constant";
  const int numbers[] = {1, 2, 3};
  char* text = devm_kstrdup(&dev, "text", GFP_KERNEL);
  char* made = devm_kasprintf(&dev, GFP_KERNEL, "%s-%d", "made", 42);
  int* copy = devm_kmemdup(&dev, numbers, sizeof(numbers), GFP_KERNEL);
  int* array = devm_kmemdup_array(&dev, numbers, 3, sizeof(int), GFP_KERNEL);
  char** names = devm_kasprintf_strarray(&dev, "pin", 3);
  REQUIRE(text != NULL && made != NULL && copy != NULL && array != NULL && !IS_ERR(names));
  EXPECT(strcmp(text, "text") == 0 && strcmp(made, "made-42") == 0);
  EXPECT(memcmp(copy, numbers, sizeof(numbers)) == 0);
  EXPECT(memcmp(array, numbers, sizeof(numbers)) == 0);
  EXPECT(strcmp(names[2], "pin-2") == 0 && names[3] == NULL);
  EXPECT(devm_kstrdup(&dev, NULL, GFP_KERNEL) == NULL);
  EXPECT(devm_kstrdup_const(&dev, constant, GFP_KERNEL) == constant);
  EXPECT(devm_kmemdup_const(&dev, constant, sizeof(constant), GFP_KERNEL) == constant);
  const char* variable = devm_kstrdup_const(&dev, text, GFP_KERNEL);
  EXPECT(variable != NULL && variable != text && strcmp(variable, "text") == 0);
  devm_kfree(&dev, constant);
  EXPECT(devres_release_all(&dev) == 6);
}

static void blocks_of_pages(void) {
  struct device dev = {0};
  const unsigned long before = nr_free_pages();
  const unsigned long kept = devm_get_free_pages(&dev, GFP_KERNEL | __GFP_ZERO, 2);
  const unsigned long freed = devm_get_free_pages(&dev, GFP_KERNEL, 0);
  REQUIRE(kept != 0 && freed != 0);
  EXPECT(PAGE_ALIGNED(kept) && is_zero((void*)kept, 4 * PAGE_SIZE));
  devm_free_pages(&dev, freed);
  devm_free_pages(&dev, freed); /* reported */
  EXPECT(devm_get_free_pages(&dev, GFP_KERNEL | __GFP_NOWARN, MAX_ORDER) == 0);
  EXPECT(devres_release_all(&dev) == 1);
  // What is missing is a slab of the resources'.
  EXPECT(before < nr_free_pages() + 4);
}

static void fault_attribute(const char* name, const char* value) {
  char path[64] = "failslab/";
  EXPECT(quarry_fault_write(strcat(path, name), value) == 0);
  strcpy(path, "fail_page_alloc/");
  EXPECT(quarry_fault_write(strcat(path, name), value) == 0);
}

/* What fails in the middle leaves nothing behind. */
static void out_of_memory(void) {
  struct device dev = {0};
  unsigned long before = 0;
  // Attempts that may sleep count too.
  fault_attribute("ignore-gfp-wait", "N");
  fault_attribute("verbose", "0");
  for (int round = 0; round != 1000; ++round) {
    if (round == 100) before = nr_free_pages();
    released[0] = '\0';
    quarry_set_fail_nth(1);
    EXPECT(devm_kmalloc(&dev, 100, GFP_KERNEL | __GFP_NOWARN) == NULL);
    quarry_set_fail_nth(1);
    EXPECT(devm_kasprintf(&dev, GFP_KERNEL | __GFP_NOWARN, "%d", 7) == NULL);
    quarry_set_fail_nth(1);
    EXPECT(devm_add_action_or_reset(&dev, note, "r") == -ENOMEM);
    EXPECT(strcmp(released, "r") == 0);
    quarry_set_fail_nth(2);
    EXPECT(devm_get_free_pages(&dev, GFP_KERNEL, 3) == 0);
    quarry_set_fail_nth(round % 5 + 1);
    EXPECT(IS_ERR(devm_kasprintf_strarray(&dev, "n", 3)));
    quarry_set_fail_nth(0);
    EXPECT(devres_release_all(&dev) == 0);
  }
  fault_attribute("ignore-gfp-wait", "Y");
  fault_attribute("verbose", "2");
  EXPECT(before < nr_free_pages() + 8);
}

static int ended;

static void end_device(struct device* dev) {
  EXPECT(strcmp(released, "m") == 0);
  ++ended;
  kfree(dev);
}

static void references(void) {
  struct device* parent = root_device_register("parent");
  struct device* dev = kzalloc(sizeof(*dev), GFP_KERNEL);
  REQUIRE(!IS_ERR(parent) && dev != NULL);
  released[0] = '\0';
  ended = 0;
  dev->parent = parent;
  dev->release = end_device;
  device_initialize(dev);
  EXPECT(dev_to_node(dev) == NUMA_NO_NODE);
  EXPECT(device_add(dev) == -EINVAL);
  EXPECT(dev_set_name(dev, "disk%d", 3) == 0);
  EXPECT(device_add(dev) == 0);
  EXPECT(strcmp(dev_name(dev), "disk3") == 0 && strcmp(dev_name(parent), "parent") == 0);
  dev_set_drvdata(dev, parent);
  EXPECT(dev_get_drvdata(dev) == parent);
  EXPECT(devm_add_action(dev, note, "m") == 0 && devm_kmalloc(dev, 50, GFP_KERNEL) != NULL);
  EXPECT(get_device(dev) == dev && get_device(NULL) == NULL);
  device_unregister(dev);
  EXPECT(ended == 0 && strcmp(dev_name(dev), "disk3") == 0);
  put_device(dev);
  put_device(NULL);
  EXPECT(ended == 1);
  root_device_unregister(parent);
}

const struct c_test device_tests[] = {
    {"the_newest_is_released_first", the_newest_is_released_first},
    {"resources_of_any_kind", resources_of_any_kind},
    {"memory_of_a_device", memory_of_a_device},
    {"growing", growing},
    {"copies", copies},
    {"blocks_of_pages", blocks_of_pages},
    {"out_of_memory", out_of_memory},
    {"references", references},
    {NULL, NULL},
};
