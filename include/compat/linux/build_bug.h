/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>

#define BUILD_BUG_ON_ZERO(condition) ((int)sizeof(char[1 - 2 * !!(condition)]) - 1)
#define BUILD_BUG_ON_MSG(condition, message) QUARRY_STATIC_ASSERT(!(condition), message)
#define BUILD_BUG_ON(condition) BUILD_BUG_ON_MSG(condition, "BUILD_BUG_ON failed: " #condition)
#ifndef static_assert
#ifndef __cplusplus
#define static_assert(condition, ...) _Static_assert(condition, "" #condition)
#endif
#endif
