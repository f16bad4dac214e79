// SPDX-License-Identifier: MIT
#pragma once

#include <cstdarg>
#include <cstddef>

namespace quarry {

// To the default system's log, or to where the world's early text goes while there is no system.
void log_text(const char* text, size_t length);

// Messages of levels below this one are shown.
void set_console_loglevel(int level);

}  // namespace quarry
