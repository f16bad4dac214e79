// SPDX-License-Identifier: MIT
#include "replay/event_code.h"

namespace quarry::replay {

void EventDecoder::take_where(Reader& reader, uint8_t first) {
  where_ = static_cast<uint16_t>(reader.at[0] | reader.at[1] << 8);
  reader.at += 2;
  if (first >= 2 * kWhereFollows) reader.reject("kind of event", first);
  if (where_ >> 2 >= cpus_) reader.reject("CPU", where_ >> 2);
}

void EventDecoder::check_rare(Reader& reader, const Event& event) {
  switch (event.op) {
    case Op::kPageAlloc:
      if (!is_page_site(event.site)) reader.reject("class of a page block", uint8_t(event.site));
      if (event.order >= kOrderEnd) reader.reject("order", event.order);
      return;
    case Op::kAreaAlloc:
      if (!is_area_site(event.site)) reader.reject("class of an area", uint8_t(event.site));
      if (event.requested_bytes < least_area_bytes(event.site) ||
          event.requested_bytes >= kAreaBytesEnd || event.requested_bytes % kPageBytes != 0) {
        reader.reject("size of an area", event.requested_bytes);
      }
      if (event.align_bytes >= kAreaBytesEnd) {
        reader.reject("alignment of an area", event.align_bytes);
      }
      return;
    case Op::kPercpuAlloc:
      if (event.granted_bytes == 0 || event.granted_bytes >= kAreaBytesEnd) {
        reader.reject("size of per-CPU memory", event.granted_bytes);
      }
      return;
    case Op::kUnknownFree:
      if (event.detail != 0 && event.detail != 'p' && event.detail != 'h') {
        reader.reject("reason of an unknown free", uint8_t(event.detail));
      }
      return;
    default:
      return;
  }
}

// The last events are read from a copy with zeros behind it.
bool EventDecoder::next_near_end(const uint8_t*& at, const uint8_t* end, Event& event) {
  uint8_t copy[2 * kMaxEventBytes] = {};
  const auto left = static_cast<size_t>(end - at);
  if (left == 0) {
    wrong_ = {"the events end before the last one"};
    return false;
  }
  __builtin_memcpy(copy, at, left);
  const uint8_t* after = copy;
  if (!read(after, event)) return false;
  if (static_cast<size_t>(after - copy) > left) {
    wrong_ = {"the events end inside this one"};
    return false;
  }
  at += after - copy;
  return true;
}

}  // namespace quarry::replay
