// SPDX-License-Identifier: MIT
#include "command_line.h"

#include <fmt/ranges.h>
#include <quarry/memory_system.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "tool_error.h"

namespace quarry::tool {
namespace {

// CLI11's message without line breaks, so that every error is one line.
std::string one_line(std::string message) {
  std::ranges::replace(message, '\n', ' ');
  return message;
}

// CLI11 takes -1, and what is too large, for the largest unsigned number. Returns what is wrong, as
// CLI11 wants it.
std::string require_unsigned(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? "" : fmt::format("'{}' is not a number from 0 to 2^64 - 1", text);
}

std::string require_proc_name(const std::string& name) {
  const auto names = MemorySystem::proc_names();
  const bool known = std::ranges::any_of(names, [&](const char* each) { return name == each; });
  return known ? "" : fmt::format("there is no '{}', but {}", name, fmt::join(names, ", "));
}

void require_one_stdin(const std::vector<std::string>& traces) {
  if (std::ranges::count(traces, "-") > 1) throw ToolError("'-' can be given only once");
}

// `quarry replay` as it is typed.
struct ReplayWords {
  explicit ReplayWords(CLI::App& app)
      : command(app.add_subcommand("replay",
                                   "Replay allocation traces (kmtrace 1, zstd or plain, or packed) "
                                   "and show Quarry beside Linux")) {
    command->add_option("TRACE", options.traces, "Trace files, or - for standard input")
        ->required();
    command
        ->add_option("--engine", engines,
                     "Slab engine; several, with commas between them, or 'all' are shown side by "
                     "side")
        ->capture_default_str();
    command->add_option("--machine", machine,
                        "nodes=N,cpus=N,ram=SIZE (default: 1 node, the trace's CPUs, 8G); or "
                        "map=FILE,cpus=N: the memory that the text of a kernel's boot tells of");
    command->add_option("--json", json,
                        "Write the results as JSON to this file, or with - to standard output");
    command
        ->add_option("--proc", options.proc_names,
                     "Show this text of /proc as it is at the end (slabinfo, zoneinfo, ...)")
        ->delimiter(',')
        ->check(require_proc_name);
    command->add_option("--seed", options.machine.seed, "Seed of what is decided at random")
        ->check(require_unsigned)
        ->capture_default_str();
  }

  ReplayOptions checked() {
    options.engines = parse_engines(engines);
    options.machine.engine = options.engines.front();
    if (machine) parse_machine(*machine, options.machine);
    options.json = json;
    require_one_stdin(options.traces);
    if (options.engines.size() > 1 && std::ranges::count(options.traces, "-") != 0) {
      throw ToolError("'-' can be read by one engine only");
    }
    return std::move(options);
  }

  CLI::App* command;
  ReplayOptions options;
  std::string engines = "slub";
  std::optional<std::string> machine;
  std::optional<std::string> json;
};

// `quarry pack`
struct PackWords {
  explicit PackWords(CLI::App& app)
      : command(app.add_subcommand(
            "pack", "Turn a trace into the form that a kernel can replay (-initrd FILE)")) {
    command->add_option("TRACE", options.trace, "Trace file, or - for standard input")->required();
    command
        ->add_option("-o,--output", options.output,
                     "Write to this file, or with - to standard output")
        ->required();
  }

  CLI::App* command;
  PackOptions options;
};

// `quarry compare`
struct CompareWords {
  explicit CompareWords(CLI::App& app)
      : command(app.add_subcommand("compare",
                                   "Measure slab engines, and kmalloc, kzalloc and vmalloc, side "
                                   "by side")) {
    command->add_option("TRACE", traces, "Traces whose memory is compared too");
    command->add_option("--json", json,
                        "Write the figures as JSON to this file, or with - to standard output");
  }

  CompareOptions checked() {
    if (std::ranges::count(traces, "-") != 0) throw ToolError("'-' can be read by one engine only");
    return {std::move(traces), std::move(json)};
  }

  CLI::App* command;
  std::vector<std::string> traces;
  std::optional<std::string> json;
};

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  CLI::App app{
      "Linux's memory allocator in a process: run what a real kernel allocated through it."};
  app.name("quarry");
  app.set_version_flag("--version", "quarry " QUARRY_VERSION);
  app.require_subcommand(0, 1);  // that it is missing is said below, after what is there instead
  ReplayWords replay(app);
  PackWords pack(app);
  CompareWords compare(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {.text = app.help()};
  } catch (const CLI::CallForVersion&) {
    return {.text = app.version() + "\n"};
  } catch (const CLI::ParseError& error) {
    throw ToolError(one_line(error.what()) + " (see quarry --help)");
  }
  if (replay.command->parsed()) return {.replay = replay.checked()};
  if (pack.command->parsed()) return {.pack = pack.options};
  if (compare.command->parsed()) return {.compare = compare.checked()};
  throw ToolError("no command is given (see quarry --help)");
}

}  // namespace quarry::tool
