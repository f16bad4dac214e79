/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <quarry/abi/page.h>
