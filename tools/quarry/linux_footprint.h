// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace quarry::tool {

// Bytes of the free slots that Linux's caches had when the recording began, from
// NAME.truth/truth.json beside the trace NAME.kmt[.zst]. Nothing when there is no such file or it
// does not say, or the trace comes from standard input; throws ToolError when the file is not JSON.
std::optional<uint64_t> linux_free_slot_bytes_at_start(const std::string& trace_path);

// The name of a trace without its folder and its endings, for tables.
std::string trace_name(const std::string& trace_path);

}  // namespace quarry::tool
