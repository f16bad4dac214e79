// SPDX-License-Identifier: MIT
#include "replay.h"

#include <chrono>

namespace quarry::tool {
namespace {

constexpr uint64_t kEventsPerProgress = uint64_t{1} << 15;

}  // namespace

Replay::Replay(TraceInput& input, ReplayMachine& machine)
    : input_(input),
      machine_(machine),
      tables_(replay::Player::table_bytes(input.tables()) / sizeof(uint64_t)) {}

RunResult Replay::run(const Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  replay::Player player(input_.tables(), input_, machine_.target(), this, tables_.data());
  for (uint64_t next = kEventsPerProgress; player.more();) {
    player.play_turn(kEventsPerProgress);
    if (player.counts().events < next) continue;
    if (progress) progress(player.counts().events);
    next = player.counts().events + kEventsPerProgress;
  }
  const auto spent = std::chrono::steady_clock::now() - begin;
  require_right(player);
  RunResult result = result_of(player);
  result.replay_time = spent;
  return result;
}

void Replay::require_right(const replay::Player& player) const {
  input_.require_whole();
  if (player.failed()) input_.fail_at(player.counts().events, player.error());
}

RunResult Replay::result_of(replay::Player& player) {
  RunResult result;
  result.title = input_.title();
  result.source = input_.source();
  result.trace_cpus = input_.tables().cpus;
  result.duration_ns = input_.duration_ns();
  result.end_slab_pages = machine_.target().slab_pages();
  result.caches = machine_.caches();
  result.use_near_peak = std::move(use_near_peak_);
  result.use_at_end = use_by_cache(result.caches);
  result.proc_texts = machine_.proc_texts();
  result.validate = machine_.validate();
  result.report = machine_.report();
  player.finish();
  require_right(player);
  static_cast<replay::Counts&>(result) = player.counts();
  result.layout_hash = player.layout_hash();
  return result;
}

void Replay::object_allocated(replay::CacheId cache, uint32_t requested_bytes) {
  if (cache == replay::kNoCache) return;
  if (cache >= use_.size()) use_.resize(cache + size_t{1});
  ++use_[cache].objects;
  use_[cache].requested_bytes += requested_bytes;
}

void Replay::object_freed(replay::CacheId cache, uint32_t requested_bytes) {
  if (cache == replay::kNoCache) return;
  --use_[cache].objects;
  use_[cache].requested_bytes -= requested_bytes;
}

// Keeps what every cache held close to the peak: looking at all caches at each new peak would cost
// more than the replay, so this waits until slabs have grown by another hundredth.
void Replay::slabs_grew(uint64_t pages) {
  if (pages < next_use_snapshot_pages_) return;
  use_near_peak_ = use_by_cache(machine_.caches());
  next_use_snapshot_pages_ = pages + pages / 100 + 1;
}

std::vector<CacheUse> Replay::use_by_cache(const std::vector<CacheState>& caches) const {
  std::vector<CacheUse> use = use_;
  for (const CacheState& cache : caches) {
    if (cache.id >= use.size()) use.resize(cache.id + size_t{1});
    use[cache.id].slab_pages = cache.info.slab_pages;
  }
  return use;
}

}  // namespace quarry::tool
