// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/units.h"  // IWYU pragma: export: the public API shares it
