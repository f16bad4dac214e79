// SPDX-License-Identifier: MIT

// <linux/device/devres.h>: a stack of resources for each device.

#include <linux/device.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <stdio.h>

#include "default_system.h"
#include "world.h"

// Before the resource itself.
struct alignas(8) devres {
  devres* older;
  dr_release_t release;
};

namespace quarry {
namespace {

devres* header_of(void* resource) { return static_cast<devres*>(resource) - 1; }
void* resource_of(devres* header) { return header + 1; }

class Lock {
 public:
  explicit Lock(device* dev) : lock_(&dev->quarry_lock), flags_(quarry_spin_lock_irqsave(lock_)) {}
  ~Lock() { spin_unlock_irqrestore(lock_, flags_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  spinlock_t* lock_;
  unsigned long flags_;
};

// What is looked for among a device's resources.
struct Wanted {
  dr_release_t release;
  dr_match_t match;
  void* match_data;

  bool is(device* dev, devres* header) const {
    return header->release == release &&
           (match == nullptr || match(dev, resource_of(header), match_data) != 0);
  }
};

// The link to the newest that is wanted, or the last link, which is null. With the device locked.
devres** find_link(device* dev, const Wanted& wanted) {
  devres** link = &dev->quarry_newest;
  while (*link != nullptr && !wanted.is(dev, *link)) link = &(*link)->older;
  return link;
}

// Null: there is none.
devres* remove(device* dev, const Wanted& wanted) {
  const Lock lock(dev);
  devres** const link = find_link(dev, wanted);
  devres* const found = *link;
  if (found != nullptr) *link = found->older;
  return found;
}

devres* new_resource(dr_release_t release, size_t bytes, gfp_t gfp, int node, uintptr_t place) {
  size_t total = 0;
  if (__builtin_add_overflow(sizeof(devres), bytes, &total)) return nullptr;
  auto* const header =
      static_cast<devres*>(default_core().kmem.kmalloc_node(total, Gfp(gfp), NodeId{node}, place));
  if (header != nullptr) *header = {nullptr, release};
  return header;
}

void free_resource(devres* header) { kfree(header); }

void push(device* dev, devres* header) {
  const Lock lock(dev);
  header->older = dev->quarry_newest;
  dev->quarry_newest = header;
}

void report(const char* what, uintptr_t place) {
  default_core().pages.reporter().warn(place, what);
}

// --- Memory: the resource is the memory itself ---

void release_memory(device*, void*) {}
int is_that(device*, void* resource, void* memory) { return resource == memory; }
Wanted memory_at(const void* memory) {
  return {release_memory, is_that, const_cast<void*>(memory)};
}

void* allocate(device* dev, size_t bytes, gfp_t gfp, uintptr_t place) {
  if (bytes == 0) return ZERO_SIZE_PTR;
  devres* const header = new_resource(release_memory, bytes, gfp, dev_to_node(dev), place);
  if (header == nullptr) return nullptr;
  push(dev, header);
  return resource_of(header);
}

void* copy(device* dev, const void* source, size_t bytes, gfp_t gfp, uintptr_t place) {
  void* const memory = allocate(dev, bytes, gfp, place);
  if (memory != nullptr && bytes != 0) memcpy(memory, source, bytes);
  return memory;
}

// Bytes that may be used behind a header.
size_t room_of(devres* header) { return ksize(header) - sizeof(devres); }

// Puts another in the place of the device's memory, which is the caller's then.
devres* replace(device* dev, const void* memory, devres* grown) {
  const Lock lock(dev);
  devres** const link = find_link(dev, memory_at(memory));
  devres* const old = *link;
  grown->older = old->older;
  *link = grown;
  return old;
}

// --- Blocks of pages, and actions: the resource says which ---

struct Block {
  unsigned long address;
  unsigned int order;
};

void release_block(device*, void* resource) {
  const auto* const block = static_cast<Block*>(resource);
  free_pages(block->address, block->order);
}
int is_block_at(device*, void* resource, void* address) {
  return static_cast<Block*>(resource)->address == reinterpret_cast<unsigned long>(address);
}

struct Action {
  void (*run)(void* data);
  void* data;
};

void run_action(device*, void* resource) {
  const auto* const action = static_cast<Action*>(resource);
  action->run(action->data);
}
int is_action(device*, void* resource, void* wanted) {
  const auto* const one = static_cast<Action*>(resource);
  const auto* const other = static_cast<Action*>(wanted);
  return one->run == other->run && one->data == other->data;
}

}  // namespace

extern "C" {

void* devres_alloc_node(dr_release_t release, size_t bytes, gfp_t gfp, int node) {
  devres* const header = new_resource(release, bytes, gfp | __GFP_ZERO, node, QUARRY_PLACE);
  return header == nullptr ? nullptr : resource_of(header);
}

void devres_free(void* resource) {
  if (resource != nullptr) free_resource(header_of(resource));
}

void devres_add(struct device* dev, void* resource) { push(dev, header_of(resource)); }

void* devres_find(struct device* dev, dr_release_t release, dr_match_t match, void* match_data) {
  const Lock lock(dev);
  devres* const found = *find_link(dev, {release, match, match_data});
  return found == nullptr ? nullptr : resource_of(found);
}

void* devres_get(struct device* dev, void* new_resource, dr_match_t match, void* match_data) {
  devres* const added = header_of(new_resource);
  devres* found = nullptr;
  {
    const Lock lock(dev);
    found = *find_link(dev, {added->release, match, match_data});
    if (found == nullptr) {
      added->older = dev->quarry_newest;
      dev->quarry_newest = added;
      return new_resource;
    }
  }
  free_resource(added);
  return resource_of(found);
}

void* devres_remove(struct device* dev, dr_release_t release, dr_match_t match, void* match_data) {
  devres* const found = remove(dev, {release, match, match_data});
  return found == nullptr ? nullptr : resource_of(found);
}

int devres_destroy(struct device* dev, dr_release_t release, dr_match_t match, void* match_data) {
  devres* const found = remove(dev, {release, match, match_data});
  if (found == nullptr) return -ENOENT;
  free_resource(found);
  return 0;
}

int devres_release(struct device* dev, dr_release_t release, dr_match_t match, void* match_data) {
  devres* const found = remove(dev, {release, match, match_data});
  if (found == nullptr) return -ENOENT;
  release(dev, resource_of(found));
  free_resource(found);
  return 0;
}

int devres_release_all(struct device* dev) {
  devres* next = nullptr;
  {
    const Lock lock(dev);
    next = dev->quarry_newest;
    dev->quarry_newest = nullptr;
  }
  int count = 0;
  while (next != nullptr) {
    devres* const released = next;
    next = next->older;
    released->release(dev, resource_of(released));
    free_resource(released);
    ++count;
  }
  return count;
}

int devm_add_action(struct device* dev, void (*action)(void* data), void* data) {
  devres* const header =
      new_resource(run_action, sizeof(Action), GFP_KERNEL, NUMA_NO_NODE, QUARRY_PLACE);
  if (header == nullptr) return -ENOMEM;
  *static_cast<Action*>(resource_of(header)) = {action, data};
  push(dev, header);
  return 0;
}

int devm_add_action_or_reset(struct device* dev, void (*action)(void* data), void* data) {
  const int error = devm_add_action(dev, action, data);
  if (error != 0) action(data);
  return error;
}

void devm_remove_action(struct device* dev, void (*action)(void* data), void* data) {
  Action wanted{action, data};
  if (devres_destroy(dev, run_action, is_action, &wanted) != 0)
    report("devm_remove_action of what was not added", QUARRY_PLACE);
}

void devm_release_action(struct device* dev, void (*action)(void* data), void* data) {
  Action wanted{action, data};
  if (devres_release(dev, run_action, is_action, &wanted) != 0)
    report("devm_release_action of what was not added", QUARRY_PLACE);
}

void* devm_kmalloc(struct device* dev, size_t bytes, gfp_t gfp) {
  return allocate(dev, bytes, gfp, QUARRY_PLACE);
}

void* devm_krealloc(struct device* dev, void* memory, size_t bytes, gfp_t gfp) {
  if (ZERO_OR_NULL_PTR(memory)) return allocate(dev, bytes, gfp, QUARRY_PLACE);
  if (bytes == 0) {
    devm_kfree(dev, memory);
    return ZERO_SIZE_PTR;
  }
  if (devres_find(dev, release_memory, is_that, memory) == nullptr) {
    report("devm_krealloc of what is not the device's memory", QUARRY_PLACE);
    return nullptr;
  }
  const size_t room = room_of(header_of(memory));
  if (bytes <= room) return memory;
  devres* const grown = new_resource(release_memory, bytes, gfp, dev_to_node(dev), QUARRY_PLACE);
  if (grown == nullptr) return nullptr;
  memcpy(resource_of(grown), memory, room);
  free_resource(replace(dev, memory, grown));
  return resource_of(grown);
}

void devm_kfree(struct device* dev, const void* memory) {
  if (ZERO_OR_NULL_PTR(memory) || is_constant(memory)) return;
  devres* const found = remove(dev, memory_at(memory));
  if (found == nullptr)
    return report("devm_kfree of what is not the device's memory", QUARRY_PLACE);
  free_resource(found);
}

char* devm_kstrdup(struct device* dev, const char* text, gfp_t gfp) {
  if (text == nullptr) return nullptr;
  return static_cast<char*>(copy(dev, text, strlen(text) + 1, gfp, QUARRY_PLACE));
}

const char* devm_kstrdup_const(struct device* dev, const char* text, gfp_t gfp) {
  if (text == nullptr || is_constant(text)) return text;
  return static_cast<char*>(copy(dev, text, strlen(text) + 1, gfp, QUARRY_PLACE));
}

char* devm_kvasprintf(struct device* dev, gfp_t gfp, const char* format, va_list args) {
  va_list again;
  va_copy(again, args);
  const int length = vsnprintf(nullptr, 0, format, args);
  char* text = nullptr;
  if (length >= 0) {
    const size_t bytes = static_cast<size_t>(length) + 1;
    text = static_cast<char*>(allocate(dev, bytes, gfp, QUARRY_PLACE));
    if (text != nullptr) vsnprintf(text, bytes, format, again);
  }
  va_end(again);
  return text;
}

char* devm_kasprintf(struct device* dev, gfp_t gfp, const char* format, ...) {
  va_list args;
  va_start(args, format);
  char* const text = devm_kvasprintf(dev, gfp, format, args);
  va_end(args);
  return text;
}

void* devm_kmemdup(struct device* dev, const void* source, size_t bytes, gfp_t gfp) {
  return copy(dev, source, bytes, gfp, QUARRY_PLACE);
}

const void* devm_kmemdup_const(struct device* dev, const void* source, size_t bytes, gfp_t gfp) {
  return is_constant(source) ? source : copy(dev, source, bytes, gfp, QUARRY_PLACE);
}

char** devm_kasprintf_strarray(struct device* dev, const char* prefix, size_t count) {
  char** const array = kasprintf_strarray(GFP_KERNEL, prefix, count);
  if (array == nullptr) return static_cast<char**>(ERR_PTR(-ENOMEM));
  struct Strings {
    char** array;
    size_t count;
  };
  const auto release = [](device*, void* resource) {
    const auto* const strings = static_cast<Strings*>(resource);
    kfree_strarray(strings->array, strings->count);
  };
  devres* const header =
      new_resource(release, sizeof(Strings), GFP_KERNEL, NUMA_NO_NODE, QUARRY_PLACE);
  if (header == nullptr) {
    kfree_strarray(array, count);
    return static_cast<char**>(ERR_PTR(-ENOMEM));
  }
  *static_cast<Strings*>(resource_of(header)) = {array, count};
  push(dev, header);
  return array;
}

unsigned long devm_get_free_pages(struct device* dev, gfp_t gfp, unsigned int order) {
  const unsigned long address = __get_free_pages(gfp, order);
  if (address == 0) return 0;
  devres* const header =
      new_resource(release_block, sizeof(Block), GFP_KERNEL, NUMA_NO_NODE, QUARRY_PLACE);
  if (header == nullptr) {
    free_pages(address, order);
    return 0;
  }
  *static_cast<Block*>(resource_of(header)) = {address, order};
  push(dev, header);
  return address;
}

void devm_free_pages(struct device* dev, unsigned long address) {
  if (devres_release(dev, release_block, is_block_at, reinterpret_cast<void*>(address)) != 0)
    report("devm_free_pages of what is not the device's block", QUARRY_PLACE);
}

}  // extern "C"

}  // namespace quarry
