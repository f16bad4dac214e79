// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/bits.h"  // IWYU pragma: export: the public API shares it
