/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells in /proc, of the system behind this program's kmalloc: buddyinfo, meminfo,
 * pagetypeinfo, slabinfo, vmallocinfo, zoneinfo, byte for byte in the kernel's format. Process
 * context.
 */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>

QUARRY_DECLARATIONS_BEGIN

/*
 * As snprintf: writes what fits into `size` bytes, the last of them '\0', and returns the length of
 * the whole text. -ENOENT: there is no text of that name.
 */
long quarry_proc_read(const char* name, char* buffer, size_t size);

/* Hands the text to `write`, piece by piece; a piece does not end with '\0'. 0, or -ENOENT. */
int quarry_proc_show(const char* name,
                     void (*write)(void* context, const char* text, size_t length), void* context);

/*
 * What writing the text to the file does: to slabinfo, with SLAB, "CACHE limit batchcount shared"
 * gives the cache's arrays other sizes. `bytes`, or as in Linux -ENOENT (there is no such file),
 * -EIO (it is read only), -EINVAL (no such cache, or not three numbers), -ENOMEM (there is no room
 * for so large arrays).
 */
long quarry_proc_write(const char* name, const char* text, size_t bytes);

/* The names there are, the last one followed by NULL. */
const char* const* quarry_proc_names(void);

QUARRY_DECLARATIONS_END
