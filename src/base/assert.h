// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/assert.h"  // IWYU pragma: export: the public API shares it
