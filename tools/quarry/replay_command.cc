// SPDX-License-Identifier: MIT
#include "replay_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "engine_table.h"
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

// Through one engine after the other.
std::vector<RunResult> replay_trace(const ReplayOptions& options, const std::string& trace,
                                    std::unique_ptr<TraceSource> source,
                                    const ReplayMachineFactory& make_machine) {
  std::vector<RunResult> runs;
  ReplayOptions one = options;
  for (const std::string& engine : options.engines) {
    one.machine.engine = engine;
    if (source == nullptr) source = std::make_unique<TraceSource>(trace);
    runs.push_back(replay_one(one, trace, *source, make_machine));
    source.reset();
  }
  return runs;
}

// Those that were asked for, of every engine.
std::string proc_texts(const ReplayOptions& options, std::span<const RunResult> runs) {
  std::string text;
  for (const RunResult& run : runs) {
    for (const std::string& name : options.proc_names) {
      text += fmt::format("/proc/{} after {} through {}\n{}\n", name, run.name, run.machine.engine,
                          run.proc_texts.at(name));
    }
  }
  return text;
}

// All are opened first: a name that is wrong shall not wait for the replays before it.
std::vector<std::unique_ptr<TraceSource>> open_all(const std::vector<std::string>& traces) {
  std::vector<std::unique_ptr<TraceSource>> sources;
  sources.reserve(traces.size());
  for (const std::string& trace : traces) sources.push_back(std::make_unique<TraceSource>(trace));
  return sources;
}

}  // namespace

std::vector<RunResult> replay_all(const ReplayOptions& options,
                                  const ReplayMachineFactory& make_machine) {
  std::vector<std::unique_ptr<TraceSource>> sources = open_all(options.traces);
  std::vector<RunResult> runs;
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::vector<RunResult> of_trace =
        replay_trace(options, options.traces[i], std::move(sources[i]), make_machine);
    runs.insert(runs.end(), of_trace.begin(), of_trace.end());
  }
  return runs;
}

int replay_command(const ReplayOptions& options, const ReplayMachineFactory& make_machine) {
  std::optional<OutputFile> json;
  if (options.json) json.emplace(*options.json);
  const bool tables = options.json != "-";

  std::vector<std::unique_ptr<TraceSource>> sources = open_all(options.traces);
  const bool one_engine = options.engines.size() == 1;
  std::vector<RunResult> runs;
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::vector<RunResult> of_trace =
        replay_trace(options, options.traces[i], std::move(sources[i]), make_machine);
    if (tables) write_stdout(one_engine ? text_report(of_trace.front()) : engine_table(of_trace));
    if (tables) write_stdout(proc_texts(options, of_trace));
    runs.insert(runs.end(), of_trace.begin(), of_trace.end());
  }
  if (tables && one_engine) write_stdout(comparison_table(runs));
  if (json) json->write(json_report(runs));
  const bool valid =
      std::ranges::all_of(runs, [](const RunResult& run) { return run.validate == "ok"; });
  return valid ? 0 : 1;
}

}  // namespace quarry::tool
