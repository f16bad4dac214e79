// SPDX-License-Identifier: MIT
// Events as bytes: what a packed trace holds and a player takes.
//
// An event is one byte, its Op in the low bits, and then its fields. An index into a table takes as
// many bytes as the largest one needs (1 for a table of 256), lowest byte first; a number of bytes
// takes one byte for each 7 bits, lowest first, bit 7 set in all but the last. CPU and context are
// there only where they change.
#pragma once

#include "replay/event.h"
#include "replay/trace_tables.h"

namespace quarry::replay {

// One kind of index, and what messages call it.
struct IndexField {
  constexpr IndexField(const char* field_name, uint64_t field_end)
      : name(field_name), end(static_cast<uint32_t>(field_end)) {
    for (uint64_t largest = end > 0 ? end - 1 : 0; largest != 0; largest >>= 8) {
      mask = mask << 8 | 0xff;
      ++bytes;
    }
  }

  const char* name;
  uint32_t end;  // the first index that is too large
  uint32_t mask = 0;
  uint32_t bytes = 0;
};

struct EventFields {
  explicit EventFields(const TraceTables& tables)
      : object_slot("object slot", tables.slots.object),
        page_slot("page slot", tables.slots.page),
        area_slot("area slot", tables.slots.area),
        percpu_slot("per-CPU slot", tables.slots.percpu),
        gfp("gfp", tables.gfps.size()),
        cache("cache", tables.caches.size()) {}

  IndexField object_slot;
  IndexField page_slot;
  IndexField area_slot;
  IndexField percpu_slot;
  IndexField gfp;
  IndexField cache;
};

// At least what any event takes.
inline constexpr size_t kMaxEventBytes = 48;

// Byte counts are kept in 32 bits for each object; a kernel's kmalloc ends at 4 MiB.
inline constexpr uint64_t kObjectBytesEnd = uint64_t{1} << 31;
// No machine has a larger address space to cut areas from.
inline constexpr uint64_t kAreaBytesEnd = uint64_t{1} << 57;

// The guard page is part of an area's size, so a vmalloc of anything has two pages.
constexpr uint64_t least_area_bytes(SiteClass site) {
  return site == SiteClass::kAreaVmalloc ? 2 * kPageBytes : kPageBytes;
}

// The fields of an event by its `op`, in the order in which they stand. `Coder` writes or reads.
template <class Coder, class SomeEvent>
inline void code_fields(const EventFields& fields, Coder& coder, SomeEvent& event) {
  switch (event.op) {
    case Op::kKmalloc:
      coder.index(fields.object_slot, event.slot);
      coder.index(fields.gfp, event.gfp);
      coder.bytes(event.requested_bytes);
      return coder.bytes(event.granted_bytes);
    case Op::kCacheAlloc:
      coder.index(fields.object_slot, event.slot);
      coder.index(fields.gfp, event.gfp);
      return coder.index(fields.cache, event.cache);
    case Op::kKfree:
    case Op::kCacheFree:
    case Op::kInferredFree:
      return coder.index(fields.object_slot, event.slot);
    case Op::kPageAlloc:
      coder.index(fields.page_slot, event.slot);
      coder.index(fields.gfp, event.gfp);
      coder.byte(event.site);
      return coder.byte(event.order);
    case Op::kPageFree:
    case Op::kInferredPageFree:
      return coder.index(fields.page_slot, event.slot);
    case Op::kPageSplit:
      coder.index(fields.page_slot, event.slot);
      return coder.index(fields.page_slot, event.other_slot);
    case Op::kAreaAlloc:
      coder.index(fields.area_slot, event.slot);
      coder.byte(event.site);
      coder.bytes(event.requested_bytes);
      return coder.bytes(event.align_bytes);
    case Op::kAreaFree:
      return coder.index(fields.area_slot, event.slot);
    case Op::kPercpuAlloc:
      coder.index(fields.percpu_slot, event.slot);
      return coder.bytes(event.granted_bytes);
    case Op::kPercpuFree:
      return coder.index(fields.percpu_slot, event.slot);
    case Op::kUnknownFree:
      return coder.byte(event.detail);
    case Op::kAreaPurge:
    case Op::kMark:
      return;
  }
}

// Where the CPU and context of an event are coded together.
constexpr uint16_t where_of(const Event& event) {
  return static_cast<uint16_t>(event.cpu << 2 | static_cast<unsigned>(event.context));
}
inline constexpr uint8_t kWhereFollows = 0x10;  // beside the Op
inline constexpr uint16_t kFirstWhere = 0;      // CPU 0, task

// Writes events.
class EventEncoder {
 public:
  explicit EventEncoder(const EventFields& fields) : fields_(fields) {}

  // At most kMaxEventBytes from `at` on; returns their end. The event has to be one that a decoder
  // with the same tables accepts.
  uint8_t* add(const Event& event, uint8_t* at) {
    const uint16_t where = where_of(event);
    const bool moved = where != where_;
    Writer writer{at};
    writer.byte(static_cast<uint8_t>(static_cast<uint8_t>(event.op) | (moved ? kWhereFollows : 0)));
    if (moved) {
      writer.byte(static_cast<uint8_t>(where));
      writer.byte(static_cast<uint8_t>(where >> 8));
      where_ = where;
    }
    code_fields(fields_, writer, event);
    return writer.at;
  }

 private:
  struct Writer {
    template <class Byte>
    void byte(Byte value) {
      *at++ = static_cast<uint8_t>(value);
    }
    void index(const IndexField& field, uint32_t value) {
      for (uint32_t i = 0; i != field.bytes; ++i, value >>= 8) byte(value);
    }
    void bytes(uint64_t value) {
      for (; value >= 0x80; value >>= 7) byte(value | 0x80);
      byte(value);
    }
    uint8_t* at;
  };

  const EventFields& fields_;
  uint16_t where_ = kFirstWhere;
};

// Reads events, whatever the bytes are: never beyond their end, and nothing that makes no sense by
// itself gets through. Which slots are live is for the player to follow.
class EventDecoder {
 public:
  EventDecoder(const EventFields& fields, uint32_t cpus) : fields_(fields), cpus_(cpus) {}

  // The event at `at`, which then is behind it. False: there is none, and wrong() says why.
  bool next(const uint8_t*& at, const uint8_t* end, Event& event) {
    if (static_cast<size_t>(end - at) < kMaxEventBytes) [[unlikely]] {
      return next_near_end(at, end, event);
    }
    return read(at, event);
  }

  // A field that is wrong, or where `has_value` is false what is wrong with the events.
  struct Wrong {
    const char* what = nullptr;
    uint64_t value = 0;
    bool has_value = false;
  };
  const Wrong& wrong() const { return wrong_; }

 private:
  struct Reader {
    void index(const IndexField& field, uint32_t& value) {
      uint32_t word;
      __builtin_memcpy(&word, at, sizeof(word));
      value = word & field.mask;
      at += field.bytes;
      if (value >= field.end) [[unlikely]] {
        reject(field.name, value);
      }
    }
    template <class Byte>
    void byte(Byte& value) {
      value = static_cast<Byte>(*at++);
    }
    void bytes(uint64_t& value) {
      value = *at++;
      if (value < 0x80) return;
      value &= 0x7f;
      for (unsigned shift = 7;; shift += 7) {
        const uint64_t more = *at++;
        value |= (more & 0x7f) << shift;
        if (more < 0x80) return;
        if (shift > 56) return reject("number of bytes", value);
      }
    }
    void reject(const char* what, uint64_t value) {
      if (wrong.what == nullptr) wrong = {what, value, true};
    }
    const uint8_t* at;
    Wrong wrong{};
  };

  bool read(const uint8_t*& at, Event& event) {
    Reader reader{at};
    const uint8_t first = *reader.at++;
    event.op = static_cast<Op>(first & 0xf);
    if (first >= kWhereFollows) take_where(reader, first);
    event.cpu = where_ >> 2;
    event.context = static_cast<Context>(where_ & 3);
    code_fields(fields_, reader, event);
    check(reader, event);
    if (reader.wrong.what != nullptr) [[unlikely]] {
      wrong_ = reader.wrong;
      return false;
    }
    at = reader.at;
    return true;
  }

  void take_where(Reader& reader, uint8_t first);
  static void check(Reader& reader, const Event& event) {
    // These are nearly all events, and their indices were looked at already.
    if (event.op == Op::kKmalloc) {
      if (event.requested_bytes - 1 >= event.granted_bytes ||
          event.granted_bytes >= kObjectBytesEnd) [[unlikely]] {
        reader.reject("size of a kmalloc", event.requested_bytes);
      }
    } else if (event.op >= Op::kPageAlloc) {
      check_rare(reader, event);
    }
  }
  static void check_rare(Reader& reader, const Event& event);
  bool next_near_end(const uint8_t*& at, const uint8_t* end, Event& event);

  const EventFields& fields_;
  uint32_t cpus_;
  uint16_t where_ = kFirstWhere;
  Wrong wrong_;
};

}  // namespace quarry::replay
