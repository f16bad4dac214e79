// SPDX-License-Identifier: MIT

#include "proc/proc.h"

namespace quarry {

void write_slabinfo(TextSink& out, const Kmem& kmem) {
  if (!kmem.counts_caches()) return format(out, "slabinfo: SLOB keeps no books on caches\n");
  format(out,
         "slabinfo - version: 2.1\n"
         "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
         " : tunables <limit> <batchcount> <sharedfactor>"
         " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
  kmem.for_each_newest_first([&](const KmemCache& cache) {
    const SlabCounts sums = kmem.counts(cache);
    const SlabTunables tunables = kmem.engine().tunables(cache);
    format(out, "%-17s %6lu %6lu %6u %4u %4d : tunables %4u %4u %4u : slabdata %6lu %6lu %6lu\n",
           cache.name, sums.total_objects - sums.free_in_partial, sums.total_objects, cache.size,
           cache.objects, 1 << cache.order.value(), tunables.limit, tunables.batchcount,
           tunables.shared, sums.slabs - sums.free_slabs, sums.slabs, sums.shared_objects);
  });
}

namespace {

// As sscanf's %d: takes blanks and a number off the front of the text. False: there is none, or not
// one of 31 bits.
bool take_number(std::span<const char>& text, int32_t& number) {
  size_t at = 0;
  while (at != text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n')) ++at;
  const bool negative = at != text.size() && text[at] == '-';
  if (negative) ++at;
  const size_t first_digit = at;
  uint32_t value = 0;
  for (; at != text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (value > INT32_MAX / 10u) return false;
    value = value * 10 + static_cast<uint32_t>(text[at] - '0');
  }
  if (at == first_digit || value > INT32_MAX) return false;
  number = negative ? -static_cast<int32_t>(value) : static_cast<int32_t>(value);
  text = text.subspan(at);
  return true;
}

bool has_name(const KmemCache& cache, std::span<const char> name) {
  for (size_t i = 0; i != name.size(); ++i) {
    if (cache.name[i] != name[i]) return false;  // or ends here
  }
  return cache.name[name.size()] == '\0';
}

}  // namespace

FileWrite write_to_slabinfo(Kmem& kmem, std::span<const char> text) {
  constexpr size_t kMostBytes = 128;
  if (!kmem.engine().has_tunables()) return FileWrite::kReadOnly;
  if (text.size() > kMostBytes) return FileWrite::kInvalid;
  size_t name_bytes = 0;
  while (name_bytes != text.size() && text[name_bytes] != ' ') ++name_bytes;
  const std::span<const char> name = text.first(name_bytes);
  text = text.subspan(name_bytes);
  int32_t limit = 0;
  int32_t batchcount = 0;
  int32_t shared = 0;
  if (!take_number(text, limit) || !take_number(text, batchcount) || !take_number(text, shared)) {
    return FileWrite::kInvalid;
  }
  FileWrite result = FileWrite::kInvalid;
  bool found = false;
  kmem.for_each_newest_first([&](KmemCache& cache) {
    if (found || !has_name(cache, name)) return;
    found = true;
    // As in Linux, numbers that make no sense are taken and change nothing.
    const bool sense = limit >= 1 && batchcount >= 1 && batchcount <= limit && shared >= 0;
    const SlabTunables wanted = {static_cast<uint32_t>(limit), static_cast<uint32_t>(batchcount),
                                 static_cast<uint32_t>(shared)};
    const bool done = !sense || kmem.set_tunables(cache, wanted);
    result = done ? FileWrite::kDone : FileWrite::kNoMemory;
  });
  return result;
}

}  // namespace quarry
