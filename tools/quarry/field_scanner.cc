// SPDX-License-Identifier: MIT
#include "field_scanner.h"

#include <fmt/format.h>

#include <cstring>

namespace quarry::tool {
namespace {

// The field that begins at `at`, shortened for a message.
std::string_view field_at(const char* at) {
  return {at, std::min<size_t>(std::strcspn(at, " \n"), 40)};
}

}  // namespace

char FieldScanner::reject(const char* what, uint64_t limit, bool out_of_range) {
  if (what_ == nullptr) {
    what_ = what;
    limit_ = limit;
    out_of_range_ = out_of_range;
  }
  return 0;
}

std::string FieldScanner::complaint() const {
  const std::string_view found = field_at(at_ + (*at_ == ' '));
  if (what_ == nullptr) return fmt::format("the line goes on with '{}' where it should end", found);
  if (out_of_range_ && limit_ == 0) return fmt::format("{} {}, but there is none", what_, found);
  if (out_of_range_) return fmt::format("{} {} is not in 0 to {}", what_, found, limit_ - 1);
  if (found.empty()) return fmt::format("the line ends where the {} should stand", what_);
  return fmt::format("'{}' where the {} should stand", found, what_);
}

}  // namespace quarry::tool
