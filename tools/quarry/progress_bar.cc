// SPDX-License-Identifier: MIT
#include "progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace quarry::tool {
namespace {

constexpr uint64_t kCells = 40;
constexpr std::chrono::milliseconds kRedrawTime{50};

}  // namespace

ProgressBar::ProgressBar(std::string label, uint64_t total)
    : label_(std::move(label)), total_(total), on_terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressBar::update(uint64_t done) {
  if (!on_terminal_ || total_ == 0) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kRedrawTime;
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
  const auto cells = static_cast<uint64_t>(share * kCells);
  fmt::print(stderr, "\r{:12.24} [{:<{}}] {:3.0f} %", label_, std::string(cells, '#'), kCells,
             100 * share);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace quarry::tool
