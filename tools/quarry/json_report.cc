// SPDX-License-Identifier: MIT
#include "json_report.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "cache_waste.h"

namespace quarry::tool {
namespace {

// Keeps the order in which the members are written.
using Json = nlohmann::ordered_json;

constexpr size_t kWastingCaches = 10;

// By Op.
constexpr std::array<const char*, kOpCount> kOpNames = {
    "kmalloc",       "kfree",       "cache_alloc",  "cache_free",
    "inferred_free", "page_alloc",  "page_free",    "inferred_page_free",
    "page_split",    "area_alloc",  "area_free",    "area_purge",
    "percpu_alloc",  "percpu_free", "unknown_free", "mark"};

// By Context.
constexpr std::array<const char*, kContextCount> kContextNames = {"task", "softirq", "hardirq",
                                                                  "nmi"};

template <size_t kCount>
Json by_name(const std::array<const char*, kCount>& names, const uint64_t (&values)[kCount]) {
  Json json;
  for (size_t i = 0; i < kCount; ++i) json[names[i]] = values[i];
  return json;
}

Json machine(const MachineSpec& spec) {
  return {{"nodes", spec.nodes}, {"cpus", spec.cpus}, {"ram_bytes", spec.ram_bytes}};
}

Json kind(const KindCounts& counts) {
  return {{"allocations", counts.allocations},
          {"frees", counts.frees},
          {"inferred_frees", counts.inferred_frees},
          {"failed", counts.failed},
          {"live_at_end", counts.live}};
}

Json kinds(const RunResult& run) {
  return {{"kmalloc", kind(run.kmalloc)},    {"cache_objects", kind(run.cache_objects)},
          {"page_blocks", kind(run.blocks)}, {"linux_backing_blocks", kind(run.backing)},
          {"vmalloc", kind(run.vmalloc)},    {"address_ranges", kind(run.ranges)},
          {"percpu", kind(run.percpu)}};
}

Json unmatched(const UnmatchedFrees& frees) {
  return {{"before_trace", frees.before_trace},
          {"hidden_allocation", frees.hidden_allocation},
          {"unexplained", frees.unexplained},
          {"dead_slots", frees.dead_slots}};
}

Json footprint(const LinuxFootprint& linux_pages) {
  constexpr std::array kClasses = {
      std::pair{"slab", SiteClass::kPageSlab},
      std::pair{"large_kmalloc", SiteClass::kPageLargeKmalloc},
      std::pair{"vmalloc", SiteClass::kPageVmalloc},
      std::pair{"percpu", SiteClass::kPagePercpu},
      std::pair{"user", SiteClass::kPageUser},
      std::pair{"unknown", SiteClass::kPageUnknown},
  };
  Json json;
  for (const auto& [name, site] : kClasses) {
    const Level& pages = linux_pages.pages(site);
    json[name] = {{"peak_bytes", pages.peak * kPageBytes}, {"end_bytes", pages.now * kPageBytes}};
  }
  return json;
}

Json arrays(const ArrayTotals& totals) {
  return {{"hits", totals.hits},
          {"refills", totals.refills},
          {"flushes", totals.flushes},
          {"hit_rate", totals.hit_rate()}};
}

Json array_capacity(const RunResult& run) {
  Json json = Json::object();
  for (const CacheState& cache : run.caches) json[cache.name] = cache.info.array_capacity;
  return json;
}

Json caches(const RunResult& run) {
  Json json = Json::array();
  for (const CacheState& cache : run.caches) {
    const CacheInfo& info = cache.info;
    json.push_back({{"name", cache.name},
                    {"object_bytes", info.object_size},
                    {"slot_bytes", info.size},
                    {"objects_per_slab", info.objects_per_slab},
                    {"pages_per_slab", info.pages_per_slab},
                    {"array_capacity", info.array_capacity},
                    {"array_hits", info.array_hits},
                    {"array_refills", info.array_refills},
                    {"array_flushes", info.array_flushes},
                    {"end_slab_bytes", info.slab_pages * kPageBytes},
                    {"end_objects", info.active_objects}});
  }
  return json;
}

Json wasting(const RunResult& run, const std::vector<CacheUse>& use) {
  Json json = Json::array();
  for (const CacheWaste& cache : most_wasting_caches(run, use, kWastingCaches)) {
    json.push_back({{"cache", cache.name},
                    {"objects", cache.objects},
                    {"requested_bytes", cache.requested_bytes},
                    {"slab_bytes", cache.slab_bytes},
                    {"wasted_bytes", cache.wasted_bytes()}});
  }
  return json;
}

void add_trace(Json& json, const RunResult& run) {
  json["trace"] = run.trace;
  json["name"] = run.name;
  json["title"] = run.title;
  json["source"] = run.source;
  json["duration_ns"] = run.duration_ns;
  json["engine"] = run.machine.engine;
  json["machine"] = machine(run.machine);
  json["seed"] = run.machine.seed;
}

void add_events(Json& json, const RunResult& run) {
  json["events"] = run.events;
  json["events_by_kind"] = by_name(kOpNames, run.events_by_op);
  json["events_by_context"] = by_name(kContextNames, run.events_by_context);
  json["allocations"] = kinds(run);
  json["unmatched_frees"] = run.unmatched.total();
  json["unmatched_frees_by_reason"] = unmatched(run.unmatched);
  json["failed_allocations"] = run.failed_allocations();
}

void add_memory(Json& json, const RunResult& run) {
  json["peak_live_objects"] = run.live.objects.peak;
  json["peak_requested_bytes"] = run.live.requested.peak;
  json["live_slab_bytes_at_peak"] = run.live.slab.peak;
  json["peak_slab_bytes"] = run.peak_slab_pages * kPageBytes;
  json["end_requested_bytes"] = run.live.requested.now;
  json["end_live_slab_bytes"] = run.live.slab.now;
  json["end_slab_bytes"] = run.end_slab_pages * kPageBytes;
  json["peak_large_kmalloc_bytes"] = run.live.large.peak;
  json["peak_page_block_bytes"] = run.block_pages.peak * kPageBytes;
  json["peak_vmalloc_bytes"] = run.vmalloc_bytes.peak;
  json["peak_percpu_bytes"] = run.percpu_bytes.peak;
  const Level& linux_slab = run.linux_pages.pages(SiteClass::kPageSlab);
  json["linux_net_peak_slab_bytes"] = linux_slab.peak * kPageBytes;
  json["linux_net_end_slab_bytes"] = linux_slab.now * kPageBytes;
  json["linux_free_slot_bytes_at_start"] =
      run.linux_free_slot_bytes_at_start ? Json(*run.linux_free_slot_bytes_at_start) : Json();
  json["linux_pages"] = footprint(run.linux_pages);
}

Json run_object(const RunResult& run) {
  Json json;
  add_trace(json, run);
  add_events(json, run);
  add_memory(json, run);
  json["arrays"] = arrays(run.array_totals());
  json["array_capacity"] = array_capacity(run);
  json["caches"] = caches(run);
  json["most_wasting_caches_near_peak"] = wasting(run, run.use_near_peak);
  json["most_wasting_caches_at_end"] = wasting(run, run.use_at_end);
  json["buddyinfo"] = run.proc_texts.at("buddyinfo");
  json["proc"] = run.proc_texts;
  json["report"] = run.report;
  json["ns_per_event"] = run.ns_per_event;
  json["machine_setup_ns"] = run.machine_ns;
  json["layout_hash"] = fmt::format("{:016x}", run.layout_hash);
  json["validate"] = run.validate;
  return json;
}

}  // namespace

std::string json_report(std::span<const RunResult> runs) {
  Json report;
  report["runs"] = Json::array();
  for (const RunResult& run : runs) report["runs"].push_back(run_object(run));
  // A title may hold bytes that are no UTF-8; they become U+FFFD instead of an error.
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace quarry::tool
