// SPDX-License-Identifier: MIT
#pragma once

#include "replay/player.h"

#include <functional>
#include <vector>

#include "replay_machine.h"
#include "run_result.h"
#include "trace_input.h"

namespace quarry::tool {

// Plays a trace on a machine, and follows beside it what each cache of the machine holds.
class Replay final : private replay::Observer {
 public:
  // Called now and then with the number of events done.
  using Progress = std::function<void(uint64_t events)>;

  // Both must outlive this. The machine has at least as many CPUs as the trace.
  Replay(TraceInput& input, ReplayMachine& machine);

  // Replays all events. Returns what can be told from them and from the machine; what belongs to
  // the command line is left to the caller. Throws ToolError at the first event that cannot be
  // right.
  RunResult run(const Progress& progress);

 private:
  void object_allocated(replay::CacheId cache, uint32_t requested_bytes) override;
  void object_freed(replay::CacheId cache, uint32_t requested_bytes) override;
  void slabs_grew(uint64_t pages) override;

  void require_right(const replay::Player& player) const;
  std::vector<CacheUse> use_by_cache(const std::vector<CacheState>& caches) const;
  RunResult result_of(replay::Player& player);

  TraceInput& input_;
  ReplayMachine& machine_;
  std::vector<uint64_t> tables_;  // the player's
  std::vector<CacheUse> use_;     // by cache of the machine; its slab_pages are not kept
  std::vector<CacheUse> use_near_peak_;
  uint64_t next_use_snapshot_pages_ = 1;
};

}  // namespace quarry::tool
