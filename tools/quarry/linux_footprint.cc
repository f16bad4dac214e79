// SPDX-License-Identifier: MIT
#include "linux_footprint.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tool_error.h"

namespace quarry::tool {

std::string trace_name(const std::string& trace_path) {
  if (trace_path == "-") return "stdin";
  std::filesystem::path name = std::filesystem::path(trace_path).filename();
  if (name.extension() == ".zst") name = name.stem();
  if (name.extension() == ".kmt") name = name.stem();
  return name.string();
}

std::optional<uint64_t> linux_free_slot_bytes_at_start(const std::string& trace_path) {
  if (trace_path == "-") return std::nullopt;
  const std::filesystem::path path = std::filesystem::path(trace_path).parent_path() /
                                     (trace_name(trace_path) + ".truth") / "truth.json";
  std::ifstream file(path);
  if (!file) return std::nullopt;
  const auto truth = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (truth.is_discarded()) throw ToolError(fmt::format("{}: not JSON", path.string()));
  const nlohmann::json::json_pointer key("/linux_slab_pages_slabinfo/free_slots_bytes_before");
  if (!truth.contains(key) || !truth[key].is_number_unsigned()) return std::nullopt;
  return truth[key].get<uint64_t>();
}

}  // namespace quarry::tool
