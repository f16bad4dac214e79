/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/gfp_types.h>

QUARRY_DECLARATIONS_BEGIN

/* A copy, for kfree(), that a log takes without harm: form feed, newline, return, tab, vertical
 * tab, bell, escape, backslash and double quote are \xHH. Null: of null, or out of memory. */
char* kstrdup_quotable(const char* source, gfp_t gfp);

QUARRY_DECLARATIONS_END
