/* SPDX-License-Identifier: MIT */
/*
 * Devices, as far as memory goes: a device owns resources, which are released, the newest first,
 * when the last reference to it goes, or by devres_release_all() when its driver lets go of it.
 * A structure of all zeros is ready for that; device_initialize() is for counting references.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/device/devres.h>
#include <linux/printk.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>

struct device {
  struct device* parent;
  const char* init_name; /* until it has a name of its own */
  void* platform_data;
  void* driver_data;
  int numa_node;
  void (*release)(struct device* dev); /* frees what the structure lies in */

  /* The library's. */
  char* quarry_name;
  int quarry_references;
  bool quarry_added;
  spinlock_t quarry_lock; /* guards the resources */
  struct devres* quarry_newest;
};

QUARRY_DECLARATIONS_BEGIN

/* The caller's is the first reference. Process context, here and below. */
void device_initialize(struct device* dev);
/* 0, -EINVAL: it has no name, -ENOMEM. The device holds its parent until device_del(). */
int device_add(struct device* dev);
void device_del(struct device* dev);
/* Initialises and adds. After a failure too, the structure goes by put_device(). */
int device_register(struct device* dev);
/* device_del() and put_device(). */
void device_unregister(struct device* dev);

/* Null is a no-op. With the last reference the resources are released, then dev->release() runs. */
struct device* get_device(struct device* dev);
void put_device(struct device* dev);

int dev_set_name(struct device* dev, const char* format, ...) __printf(2, 3);
const char* dev_name(const struct device* dev);

/* A device that is nothing else. ERR_PTR(-ENOMEM). */
struct device* root_device_register(const char* name) __must_check;
void root_device_unregister(struct device* dev);

QUARRY_DECLARATIONS_END

static inline void* dev_get_drvdata(const struct device* dev) { return dev->driver_data; }
static inline void dev_set_drvdata(struct device* dev, void* data) { dev->driver_data = data; }
static inline void* dev_get_platdata(const struct device* dev) { return dev->platform_data; }
static inline int dev_to_node(const struct device* dev) { return dev->numa_node; }
static inline void set_dev_node(struct device* dev, int node) { dev->numa_node = node; }

#define dev_printk(level, dev, format, ...) \
  printk(level "%s: " format, dev_name(dev), ##__VA_ARGS__)
#define dev_err(dev, format, ...) dev_printk(KERN_ERR, dev, format, ##__VA_ARGS__)
#define dev_warn(dev, format, ...) dev_printk(KERN_WARNING, dev, format, ##__VA_ARGS__)
#define dev_info(dev, format, ...) dev_printk(KERN_INFO, dev, format, ##__VA_ARGS__)
