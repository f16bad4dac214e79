/* SPDX-License-Identifier: MIT */
#pragma once

/* What the links of a removed entry hold: addresses that fault, and tell what went wrong. */
#define LIST_POISON1 ((void*)0xdead000000000100UL)
#define LIST_POISON2 ((void*)0xdead000000000122UL)
