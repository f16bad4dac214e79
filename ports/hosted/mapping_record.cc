// SPDX-License-Identifier: MIT
#include "mapping_record.h"

#include <string.h>

#include "host_memory.h"

namespace quarry {

bool MappingRecord::open(size_t pages) {
  entries_ = new_host_table<uint32_t>(pages);
  pages_ = pages;
  return entries_ != nullptr;
}

void MappingRecord::close() { delete_host_table(entries_, pages_); }

void MappingRecord::set(const MappedRun& run) {
  const uint32_t flags = (run.read_only ? kReadOnly : 0) | (run.populated ? kPopulated : 0);
  for (size_t i = 0; i != run.count; ++i) {
    entries_[run.page + i] = (run.frame + static_cast<uint32_t>(i)) | flags;
  }
  const size_t end = run.page + run.count;
  size_t known = end_.load(std::memory_order_relaxed);
  while (known < end && !end_.compare_exchange_weak(known, end, std::memory_order_relaxed)) {
  }
}

void MappingRecord::clear(size_t page, size_t count) {
  memset(entries_ + page, 0, count * sizeof(entries_[0]));
}

bool MappingRecord::next_run(size_t page, size_t end, MappedRun& run) const {
  while (page < end && entries_[page] == 0) ++page;
  if (page >= end) return false;
  const uint32_t first = entries_[page];
  size_t count = 1;
  // The flags are part of the word, so that a run with others does not go on.
  while (page + count < end && entries_[page + count] == first + count) ++count;
  run = {.page = page,
         .frame = first & kFrame,
         .count = count,
         .read_only = (first & kReadOnly) != 0,
         .populated = (first & kPopulated) != 0};
  return true;
}

}  // namespace quarry
