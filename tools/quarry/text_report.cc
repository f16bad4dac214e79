// SPDX-License-Identifier: MIT
#include "text_report.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "cache_waste.h"
#include "text_style.h"

namespace quarry::tool {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kWastingCaches = 10;
constexpr size_t kReportLines = 12;

using Text = fmt::memory_buffer;

template <typename... Args>
void line(Text& text, fmt::format_string<Args...> pattern, Args&&... args) {
  fmt::format_to(std::back_inserter(text), pattern, std::forward<Args>(args)...);
  text.push_back('\n');
}

void heading(Text& text, const char* title) { line(text, "\n  {}", title); }

// A text from the trace, cut to what is left of a line.
std::string_view fit(std::string_view words, size_t used) { return words.substr(0, kWidth - used); }

void add_title(Text& text, const RunResult& run) {
  line(text, "{:=<{}}", fmt::format("== {} ", fit(run.name, 10)), kWidth);
  if (!run.title.empty()) line(text, "{}", fit(run.title, 0));
  const std::string recorded = fmt::format("recorded on {} CPUs in {:.2f} s: ", run.trace_cpus,
                                           static_cast<double>(run.duration_ns) / 1e9);
  line(text, "{}{}", recorded, fit(run.source, recorded.size()));
  line(text, "replayed through {} on a machine of {} (seed {})", run.machine.engine,
       describe(run.machine), run.machine.seed);
}

void add_kind(Text& text, const char* name, const KindCounts& kind) {
  if (kind.allocations == 0) return;
  line(text, "    {:<38}{:>12}{:>12}{:>12}{:>12}{:>10}", name, format_count(kind.allocations),
       format_count(kind.frees), format_count(kind.inferred_frees), format_count(kind.live),
       format_count(kind.failed));
}

void add_events(Text& text, const RunResult& run) {
  line(text, "\n  {:<40}{:>12}{:>12}{:>12}{:>12}{:>10}",
       fmt::format("Events: {}", format_count(run.events)), "allocated", "freed", "inferred",
       "live at end", "failed");
  add_kind(text, "kmalloc", run.kmalloc);
  add_kind(text, "objects of caches", run.cache_objects);
  add_kind(text, "page blocks", run.blocks);
  add_kind(text, "vmalloc", run.vmalloc);
  add_kind(text, "address ranges without memory", run.ranges);
  add_kind(text, "per-CPU memory: counted only", run.percpu);
  add_kind(text, "Linux's backing blocks: followed only", run.backing);
  const UnmatchedFrees& frees = run.unmatched;
  line(text, "    {:<50}{:>12}", "frees of unknown objects: not replayed",
       format_count(frees.total()));
  if (frees.total() != 0) {
    line(text,
         "      {} from before the trace, {} without an allocation event, {} either, {} of free "
         "slots",
         format_count(frees.before_trace), format_count(frees.hidden_allocation),
         format_count(frees.unexplained), format_count(frees.dead_slots));
  }
  line(text, "    {:<86}{:>10}", "failed allocations in all",
       format_count(run.failed_allocations()));
  const auto& context = run.events_by_context;
  line(text, "    in task context {}, softirq {}, hardirq {}, NMI {}", format_count(context[0]),
       format_count(context[1]), format_count(context[2]), format_count(context[3]));
}

void add_memory_row(Text& text, const char* name, const std::string& quarry,
                    const std::string& linux_bytes, const char* note = "") {
  // Trailing blanks of an empty note would only be noise in a file.
  line(text, "    {:<38}{:>12}{:>14}{}{}", name, quarry, linux_bytes, *note == 0 ? "" : "  ", note);
}

void add_memory(Text& text, const RunResult& run) {
  const Level& linux_slab = run.linux_pages.pages(SiteClass::kPageSlab);
  const uint64_t peak = run.peak_slab_pages * kPageBytes;
  const uint64_t linux_peak = linux_slab.peak * kPageBytes;
  const std::string free_slots = run.linux_free_slot_bytes_at_start
                                     ? format_bytes(*run.linux_free_slot_bytes_at_start)
                                     : "unknown";
  line(text, "\n  {:<40}{:>12}{:>14}", "Memory of objects up to 8 KiB", "Quarry", "Linux");
  add_memory_row(text, "slab pages at peak", format_bytes(peak), format_bytes(linux_peak),
                 "net, of the recording");
  add_memory_row(text, "free slots when the trace began", format_bytes(0), free_slots,
                 "used before new pages");
  add_memory_row(text, "slab pages at end", format_bytes(run.end_slab_pages * kPageBytes),
                 format_bytes(linux_slab.now * kPageBytes));
  add_memory_row(text, "live objects at peak", format_bytes(run.live.slab.peak), "the same");
  add_memory_row(text, "  of these requested", format_bytes(run.live.requested.peak), "the same");
  add_memory_row(text, "slab pages at peak / live at peak", format_ratio(peak, run.live.slab.peak),
                 format_ratio(linux_peak, run.live.slab.peak));
  if (run.linux_free_slot_bytes_at_start) {
    add_memory_row(
        text, "  with Linux's free slots counted in", "",
        format_ratio(linux_peak + *run.linux_free_slot_bytes_at_start, run.live.slab.peak),
        "at most");
  }
  add_memory_row(text, "live objects at end", format_bytes(run.live.slab.now), "the same");
}

void add_other_memory(Text& text, const RunResult& run) {
  line(text, "\n  {:<40}{:>12}{:>14}", "Other memory at its peak", "Quarry", "Linux");
  const auto linux_peak = [&run](SiteClass site) {
    return format_bytes(run.linux_pages.pages(site).peak * kPageBytes);
  };
  const Level& blocks = run.block_pages;
  add_memory_row(text, "page blocks of page users", format_bytes(blocks.peak * kPageBytes),
                 linux_peak(SiteClass::kPageUser));
  add_memory_row(text, "kmalloc above 8 KiB", format_bytes(run.live.large.peak),
                 linux_peak(SiteClass::kPageLargeKmalloc));
  add_memory_row(text, "vmalloc", format_bytes(run.vmalloc_bytes.peak),
                 linux_peak(SiteClass::kPageVmalloc), "bulk allocations left no event");
  add_memory_row(text, "per-CPU memory", "-", format_bytes(run.percpu_bytes.peak));
}

void add_arrays(Text& text, const RunResult& run) {
  const ArrayTotals totals = run.array_totals();
  heading(text, "Per-CPU object arrays");
  line(text, "    {} of allocations and frees took one step; {} refills, {} flushes",
       format_percent(totals.hits, totals.hits + totals.refills + totals.flushes),
       format_count(totals.refills), format_count(totals.flushes));
}

void add_wasting_caches(Text& text, const RunResult& run) {
  line(text, "\n  {:<32}{:>10}{:>12}{:>13}{:>13}{:>13}", "Most memory wasted near the peak", "slot",
       "objects", "requested", "slab pages", "wasted");
  for (const CacheWaste& cache : most_wasting_caches(run, run.use_near_peak, kWastingCaches)) {
    line(text, "    {:<30.30}{:>10}{:>12}{:>13}{:>13}{:>13}", cache.name,
         format_count(cache.slot_bytes), format_count(cache.objects),
         format_bytes(cache.requested_bytes), format_bytes(cache.slab_bytes),
         format_bytes(cache.wasted_bytes()));
  }
}

// At most `count` lines of `rows`.
void add_rows(Text& text, std::string_view rows, size_t count) {
  for (; !rows.empty() && count > 0; --count) {
    const std::string_view row = rows.substr(0, rows.find('\n'));
    const size_t words = row.find_last_not_of(' ') + 1;  // buddyinfo's rows end in a blank
    line(text, "  {}", fit(row.substr(0, words), 2));
    rows.remove_prefix(std::min(rows.size(), row.size() + 1));
  }
  if (!rows.empty()) line(text, "  ...");
}

void add_machine_text(Text& text, const RunResult& run) {
  heading(text, "/proc/buddyinfo at the end");
  const std::string& buddyinfo = run.proc_texts.at("buddyinfo");
  add_rows(text, buddyinfo, buddyinfo.size());
  if (run.report.empty()) return;
  heading(text, "Reports of the machine");
  add_rows(text, run.report, kReportLines);
}

}  // namespace

std::string text_report(const RunResult& run) {
  Text text;
  add_title(text, run);
  add_events(text, run);
  add_memory(text, run);
  add_other_memory(text, run);
  add_arrays(text, run);
  add_wasting_caches(text, run);
  add_machine_text(text, run);
  line(text,
       "\n  {:.0f} ns per event, parsing included; before that {:.0f} ms to set the machine up",
       run.ns_per_event, static_cast<double>(run.machine_ns) / 1e6);
  line(text, "  layout_hash {:016x}; validate: {}\n", run.layout_hash, run.validate);
  return fmt::to_string(text);
}

std::string comparison_table(std::span<const RunResult> runs) {
  Text text;
  line(text, "{:<8} {:>9} {:>5} {:>9} | {:>9} {:>6} | {:>9} {:>6} {:>9} | {:>6} {:>6}", "", "",
       "ns/", "live at", "Quarry at", "over", "Linux at", "over", "its free", "array", "allocs");
  line(text, "{:<8} {:>9} {:>5} {:>9} | {:>9} {:>6} | {:>9} {:>6} {:>9} | {:>6} {:>6}", "trace",
       "events", "event", "peak", "peak", "live", "peak, net", "live", "slots", "hits", "failed");
  line(text, "{:-<{}}", "", kWidth);
  for (const RunResult& run : runs) {
    const ArrayTotals totals = run.array_totals();
    const uint64_t live = run.live.slab.peak;
    const uint64_t quarry = run.peak_slab_pages * kPageBytes;
    const uint64_t linux_net = run.linux_pages.pages(SiteClass::kPageSlab).peak * kPageBytes;
    line(text, "{:<8.8} {:>9} {:>5.0f} {:>9} | {:>9} {:>6} | {:>9} {:>6} {:>9} | {:>6} {:>6}",
         run.name, format_count(run.events), run.ns_per_event, format_bytes(live),
         format_bytes(quarry), format_ratio(quarry, live), format_bytes(linux_net),
         format_ratio(linux_net, live),
         run.linux_free_slot_bytes_at_start ? format_bytes(*run.linux_free_slot_bytes_at_start)
                                            : "-",
         format_percent(totals.hits, totals.hits + totals.refills + totals.flushes),
         format_count(run.failed_allocations()));
  }
  text.push_back('\n');
  for (const RunResult& run : runs) {
    line(text, "{:<8.8} layout_hash {:016x}  validate: {}", run.name, run.layout_hash,
         run.validate);
  }
  line(text,
       "\nSlab memory only: objects of up to 8 KiB. Linux's pages are those it took during the "
       "recording;\n"
       "it filled the free slots its caches began with first, so its need lies between the two "
       "figures.");
  return fmt::to_string(text);
}

}  // namespace quarry::tool
