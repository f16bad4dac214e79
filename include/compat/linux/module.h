/* SPDX-License-Identifier: MIT */
/*
 * Modules inside a program. What module_init() names runs before main, after the memory system is
 * booted and by default after all constructors of a priority. If it returns 0, what module_exit()
 * names runs at the program's exit, modules in reverse order; any other value is reported and the
 * program goes on. At most one of each in a source file.
 */
#pragma once

#if __has_include_next(<linux/module.h>)
#include_next <linux/module.h>
#endif

#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>

QUARRY_DECLARATIONS_BEGIN

/* The halves of a module find each other by the name of their source file. */
struct quarry_module_exit {
  const char* file;
  exitcall_t exit;
  struct quarry_module_exit* next;
};
void quarry_module_add_exit(struct quarry_module_exit* module);
void quarry_module_load(const char* file, const char* name, initcall_t init);

QUARRY_DECLARATIONS_END

/* Never dereferenced. */
struct module;
#define THIS_MODULE ((struct module*)0)

#define module_init(function)                                                            \
  static void __attribute__((__constructor__, __used__)) quarry_module_load_this(void) { \
    quarry_module_load(__FILE__, QUARRY_MODULE_NAME, function);                          \
  }                                                                                      \
  QUARRY_STATIC_ASSERT(1, "")
#define module_exit(function)                                                                     \
  static void __attribute__((__constructor__(200), __used__)) quarry_module_add_this_exit(void) { \
    static struct quarry_module_exit module = {__FILE__, function, NULL};                         \
    quarry_module_add_exit(&module);                                                              \
  }                                                                                               \
  QUARRY_STATIC_ASSERT(1, "")

/* The order of the levels is not kept: a program's initialisers run in link order. */
#define subsys_initcall(function) module_init(function)
#define device_initcall(function) module_init(function)
#define late_initcall(function) module_init(function)

#define MODULE_INFO(tag, text) QUARRY_STATIC_ASSERT(sizeof(text) > 0, #tag)
#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_VERSION(text) MODULE_INFO(version, text)
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)
