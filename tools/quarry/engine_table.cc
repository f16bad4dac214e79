// SPDX-License-Identifier: MIT
#include "engine_table.h"

#include <fmt/format.h>

#include "table.h"
#include "text_style.h"

namespace quarry::tool {
namespace {

uint64_t array_operations(const ArrayTotals& totals) {
  return totals.hits + totals.refills + totals.flushes;
}

struct Question {
  const char* label;
  std::string (*answer)(const RunResult& run);
};

// Memory of objects up to 8 KiB. What the trace alone decides is the same for all.
constexpr Question kQuestions[] = {
    {"live objects at peak", [](const RunResult& run) { return format_bytes(run.live.slab.peak); }},
    {"slab pages at peak",
     [](const RunResult& run) { return format_bytes(run.peak_slab_pages * kPageBytes); }},
    {"slab pages at peak / live at peak",
     [](const RunResult& run) {
       return format_ratio(run.peak_slab_pages * kPageBytes, run.live.slab.peak);
     }},
    {"slab pages at end",
     [](const RunResult& run) { return format_bytes(run.end_slab_pages * kPageBytes); }},
    {"allocations and frees of one step",
     [](const RunResult& run) {
       const ArrayTotals totals = run.array_totals();
       return format_percent(totals.hits, array_operations(totals));
     }},
    {"array refills",
     [](const RunResult& run) { return format_count(run.array_totals().refills); }},
    {"array flushes",
     [](const RunResult& run) { return format_count(run.array_totals().flushes); }},
    {"failed allocations",
     [](const RunResult& run) { return format_count(run.failed_allocations()); }},
    {"ns per event, parsing included",
     [](const RunResult& run) { return fmt::format("{:.0f}", run.ns_per_event); }},
    {"layout_hash", [](const RunResult& run) { return fmt::format("{:016x}", run.layout_hash); }},
    {"validate", [](const RunResult& run) { return run.validate; }},
};

}  // namespace

std::string engine_table(std::span<const RunResult> runs) {
  const RunResult& first = runs.front();
  Table table;
  table.title = fmt::format("{}: {} events on {}", first.name, format_count(first.events),
                            describe(first.machine));
  for (const RunResult& run : runs) table.columns.push_back(run.machine.engine);
  for (const Question& question : kQuestions) {
    Table::Row row{question.label, {}};
    for (const RunResult& run : runs) row.cells.push_back(question.answer(run));
    table.rows.push_back(std::move(row));
  }
  return render(table) + "\n";
}

}  // namespace quarry::tool
