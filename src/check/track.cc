// SPDX-License-Identifier: MIT
#include "check/track.h"

namespace quarry {

Backtrace backtrace_from(const Platform& platform, uintptr_t place) {
  // Room for the allocator's own functions too.
  std::array<uintptr_t, StackDepot::kMostFrames + 16> all;
  const size_t found = platform.backtrace(all);
  size_t first = 0;
  while (first != found && all[first] != place) ++first;
  if (first == found) first = 0;
  Backtrace result;
  while (result.count != result.frame.size() && first != found) {
    result.frame[result.count++] = all[first++];
  }
  return result;
}

void print_track(TextSink& out, const Reporter& reporter, const StackDepot& depot, const char* what,
                 const Track& track) {
  if (track.place == 0) return;
  format(out, "%s in ", what);
  reporter.print_address(out, track.place);
  format(out, " age=%lu cpu=%u pid=%d\n", jiffies(reporter.platform()) - track.when, track.cpu,
         track.task);
  if (track.stack == 0) format(out, "object allocation/free stack trace missing\n");
  for (const uintptr_t frame : depot.fetch(track.stack)) {
    format(out, " ");
    reporter.print_address(out, frame);
    format(out, "\n");
  }
}

}  // namespace quarry
