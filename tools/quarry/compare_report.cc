// SPDX-License-Identifier: MIT
#include "compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "table.h"
#include "text_style.h"

namespace quarry::tool {
namespace {

using Json = nlohmann::ordered_json;

std::string ns(double value) { return fmt::format("{:.{}f} ns", value, value < 100 ? 1 : 0); }
std::string bytes_of(double value) { return fmt::format("{:.1f} B", value); }
std::string yes_no(bool value) { return value ? "yes" : "no"; }

// Rows of a table over any figures.
template <class Figures>
class Rows {
 public:
  Rows(Table& table, std::span<const Figures> all) : table_(table), all_(all) {}

  void heading(const char* label) { table_.rows.push_back({label, {}}); }
  void row(const std::string& label, const std::function<std::string(const Figures&)>& cell) {
    Table::Row row{label, {}};
    for (const Figures& figures : all_) row.cells.push_back(cell(figures));
    table_.rows.push_back(std::move(row));
  }

 private:
  Table& table_;
  std::span<const Figures> all_;
};

Table engine_comparison(std::span<const EngineFigures> engines) {
  Table table{.title = "Slab engines"};
  for (const EngineFigures& figures : engines) table.columns.push_back(figures.engine);
  using E = const EngineFigures&;
  Rows<EngineFigures> rows(table, engines);
  rows.heading("memory");
  for (size_t i = 0; i != engines.front().traces.size(); ++i) {
    rows.row(fmt::format("slabs / live objects, {} at peak", engines.front().traces[i].trace),
             [i](E e) { return format_ratio(e.traces[i].slab_bytes, e.traces[i].live_bytes); });
  }
  rows.row("slabs / requested, 40,000 kmallocs",
           [](E e) { return format_ratio(e.mixed_slab_bytes, e.mixed_requested_bytes); });
  rows.row("the same with three of four freed",
           [](E e) { return format_ratio(e.sparse_slab_bytes, e.sparse_requested_bytes); });
  rows.row("overhead of kmalloc(64)", [](E e) { return bytes_of(e.kmalloc64_overhead_bytes); });
  rows.row("overhead of a cache's 64 bytes",
           [](E e) { return bytes_of(e.cache64_overhead_bytes); });
  rows.row("taken on an idle machine of 64 MiB", [](E e) { return format_bytes(e.idle_bytes); });
  rows.row("smallest machine that serves", [](E e) { return format_bytes(e.smallest_ram_bytes); });
  rows.heading("time of one allocation and free, 64 bytes");
  rows.row("one after the other, kmalloc", [](E e) { return ns(e.pair_ns); });
  rows.row("one after the other, of a cache", [](E e) { return ns(e.cache_pair_ns); });
  rows.row("1000, freed in order", [](E e) { return ns(e.batch_ns); });
  rows.row("1000, freed in any order", [](E e) { return ns(e.random_ns); });
  rows.heading("what it says to a mistake");
  for (size_t i = 0; i != engines.front().bugs.size(); ++i) {
    rows.row(engines.front().bugs[i].label, [i](E e) { return e.bugs[i].as_it_is; });
  }
  rows.heading("the same with the cache's debugging flags");
  for (size_t i = 0; i != engines.front().bugs.size(); ++i) {
    rows.row(engines.front().bugs[i].label, [i](E e) { return e.bugs[i].debugged; });
  }
  return table;
}

Table call_comparison(std::span<const CallFigures> calls) {
  Table table{.title = "Calls"};
  for (const CallFigures& figures : calls) table.columns.push_back(figures.call);
  using C = const CallFigures&;
  const auto pieces = [](size_t count) {
    return count == 0 ? std::string("refused") : format_count(count);
  };
  Rows<CallFigures> rows(table, calls);
  rows.heading("contiguity");
  rows.row("virtually contiguous", [](C c) { return yes_no(c.virtually_contiguous); });
  rows.row("pieces of physical memory in 64 KiB", [&](C c) { return pieces(c.pieces); });
  rows.row("  where no free frames are neighbours",
           [&](C c) { return pieces(c.pieces_fragmented); });
  rows.heading("content and size");
  rows.row("old data in 64 KiB of used memory", [](C c) { return format_bytes(c.dirty_bytes); });
  rows.row("100 bytes occupy", [](C c) { return format_bytes(c.bytes_of_100); });
  rows.row("5000 bytes occupy", [](C c) { return format_bytes(c.bytes_of_5000); });
  rows.row("largest, of 256 MiB of RAM", [](C c) { return format_bytes(c.largest_bytes); });
  rows.row("  where no free frames are neighbours",
           [](C c) { return format_bytes(c.largest_bytes_fragmented); });
  rows.heading("time");
  rows.row("allocate and free 100 B", [](C c) { return ns(c.ns_of_100); });
  rows.row("allocate and free 4 KiB", [](C c) { return ns(c.ns_of_4k); });
  rows.row("allocate and free 64 KiB", [](C c) { return ns(c.ns_of_64k); });
  rows.row("allocate and free 1 MiB", [](C c) { return ns(c.ns_of_1m); });
  rows.row("touch a page of 4 MiB, any order", [](C c) { return ns(c.touch_ns); });
  rows.row("mappings for 1 MiB of scattered frames", [](C c) {
    return c.pieces_fragmented == 0 ? "refused" : format_count(c.host_mappings);
  });
  rows.heading("devices and interrupts");
  rows.row("one DMA transfer of 64 KiB", [](C c) { return yes_no(c.one_transfer()); });
  rows.row("GFP_DMA: below 16 MiB", [](C c) { return yes_no(c.dma_below_16m); });
  rows.row("GFP_ATOMIC in an interrupt", [](C c) { return yes_no(c.in_interrupt); });
  return table;
}

// Figures as close as this are the same.
constexpr double kAsGood = 0.03;

// What the figures themselves say for an engine.
std::string strengths(std::span<const EngineFigures> all, const EngineFigures& one) {
  struct Contest {
    const char* what;
    double (*figure)(const EngineFigures& engine);  // the least wins
  };
  static constexpr Contest kContests[] = {
      {"the fastest pair", [](const EngineFigures& e) { return e.pair_ns; }},
      {"the fastest in any order", [](const EngineFigures& e) { return e.random_ns; }},
      {"the least memory for kmalloc",
       [](const EngineFigures& e) { return static_cast<double>(e.mixed_slab_bytes); }},
      {"the least after frees",
       [](const EngineFigures& e) { return static_cast<double>(e.sparse_slab_bytes); }},
      {"the smallest when idle",
       [](const EngineFigures& e) { return static_cast<double>(e.idle_bytes); }},
      {"the most mistakes noticed",
       [](const EngineFigures& e) { return -static_cast<double>(e.noticed_bugs()); }},
      {"the most noticed when debugged",
       [](const EngineFigures& e) { return -static_cast<double>(e.noticed_bugs_debugged()); }},
  };
  std::string text;
  for (const Contest& contest : kContests) {
    const bool wins = std::ranges::all_of(all, [&](const EngineFigures& other) {
      const double best = contest.figure(other);
      return contest.figure(one) <= best + kAsGood * std::abs(best);
    });
    if (wins) text += (text.empty() ? "" : ", ") + std::string(contest.what);
  }
  return text.empty() ? "none of the best figures" : text;
}

std::string engine_advice(const std::string& engine) {
  if (engine == "slub") return "choose it unless something speaks for another";
  if (engine == "slab") return "where array sizes are to be tuned while the system runs";
  if (engine == "slob") return "where a few MiB are all there is";
  return "see its documentation";
}

std::string call_advice(const std::string& call) {
  if (call == "kmalloc") return "objects up to some pages, for devices, under locks, in interrupts";
  if (call == "kzalloc") return "the same, where the old content must not be seen";
  return "large tables that only the CPU uses, in process context; survives fragmented memory";
}

Json to_json(const EngineFigures& e) {
  Json traces = Json::array();
  for (const EngineFigures::TraceUse& use : e.traces) {
    traces.push_back({{"trace", use.trace},
                      {"peak_slab_bytes", use.slab_bytes},
                      {"peak_live_bytes", use.live_bytes}});
  }
  Json bugs = Json::object();
  for (const PlantedBug& bug : e.bugs) {
    bugs[bug.name] = {{"as_it_is", bug.as_it_is}, {"debugged", bug.debugged}};
  }
  return {{"engine", e.engine},
          {"traces", traces},
          {"mixed_requested_bytes", e.mixed_requested_bytes},
          {"mixed_slab_bytes", e.mixed_slab_bytes},
          {"sparse_requested_bytes", e.sparse_requested_bytes},
          {"sparse_slab_bytes", e.sparse_slab_bytes},
          {"kmalloc64_overhead_bytes", e.kmalloc64_overhead_bytes},
          {"cache64_overhead_bytes", e.cache64_overhead_bytes},
          {"idle_bytes", e.idle_bytes},
          {"smallest_ram_bytes", e.smallest_ram_bytes},
          {"pair_ns", e.pair_ns},
          {"cache_pair_ns", e.cache_pair_ns},
          {"batch_ns", e.batch_ns},
          {"random_ns", e.random_ns},
          {"bugs", bugs}};
}

Json to_json(const CallFigures& c) {
  return {{"call", c.call},
          {"virtually_contiguous", c.virtually_contiguous},
          {"pieces", c.pieces},
          {"pieces_fragmented", c.pieces_fragmented},
          {"dirty_bytes", c.dirty_bytes},
          {"bytes_of_100", c.bytes_of_100},
          {"bytes_of_5000", c.bytes_of_5000},
          {"largest_bytes", c.largest_bytes},
          {"largest_bytes_fragmented", c.largest_bytes_fragmented},
          {"ns_of_100", c.ns_of_100},
          {"ns_of_4k", c.ns_of_4k},
          {"ns_of_64k", c.ns_of_64k},
          {"ns_of_1m", c.ns_of_1m},
          {"touch_ns", c.touch_ns},
          {"host_mappings", c.host_mappings},
          {"one_dma_transfer", c.one_transfer()},
          {"dma_below_16m", c.dma_below_16m},
          {"in_interrupt", c.in_interrupt}};
}

}  // namespace

std::string comparison_text(std::span<const EngineFigures> engines,
                            std::span<const CallFigures> calls) {
  std::string text = render(engine_comparison(engines)) + "\n";
  for (const EngineFigures& engine : engines) {
    text += fmt::format("{}: {}. Here: {}.\n", engine.engine, engine_advice(engine.engine),
                        strengths(engines, engine));
  }
  text += "\n" + render(call_comparison(calls)) + "\n";
  for (const CallFigures& call : calls) {
    text += fmt::format("{}: {}.\n", call.call, call_advice(call.call));
  }
  return text;
}

std::string comparison_json(std::span<const EngineFigures> engines,
                            std::span<const CallFigures> calls) {
  Json json = {{"engines", Json::array()}, {"calls", Json::array()}};
  for (const EngineFigures& engine : engines) json["engines"].push_back(to_json(engine));
  for (const CallFigures& call : calls) json["calls"].push_back(to_json(call));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace quarry::tool
