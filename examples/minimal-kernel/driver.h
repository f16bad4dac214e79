/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes memory in every way there is. False: it did not get it, or it is not as it should be. */
bool driver_open(void);
/* Gives all of it back. */
void driver_close(void);
/* Writes where it may not: the page behind a vmalloc area. */
void driver_overrun(void);

#ifdef __cplusplus
}
#endif
