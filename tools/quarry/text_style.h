// SPDX-License-Identifier: MIT
// How numbers look in messages and tables.
#pragma once

#include <cstdint>
#include <string>

namespace quarry::tool {

// "33.1 MiB", "8 GiB", "512 B": three digits or so, in the largest unit that fits.
std::string format_bytes(uint64_t bytes);

// "1,348,251"
std::string format_count(uint64_t count);

// "97.3 %" of `part` in `whole`; "-" of nothing.
std::string format_percent(uint64_t part, uint64_t whole);

// "1.05" of `part` to `whole`; "-" to nothing.
std::string format_ratio(uint64_t part, uint64_t whole);

}  // namespace quarry::tool
