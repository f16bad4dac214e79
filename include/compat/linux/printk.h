/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/kern_levels.h>
#include <linux/types.h>
#include <stdarg.h>

QUARRY_DECLARATIONS_BEGIN

/*
 * One line to the machine's log, cut at 1000 characters. Shown if its level is below the console's:
 * 7, or what loglevel=, quiet or debug of QUARRY_CMDLINE say. Conversions are those of the C
 * library. Any context. Characters of the line.
 */
int printk(const char* format, ...) __printf(1, 2);
int vprintk(const char* format, va_list args) __printf(1, 0);

/* The callers of the caller, to the log. */
void dump_stack(void);

/* Reports and stops the program (SIGABRT). */
void panic(const char* format, ...) __printf(1, 2) __attribute__((__noreturn__)) __cold;

QUARRY_DECLARATIONS_END

#ifndef pr_fmt
#define pr_fmt(format) format
#endif

#define pr_emerg(format, ...) printk(KERN_EMERG pr_fmt(format), ##__VA_ARGS__)
#define pr_alert(format, ...) printk(KERN_ALERT pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) printk(KERN_CRIT pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) printk(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) printk(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) printk(KERN_NOTICE pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) printk(KERN_INFO pr_fmt(format), ##__VA_ARGS__)
#define pr_cont(format, ...) printk(KERN_CONT format, ##__VA_ARGS__)

/* Checked by the compiler and never printed. */
#define no_printk(format, ...) ((void)(0 && printk(format, ##__VA_ARGS__)))
#ifdef DEBUG
#define pr_debug(format, ...) printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#else
#define pr_debug(format, ...) no_printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#endif
#define pr_devel pr_debug

#define printk_once(format, ...)                                         \
  do {                                                                   \
    static bool quarry_printed;                                          \
    if (!__atomic_exchange_n(&quarry_printed, true, __ATOMIC_RELAXED)) { \
      printk(format, ##__VA_ARGS__);                                     \
    }                                                                    \
  } while (0)
#define pr_err_once(format, ...) printk_once(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn_once(format, ...) printk_once(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_info_once(format, ...) printk_once(KERN_INFO pr_fmt(format), ##__VA_ARGS__)
