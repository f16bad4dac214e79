// SPDX-License-Identifier: MIT
#include "text_trace.h"

#include <fmt/format.h>

#include "tool_error.h"

namespace quarry::tool {

TextTrace::TextTrace(std::string name, TraceSource& source)
    : name_(name),
      reader_(std::move(name), source),
      tables_(tables_of(reader_.header())),
      fields_(tables_) {}

TextTrace::~TextTrace() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::span<const uint8_t> TextTrace::next_block() {
  if (!thread_.joinable()) thread_ = std::thread([this] { code_events(); });
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return coded_ > taken_ || at_end_; });
  ended_ = coded_ == taken_;
  if (ended_) return {};
  const Block& block = blocks_[taken_++ % kBlocks];
  guard.unlock();
  changed_.notify_all();
  return block;
}

void TextTrace::require_whole() const {
  if (ended_ && error_) std::rethrow_exception(error_);
}

void TextTrace::fail_at(uint64_t event, std::string_view message) const {
  throw ToolError(fmt::format("{}:{}: {}", name_, reader_.first_event_line() + event, message));
}

// What the thread does.
void TextTrace::code_events() {
  replay::EventEncoder encoder(fields_);
  std::exception_ptr error;
  bool more = true;
  while (more && wait_for_room()) {
    try {
      more = code_block(encoder, blocks_[coded_ % kBlocks]);
    } catch (...) {
      error = std::current_exception();
      more = false;
    }
    const std::lock_guard guard(lock_);
    if (!blocks_[coded_ % kBlocks].empty()) ++coded_;
    at_end_ = !more;
    error_ = error;
    changed_.notify_all();
  }
}

// False: the trace has to be given up. The block that was taken last may still be read.
bool TextTrace::wait_for_room() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return stopping_ || coded_ - taken_ < kBlocks - 1; });
  return !stopping_;
}

// Fills a block with the next events; those before an error are in it. False: they were the last.
bool TextTrace::code_block(replay::EventEncoder& encoder, Block& block) {
  block.resize(kBlockBytes);
  uint8_t* at = block.data();
  const uint8_t* const full = at + kBlockBytes - replay::kMaxEventBytes;
  const auto cut = [&] { block.resize(static_cast<size_t>(at - block.data())); };
  TraceEvent event{};
  try {
    while (at <= full) {
      if (!reader_.next(event)) {
        cut();
        return false;
      }
      at = encoder.add(event, at);
    }
  } catch (...) {
    cut();
    throw;
  }
  cut();
  return true;
}

}  // namespace quarry::tool
