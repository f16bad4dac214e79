// SPDX-License-Identifier: MIT
#include "machine_spec.h"

#include <fmt/ranges.h>
#include <quarry/hosted_platform.h>
#include <quarry/memory_system.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "memory_map_file.h"
#include "text_style.h"
#include "tool_error.h"
#include "trace_events.h"

namespace quarry::tool {
namespace {

// Below this there is no room for tables and watermarks: of each node, and of a machine of one.
constexpr uint64_t kMinNodeBytes = uint64_t{32} << 20;
constexpr uint64_t kMinBytes = uint64_t{1} << 20;
// What a hosted machine can be.
constexpr uint64_t kMaxRamBytes = uint64_t{4} << 40;

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A number of bytes as kernel parameters write it: 512M, 8G.
std::optional<uint64_t> parse_size(std::string_view text) {
  unsigned shift = 0;
  if (!text.empty()) {
    const auto suffix = std::string_view("KMGTkmgt").find(text.back());
    if (suffix != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(suffix) % 4 + 1);
      text.remove_suffix(1);
    }
  }
  const auto value = parse_number(text);
  if (!value || *value > (std::numeric_limits<uint64_t>::max() >> shift)) return std::nullopt;
  return *value << shift;
}

unsigned parse_count(std::string_view key, std::string_view text, uint64_t most) {
  const auto value = parse_number(text);
  if (!value || *value < 1 || *value > most) {
    throw ToolError(fmt::format("--machine: {}={} is not possible: 1 to {}", key, text, most));
  }
  return static_cast<unsigned>(*value);
}

uint64_t parse_ram(std::string_view text) {
  const auto bytes = parse_size(text);
  if (!bytes) throw ToolError(fmt::format("--machine: ram={} is not a size such as 8G", text));
  if (*bytes % kPageBytes != 0) {
    throw ToolError(fmt::format("--machine: ram={} is not a number of whole pages", text));
  }
  if (*bytes > kMaxRamBytes) {
    throw ToolError(
        fmt::format("--machine: ram={} is more than {}", text, format_bytes(kMaxRamBytes)));
  }
  return *bytes;
}

// Takes the machine's memory from a file.
void take_memory_map(std::string_view path, MachineSpec& spec) {
  spec.memory_map = read_memory_map(std::string(path));
  spec.nodes = 1;
  spec.ram_bytes = 0;
  for (const MemoryRange& range : spec.memory_map) {
    spec.nodes = std::max(spec.nodes, static_cast<unsigned>(range.node.value()) + 1);
    if (range.type == MemoryType::kUsable) spec.ram_bytes += range.bytes;
  }
}

void parse_part(std::string_view part, std::string_view key, MachineSpec& spec) {
  const std::string_view value = part.substr(std::min(part.size(), key.size() + 1));
  if (key == "nodes") {
    spec.nodes = parse_count(key, value, HostedPlatform::kMaxNodes);
  } else if (key == "cpus") {
    spec.cpus = parse_count(key, value, HostedPlatform::kMaxCpus);
  } else if (key == "ram") {
    spec.ram_bytes = parse_ram(value);
  } else if (key == "map") {
    take_memory_map(value, spec);
  } else {
    throw ToolError(
        fmt::format("--machine: '{}' is none of nodes=N, cpus=N, ram=SIZE, map=FILE", part));
  }
}

}  // namespace

void parse_machine(std::string_view text, MachineSpec& spec) {
  std::string_view rest = text;
  std::string_view seen;  // the keys before the current part
  bool more = true;
  while (more) {
    const std::string_view part = rest.substr(0, rest.find(','));
    more = part.size() < rest.size();
    const std::string_view key = part.substr(0, part.find('='));
    parse_part(part, key, spec);
    if (seen.find(fmt::format("{}=", key)) != seen.npos) {
      throw ToolError(fmt::format("--machine: '{}' is given twice", key));
    }
    rest.remove_prefix(part.size() + (more ? 1 : 0));
    seen = text.substr(0, text.size() - rest.size());
  }
  if (!spec.memory_map.empty()) {
    if (seen.find("nodes=") != seen.npos || seen.find("ram=") != seen.npos) {
      throw ToolError("--machine: map=FILE says which nodes and RAM there are");
    }
    return;
  }
  const uint64_t least = spec.nodes == 1 ? kMinBytes : kMinNodeBytes;
  if (spec.ram_bytes / spec.nodes < least) {
    throw ToolError(fmt::format("--machine: {} on {} node(s) is less than {} each",
                                format_bytes(spec.ram_bytes), spec.nodes, format_bytes(least)));
  }
}

std::vector<std::string> engine_names() {
  std::vector<std::string> names;
  for (unsigned i = 0; i != slab_engine_count(); ++i) {
    names.emplace_back(slab_engine_name(static_cast<SlabEngineKind>(i)));
  }
  return names;
}

std::vector<std::string> parse_engines(std::string_view text) {
  std::vector<std::string> all = engine_names();
  if (text == "all") return all;
  std::vector<std::string> chosen;
  for (bool more = true; more;) {
    const std::string name(text.substr(0, text.find(',')));
    more = name.size() != text.size();
    text.remove_prefix(name.size() + (more ? 1 : 0));
    if (std::ranges::find(all, name) == all.end()) {
      throw ToolError(
          fmt::format("--engine: there is no engine '{}', but {}", name, fmt::join(all, ", ")));
    }
    if (std::ranges::find(chosen, name) != chosen.end()) {
      throw ToolError(fmt::format("--engine: '{}' is given twice", name));
    }
    chosen.push_back(name);
  }
  return chosen;
}

std::string describe(const MachineSpec& spec) {
  return fmt::format("{} node{}, {} CPU{}, {}", spec.nodes, spec.nodes == 1 ? "" : "s", spec.cpus,
                     spec.cpus == 1 ? "" : "s", format_bytes(spec.ram_bytes));
}

}  // namespace quarry::tool
