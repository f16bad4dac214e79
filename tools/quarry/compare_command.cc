// SPDX-License-Identifier: MIT
#include "compare_command.h"

#include <quarry/memory_system.h>

#include "compare_report.h"
#include "output_file.h"
#include "replay_command.h"
#include "simulated_machine.h"

namespace quarry::tool {
namespace {

// Every trace through every engine.
std::vector<RunResult> replay_traces(const CompareOptions& options) {
  ReplayOptions replay;
  replay.traces = options.traces;
  replay.engines = engine_names();
  return replay_all(replay, make_simulated_machine);
}

EngineFigures figures_of(unsigned engine, std::span<const RunResult> runs) {
  EngineFigures figures = measure_engine(engine);
  for (const RunResult& run : runs) {
    if (run.machine.engine != figures.engine) continue;
    figures.traces.push_back({run.name, run.peak_slab_pages * kPageBytes, run.live.slab.peak});
  }
  return figures;
}

}  // namespace

void compare_command(const CompareOptions& options) {
  std::optional<OutputFile> json;
  if (options.json) json.emplace(*options.json);
  // First, because they may be wrong.
  const std::vector<RunResult> runs = replay_traces(options);
  std::vector<EngineFigures> engines;
  for (unsigned i = 0; i != slab_engine_count(); ++i) engines.push_back(figures_of(i, runs));
  const std::vector<CallFigures> calls = measure_calls();
  if (options.json != "-") write_stdout(comparison_text(engines, calls));
  if (json) json->write(comparison_json(engines, calls));
}

}  // namespace quarry::tool
