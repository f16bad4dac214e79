// SPDX-License-Identifier: MIT

// <linux/device.h>: names, references and the end of a device.

#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "default_system.h"

namespace quarry {
namespace {

void end(device* dev) {
  char* const name = dev->quarry_name;
  devres_release_all(dev);
  if (dev->release != nullptr) {
    dev->release(dev);
  } else {
    FixedText<160> text;
    format(text, "Device '%s' does not have a release() function, it is broken and must be fixed.",
           dev_name(dev));
    default_core().pages.reporter().warn(QUARRY_PLACE, text.c_str());
  }
  kfree(name);
}

void free_root(device* dev) { kfree(dev); }

int set_name(device* dev, char* name) {
  if (name == nullptr) return -ENOMEM;
  kfree(dev->quarry_name);
  dev->quarry_name = name;
  return 0;
}

}  // namespace

extern "C" {

void device_initialize(struct device* dev) {
  dev->numa_node = NUMA_NO_NODE;
  dev->quarry_references = 1;
}

int device_add(struct device* dev) {
  if (dev->quarry_name == nullptr) {
    if (dev->init_name == nullptr) return -EINVAL;
    const int error = set_name(dev, kstrdup(dev->init_name, GFP_KERNEL));
    if (error != 0) return error;
  }
  get_device(dev->parent);
  dev->quarry_added = true;
  return 0;
}

void device_del(struct device* dev) {
  if (!dev->quarry_added) return;
  dev->quarry_added = false;
  put_device(dev->parent);
}

int device_register(struct device* dev) {
  device_initialize(dev);
  return device_add(dev);
}

void device_unregister(struct device* dev) {
  device_del(dev);
  put_device(dev);
}

struct device* get_device(struct device* dev) {
  if (dev != nullptr) __atomic_fetch_add(&dev->quarry_references, 1, __ATOMIC_RELAXED);
  return dev;
}

void put_device(struct device* dev) {
  // What others did with it comes before its end.
  if (dev != nullptr && __atomic_sub_fetch(&dev->quarry_references, 1, __ATOMIC_ACQ_REL) == 0)
    end(dev);
}

int dev_set_name(struct device* dev, const char* format, ...) {
  va_list args;
  va_start(args, format);
  const int error = set_name(dev, kvasprintf(GFP_KERNEL, format, args));
  va_end(args);
  return error;
}

const char* dev_name(const struct device* dev) {
  if (dev->quarry_name != nullptr) return dev->quarry_name;
  return dev->init_name != nullptr ? dev->init_name : "(null)";
}

struct device* root_device_register(const char* name) {
  auto* const dev = static_cast<device*>(kzalloc(sizeof(device), GFP_KERNEL));
  if (dev == nullptr) return static_cast<device*>(ERR_PTR(-ENOMEM));
  dev->release = free_root;
  device_initialize(dev);
  int error = dev_set_name(dev, "%s", name);
  if (error == 0) error = device_add(dev);
  if (error == 0) return dev;
  put_device(dev);
  return static_cast<device*>(ERR_PTR(error));
}

void root_device_unregister(struct device* dev) { device_unregister(dev); }

}  // extern "C"

}  // namespace quarry
