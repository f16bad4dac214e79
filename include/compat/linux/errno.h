/* SPDX-License-Identifier: MIT */
/* The error numbers that the kernel uses inside only, beside those that programs know. */
#pragma once

#if __has_include_next(<linux/errno.h>)
#include_next <linux/errno.h>
#endif

#ifndef ERESTARTSYS
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ENOIOCTLCMD 515
#define EPROBE_DEFER 517
#define EOPENSTALE 518
#define ENOPARAM 519
#define ENOTSUPP 524
#endif
