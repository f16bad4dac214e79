/* SPDX-License-Identifier: MIT */
/*
 * Parameters of a module. Set before its init function runs from `module.name=value` in
 * QUARRY_CMDLINE; the module is called KBUILD_MODNAME, or as its source file without suffix, with
 * '_' for '-'. Types: byte short ushort int uint long ulong bool charp.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>

QUARRY_DECLARATIONS_BEGIN

struct quarry_module_param {
  const char* file;
  const char* name;
  const char* type;
  void* variable;
  struct quarry_module_param* next;
};
void quarry_module_add_param(struct quarry_module_param* param);

QUARRY_DECLARATIONS_END

/* Null: the name follows from the file. */
#ifdef KBUILD_MODNAME
#define QUARRY_MODULE_NAME KBUILD_MODNAME
#else
#define QUARRY_MODULE_NAME NULL
#endif

/* `permissions` are those of a file in sysfs, which a program has none of. */
#define module_param_named(name, variable, type, permissions)                                  \
  static void __attribute__((__constructor__(200), __used__)) quarry_module_add_##name(void) { \
    static struct quarry_module_param param = {__FILE__, #name, #type, &(variable), NULL};     \
    quarry_module_add_param(&param);                                                           \
  }                                                                                            \
  QUARRY_STATIC_ASSERT((permissions) >= 0, #name)
#define module_param(name, type, permissions) module_param_named(name, name, type, permissions)
#define MODULE_PARM_DESC(name, text) QUARRY_STATIC_ASSERT(sizeof(text) > 0, #name)
