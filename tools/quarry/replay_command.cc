// SPDX-License-Identifier: MIT
#include "replay_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "json_report.h"
#include "linux_footprint.h"
#include "output_file.h"
#include "progress_bar.h"
#include "replay.h"
#include "text_report.h"
#include "tool_error.h"
#include "trace_input.h"
#include "trace_source.h"

namespace quarry::tool {
namespace {

using Clock = std::chrono::steady_clock;

// Slots are used again when they are free, so their number bounds what is live at a time. Most page
// blocks are single pages and most objects are smaller than half a KiB.
uint64_t expected_bytes(const replay::SlotCounts& slots) {
  return uint64_t{slots.page} * 6 * 1024 + uint64_t{slots.object} * 512;
}

// The asked-for machine with what is left to the trace filled in.
MachineSpec machine_for(const ReplayOptions& options, const std::string& trace,
                        const replay::TraceTables& tables) {
  const unsigned cpus = tables.cpus;
  MachineSpec spec = options.machine;
  spec.expected_bytes = std::min(expected_bytes(tables.slots), spec.ram_bytes / 8);
  if (spec.cpus == 0) spec.cpus = std::max(cpus, 1U);
  if (spec.cpus >= cpus) return spec;
  throw ToolError(
      fmt::format("--machine: cpus={} is too few: {} was recorded on {}", spec.cpus, trace, cpus));
}

RunResult replay_one(const ReplayOptions& options, const std::string& trace, TraceSource& source,
                     const ReplayMachineFactory& make_machine) {
  const auto free_slot_bytes = linux_free_slot_bytes_at_start(trace);
  const auto begin = Clock::now();
  const std::unique_ptr<TraceInput> input = open_trace(trace == "-" ? "<stdin>" : trace, source);
  const auto header_read = Clock::now();
  const MachineSpec spec = machine_for(options, trace, input->tables());
  const std::unique_ptr<ReplayMachine> machine = make_machine(spec);
  const auto machine_made = Clock::now();

  ProgressBar bar(trace_name(trace), input->tables().events);
  Replay replay(*input, *machine);
  RunResult run = replay.run([&bar](uint64_t events) { bar.update(events); });

  const auto spent = header_read - begin + run.replay_time;
  run.ns_per_event = static_cast<double>(std::chrono::nanoseconds(spent).count()) /
                     static_cast<double>(std::max<uint64_t>(run.events, 1));
  run.machine_ns = std::chrono::nanoseconds(machine_made - header_read).count();
  run.trace = trace;
  run.name = trace_name(trace);
  run.machine = spec;
  run.linux_free_slot_bytes_at_start = free_slot_bytes;
  return run;
}

}  // namespace

int replay_command(const ReplayOptions& options, const ReplayMachineFactory& make_machine) {
  std::optional<OutputFile> json;
  if (options.json) json.emplace(*options.json);
  const bool tables = options.json != "-";

  // All are opened first: a name that is wrong shall not wait for the replays before it.
  std::vector<std::unique_ptr<TraceSource>> sources;
  for (const std::string& trace : options.traces) {
    sources.push_back(std::make_unique<TraceSource>(trace));
  }
  std::vector<RunResult> runs;
  for (size_t i = 0; i < sources.size(); ++i) {
    runs.push_back(replay_one(options, options.traces[i], *sources[i], make_machine));
    sources[i].reset();
    if (tables) write_stdout(text_report(runs.back()));
  }
  if (tables) write_stdout(comparison_table(runs));
  if (json) json->write(json_report(runs));
  const bool valid =
      std::ranges::all_of(runs, [](const RunResult& run) { return run.validate == "ok"; });
  return valid ? 0 : 1;
}

}  // namespace quarry::tool
