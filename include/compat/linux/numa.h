/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a node is asked for: any. */
#define NUMA_NO_NODE (-1)
