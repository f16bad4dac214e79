/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>

/* Nothing of a program is thrown away after its start. In C++ __init is a name of the library's. */
#ifndef __cplusplus
#define __init
#define __exit
#define __initdata
#define __initconst
#define __exitdata
#endif

typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);
