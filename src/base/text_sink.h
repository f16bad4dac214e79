// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/text_sink.h"  // IWYU pragma: export: the public API shares it
