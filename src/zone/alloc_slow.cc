// SPDX-License-Identifier: MIT
// Allocation when no zone is above its low mark. The order of the steps, what each needs and when
// to give up are Linux 6.1's (Documentation/core-api/memory-allocation.rst names the rules for
// callers).
#include "gfp/gfp_names.h"
#include "gfp/memalloc_scope.h"
#include "sync/execution_context.h"
#include "zone/alloc_request.h"
#include "zone/page_allocator.h"

namespace quarry {

namespace {

constexpr Order kCostlyOrder{3};  // above it failing is better than disturbing everybody
constexpr unsigned kMaxRetries = 16;

}  // namespace

// One request in need. Without a PressureHandler reclaim, compaction and the OOM killer make no
// progress; what remains is to take back what CPU stacks and HIGHATOMIC pageblocks hold.
class SlowPath {
 public:
  SlowPath(PageAllocator& pages, AllocRequest& request, uintptr_t place)
      : pages_(pages), request_(request), place_(place), pressure_(pages.pressure_) {}

  // Null: failed, and reported.
  Page* run();

 private:
  bool has(Gfp flags) const { return any(request_.gfp, flags); }
  bool may_reclaim() const { return has(gfp::kDirectReclaim); }
  bool is_costly() const { return request_.order > kCostlyOrder; }
  bool may_compact() const { return pressure_ != nullptr && has(gfp::kIo); }
  static bool is_memalloc_task() {
    return (Arch::context().memalloc_flags & QUARRY_PF_MEMALLOC) != 0;
  }
  Page* attempt() { return pages_.from_zones(request_); }

  void set_flags();
  bool ignores_watermarks() const;
  void wake_background_reclaim();
  Page* compact_early(bool& give_up);
  // One round of everything that helps. Null with `again`: worth another round.
  Page* round(bool& again);
  Page* reclaim();
  Page* compact();
  bool should_reclaim_again();
  bool should_compact_again();
  Page* kill(bool& again);
  // For a request that must not fail: null means another round.
  Page* insist();

  PageAllocator& pages_;
  AllocRequest& request_;
  const uintptr_t place_;
  PressureHandler* const pressure_;
  size_t reclaimed_ = 0;
  unsigned fruitless_rounds_ = 0;
  unsigned compactions_ = 0;
  CompactPriority priority_ = CompactPriority::kSyncLight;
  CompactResult compacted_ = CompactResult::kSkipped;
};

// What the request may do from here on: down to min, or further down.
void SlowPath::set_flags() {
  AllocFlags flags;
  flags.mark = Mark::kMin;
  flags.min_reserve = has(gfp::kHigh);
  flags.kswapd = has(gfp::kKswapdReclaim);
  if (!may_reclaim() && !has(gfp::kNoMemalloc)) {
    flags.non_block = true;
    flags.high_atomic = request_.order > Order(0);
  }
  request_.flags = flags;
}

bool SlowPath::ignores_watermarks() const {
  if (has(gfp::kNoMemalloc)) return false;
  if (has(gfp::kMemalloc)) return true;
  const quarry_context& context = Arch::context();
  const bool in_softirq = context.softirq_depth != 0 && context.hardirq_depth == 0;
  return is_memalloc_task() && (in_softirq || !in_interrupt(context));
}

void SlowPath::wake_background_reclaim() {
  if (pressure_ == nullptr || !request_.flags.kswapd) return;
  pressure_->wake_background_reclaim(request_.gfp, request_.order, *request_.zones,
                                     request_.highest);
}

Page* SlowPath::run() {
  set_flags();
  wake_background_reclaim();
  if (Page* page = attempt()) return page;
  bool give_up = false;
  if (Page* page = compact_early(give_up)) return page;
  for (;; give_up = false) {
    bool again = false;
    if (!give_up) {
      if (Page* page = round(again)) return page;
    }
    if (again) continue;
    if (!has(gfp::kNoFail)) break;
    if (!may_reclaim()) {
      pages_.reporter_.warn_once(place_, "__GFP_NOFAIL without __GFP_DIRECT_RECLAIM");
      break;
    }
    if (Page* page = insist()) return page;
  }
  pages_.report_failure(request_);
  return nullptr;
}

// A large block rather comes from moving pages together than from reclaiming many.
Page* SlowPath::compact_early(bool& give_up) {
  if (!may_compact() || !may_reclaim() || ignores_watermarks()) return nullptr;
  if (!is_costly() && (request_.order == Order(0) || request_.type == MigrateType::kMovable)) {
    return nullptr;
  }
  priority_ = CompactPriority::kAsync;
  if (Page* page = compact()) return page;
  if (is_costly() && has(gfp::kNoRetry)) {
    give_up = has(gfp::kThisNode) || compacted_ == CompactResult::kSkipped ||
              compacted_ == CompactResult::kDeferred;
    return nullptr;
  }
  priority_ = CompactPriority::kSyncLight;
  return nullptr;
}

Page* SlowPath::round(bool& again) {
  wake_background_reclaim();
  if (ignores_watermarks()) {
    request_.flags = {.mark = Mark::kMin, .no_watermarks = true, .kswapd = request_.flags.kswapd};
  }
  if (Page* page = attempt()) return page;
  if (!may_reclaim() || is_memalloc_task()) return nullptr;
  if (Page* page = reclaim()) return page;
  if (request_.order > Order(0) && may_compact()) {
    if (Page* page = compact()) return page;
  }
  if (has(gfp::kNoRetry)) return nullptr;
  if (is_costly() && !(may_compact() && has(gfp::kRetryMayfail))) return nullptr;
  again = should_reclaim_again() || (reclaimed_ > 0 && should_compact_again());
  return again ? nullptr : kill(again);
}

// Reclaims; then takes back, once, what CPUs and the reserve for atomic requests hold.
Page* SlowPath::reclaim() {
  reclaimed_ = 0;
  if (pressure_ != nullptr) {
    MemallocScope scope(QUARRY_PF_MEMALLOC);  // reclaim must not recurse into itself
    reclaimed_ =
        pressure_->reclaim(request_.gfp, request_.order, *request_.zones, request_.highest);
  }
  if (reclaimed_ != 0) {
    if (Page* page = attempt()) return page;
  }
  for (Zone* zone : *request_.zones) {
    if (zone->type <= request_.highest && zone->unreserve_highatomic(request_.type, false)) break;
  }
  pages_.drain_all();
  return attempt();
}

Page* SlowPath::compact() {
  {
    MemallocScope scope(QUARRY_PF_MEMALLOC);
    compacted_ = pressure_->compact(request_.gfp, request_.order, *request_.zones, request_.highest,
                                    priority_);
  }
  return compacted_ == CompactResult::kSuccess ? attempt() : nullptr;
}

// Worth while as long as a zone would be above its mark if all that can be reclaimed were free.
bool SlowPath::should_reclaim_again() {
  fruitless_rounds_ = reclaimed_ != 0 && !is_costly() ? 0 : fruitless_rounds_ + 1;
  if (pressure_ != nullptr && fruitless_rounds_ <= kMaxRetries) {
    for (Zone* zone : *request_.zones) {
      if (zone->type > request_.highest) continue;
      const long above = zone->pages_above_mark(request_.highest, request_.flags);
      const auto reclaimable = static_cast<long>(pressure_->reclaimable_pages(*zone));
      if (above + reclaimable > static_cast<long>(request_.order.pages() - 1)) return true;
    }
  }
  for (Zone* zone : *request_.zones) {
    if (zone->type > request_.highest) continue;
    if (zone->unreserve_highatomic(request_.type, true)) return true;
  }
  return false;
}

bool SlowPath::should_compact_again() {
  if (request_.order == Order(0) || !may_compact()) return false;
  if (compacted_ == CompactResult::kSuccess) {
    const unsigned most = is_costly() ? kMaxRetries / 4 : kMaxRetries;
    if (++compactions_ <= most) return true;
  }
  const auto least = is_costly() ? CompactPriority::kSyncLight : CompactPriority::kSyncFull;
  if (priority_ <= least) return false;
  priority_ = CompactPriority(static_cast<uint8_t>(priority_) - 1);
  compactions_ = 0;
  return true;
}

// The OOM killer, for requests that it can help and that could not do without.
Page* SlowPath::kill(bool& again) {
  if (pressure_ == nullptr || is_costly()) return nullptr;
  if (has(gfp::kRetryMayfail | gfp::kThisNode)) return nullptr;
  if (request_.highest < ZoneType::kNormal) return nullptr;
  // Somebody else's victim may have given back enough by now.
  const AllocFlags flags = request_.flags;
  request_.flags = {.mark = Mark::kHigh};
  Page* page = attempt();
  request_.flags = flags;
  if (page != nullptr) return page;
  again = pressure_->out_of_memory(request_.gfp, request_.order);
  if (!again) return nullptr;
  fruitless_rounds_ = 0;
  if (!has(gfp::kNoFail)) return nullptr;
  request_.flags = {.mark = Mark::kMin, .no_watermarks = true, .kswapd = flags.kswapd};
  page = attempt();
  if (page == nullptr) request_.flags = flags;
  return page;
}

Page* SlowPath::insist() {
  Reporter& reporter = pages_.reporter_;
  if (is_memalloc_task()) reporter.warn_once(place_, "__GFP_NOFAIL while reclaiming");
  const AllocFlags flags = request_.flags;
  request_.flags.min_reserve = true;
  if (Page* page = attempt()) return page;
  request_.flags = flags;
  if (!pages_.platform_->wait_for_memory()) {
    pages_.report_failure(request_);
    pages_.platform_->fatal("System is deadlocked on memory");
  }
  return nullptr;
}

Page* PageAllocator::alloc_under_pressure(AllocRequest& request, uintptr_t place) {
  return SlowPath(*this, request, place).run();
}

void PageAllocator::report_failure(const AllocRequest& request) {
  if (any(request.gfp, gfp::kNoWarn)) return;
  if (any(request.gfp, gfp::kDmaBit) && !has_zone(ZoneType::kDma)) return;
  if (!failure_limit_.allow(platform_->clock_ns())) return;
  {
    LogText out(*platform_);
    format(out, "quarry: page allocation failure: order:%u, mode:%#x(", request.order,
           uint32_t(request.gfp));
    print_gfp(out, request.gfp);
    format(out, "), nodemask=(null)\n");
  }
  reporter_.dump_stack();
  LogText out(*platform_);
  show_memory(out);
}

}  // namespace quarry
