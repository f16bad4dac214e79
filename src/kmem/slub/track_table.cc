// SPDX-License-Identifier: MIT
#include "kmem/slub/track_table.h"

namespace quarry {

TrackTable::TrackTable(void* memory, size_t bytes)
    : group_(static_cast<Group*>(memory)), capacity_(static_cast<uint32_t>(bytes / sizeof(Group))) {
  __builtin_memset(memory, 0, bytes);
}

// Open addressing; one entry stays unused, so that every search ends.
bool TrackTable::add(const Track& track, uint32_t wasted, unsigned node, uintptr_t now) {
  const auto hash = static_cast<uint32_t>(track.place ^ track.stack * 2654435761U ^ wasted << 8);
  uint32_t i = hash % capacity_;
  while (group_[i].count != 0 && !group_[i].is_of(track, wasted)) i = (i + 1) % capacity_;
  Group& group = group_[i];
  // Who was nobody has no age.
  const uintptr_t age = track.place == 0 ? 0 : now - track.when;
  if (group.count == 0) {
    if (groups_ + 1 == capacity_) return false;
    ++groups_;
    group.stack = track.stack;
    group.wasted = wasted;
    group.place = track.place;
    group.least_age = group.most_age = age;
    group.least_task = group.most_task = track.task;
  }
  ++group.count;
  group.sum_age += age;
  if (age < group.least_age) group.least_age = age;
  if (age > group.most_age) group.most_age = age;
  if (track.task < group.least_task) group.least_task = track.task;
  if (track.task > group.most_task) group.most_task = track.task;
  if (track.place != 0) group.cpus.set(static_cast<unsigned>(track.cpu));
  group.nodes.set(node);
  return true;
}

bool TrackTable::Group::comes_before(const Group& other) const {
  if (count != other.count) return count > other.count;
  if (place != other.place) return place < other.place;
  return stack != other.stack ? stack < other.stack : wasted < other.wasted;
}

// Shell's sort, of the entries moved together; there is no memory for a better one.
void TrackTable::sort() {
  uint32_t used = 0;
  for (uint32_t i = 0; i != capacity_; ++i) {
    if (group_[i].count == 0) continue;
    if (i != used) group_[used] = group_[i];
    ++used;
  }
  for (uint32_t gap = groups_ / 2; gap != 0; gap /= 2) {
    for (uint32_t i = gap; i < groups_; ++i) {
      const Group moved = group_[i];
      uint32_t to = i;
      for (; to >= gap && moved.comes_before(group_[to - gap]); to -= gap) {
        group_[to] = group_[to - gap];
      }
      group_[to] = moved;
    }
  }
}

template <unsigned kBits>
void TrackTable::Mask<kBits>::write(TextSink& out) const {
  const char* separator = "";
  for (unsigned bit = 0; bit != kBits; ++bit) {
    if (!has(bit)) continue;
    const unsigned first = bit;
    while (bit + 1 != kBits && has(bit + 1)) ++bit;
    format(out, "%s%u", separator, first);
    if (bit != first) format(out, "-%u", bit);
    separator = ",";
  }
}

void TrackTable::write_group(TextSink& out, const Group& group, const Reporter& reporter,
                             unsigned nodes) {
  format(out, "%7u ", group.count);
  group.place == 0 ? format(out, "<not-available>") : reporter.print_address(out, group.place);
  if (group.wasted != 0) {
    format(out, " waste=%u/%u", uint64_t{group.count} * group.wasted, group.wasted);
  }
  format(out, " age=%u", group.least_age);
  if (group.sum_age != group.least_age) {
    format(out, "/%u/%u", div_u64(group.sum_age, group.count), group.most_age);
  }
  format(out, " pid=%d", group.least_task);
  if (group.least_task != group.most_task) format(out, "-%d", group.most_task);
  if (reporter.platform().cpu_count() > 1 && group.place != 0) {
    format(out, " cpus=");
    group.cpus.write(out);
  }
  if (nodes > 1) {
    format(out, " nodes=");
    group.nodes.write(out);
  }
  format(out, "\n");
}

void TrackTable::write(TextSink& out, const Reporter& reporter, const StackDepot& depot,
                       unsigned nodes) {
  sort();
  if (groups_ == 0) format(out, "No data\n");
  for (uint32_t i = 0; i != groups_; ++i) {
    write_group(out, group_[i], reporter, nodes);
    for (const uintptr_t frame : depot.fetch(group_[i].stack)) {
      format(out, "        ");
      reporter.print_address(out, frame);
      format(out, "\n");
    }
    format(out, "\n");
  }
}

}  // namespace quarry
