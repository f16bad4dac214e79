// SPDX-License-Identifier: MIT
#pragma once

#include "replay/event_code.h"

#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "trace_input.h"
#include "trace_reader.h"

namespace quarry::tool {

// A `kmtrace 1` text. A thread of its own unpacks it, parses it and codes its events, a few blocks
// ahead of whoever takes them: in constant memory, and while the replay is busy with others.
class TextTrace final : public TraceInput {
 public:
  TextTrace(std::string name, TraceSource& source);
  ~TextTrace() override;

  std::string title() const override { return reader_.header().title; }
  std::string source() const override { return reader_.header().source; }
  const replay::TraceTables& tables() const override { return tables_; }
  std::span<const uint8_t> next_block() override;
  void require_whole() const override;
  uint64_t duration_ns() const override { return reader_.duration_ns(); }
  [[noreturn]] void fail_at(uint64_t event, std::string_view message) const override;

 private:
  // Small enough to be still in a cache when they are taken.
  static constexpr size_t kBlockBytes = size_t{32} << 10;
  static constexpr size_t kBlocks = 8;
  using Block = std::vector<uint8_t>;

  void code_events();
  bool code_block(replay::EventEncoder& encoder, Block& block);
  bool wait_for_room();

  std::string name_;
  TraceReader reader_;
  replay::TraceTables tables_;
  replay::EventFields fields_;

  // Block number n lies at n % kBlocks. The thread fills block number coded_, the player has all
  // below taken_ behind it and reads the one before that.
  std::array<Block, kBlocks> blocks_;
  std::mutex lock_;  // of what follows
  std::condition_variable changed_;
  uint64_t coded_ = 0;
  uint64_t taken_ = 0;
  bool at_end_ = false;  // no block follows those that are coded
  bool stopping_ = false;
  bool ended_ = false;        // the player was told that there are no more; its own
  std::exception_ptr error_;  // why there are no more
  std::thread thread_;        // runs from the first next_block() on
};

}  // namespace quarry::tool
