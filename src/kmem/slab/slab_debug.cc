// SPDX-License-Identifier: MIT

// Caches that look for misuse: what lies around an object and in it while it is free, and the
// kernel's words for what is found there.
//
//   slot:  [red zone 1 | object | red zone 2 | last user | padding to the alignment]
//
// A red zone is 8 bytes and says whether the object is in use; red zone 2 and the last user lie at
// the slot's end. A free object is poison, a new one another poison, both with a last byte of their
// own. A red zone that is broken is reported and mended; an object that is free already is not
// taken a second time.

#include "kmem/slab/slab.h"

namespace quarry {

namespace {

constexpr uint64_t kRedInactive = 0x09F911029D74E35B;
constexpr uint64_t kRedActive = 0xD84156C5635688C0;
constexpr unsigned char kPoisonFree = 0x6b;
constexpr unsigned char kPoisonInUse = 0x5a;
constexpr unsigned char kPoisonEnd = 0xa5;
constexpr uint32_t kDumpBytes = 16;  // in a line
constexpr unsigned kMostDumpedLines = 5;

bool has(const SlabState& state, uint32_t flag) { return (state.plan.flags & flag) != 0; }

unsigned char* object_in(const SlabState& state, void* slot) {
  return static_cast<unsigned char*>(slot) + state.plan.object_offset;
}

uint64_t& red_zone_1(void* slot) { return *static_cast<uint64_t*>(slot); }

uint64_t& red_zone_2(const SlabState& state, void* slot) {
  const uint32_t behind = has(state, QUARRY_SLAB_STORE_USER) ? sizeof(uint64_t) : 0;
  return *reinterpret_cast<uint64_t*>(static_cast<unsigned char*>(slot) + state.plan.slot_bytes -
                                      behind - sizeof(uint64_t));
}

uintptr_t& last_user(const SlabState& state, void* slot) {
  return *reinterpret_cast<uintptr_t*>(static_cast<unsigned char*>(slot) + state.plan.slot_bytes -
                                       sizeof(uintptr_t));
}

void set_red_zones(const SlabState& state, void* slot, uint64_t value) {
  if (!has(state, QUARRY_SLAB_RED_ZONE)) return;
  red_zone_1(slot) = red_zone_2(state, slot) = value;
}

// "6b 6b ...  kk..." of up to 16 bytes.
void dump_line(TextSink& out, const unsigned char* object, uint32_t offset, uint32_t count) {
  format(out, "%03x: ", offset);
  for (uint32_t i = 0; i != kDumpBytes; ++i) {
    if (i < count) {
      format(out, "%02x ", object[offset + i]);
    } else {
      format(out, "   ");
    }
  }
  format(out, " ");
  for (uint32_t i = 0; i != count; ++i) {
    const unsigned char byte = object[offset + i];
    format(out, "%c", byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.');
  }
  format(out, "\n");
}

// One byte that differs from poison by one bit was hardly written by a program.
void judge_line(TextSink& out, const unsigned char* bytes, uint32_t count) {
  unsigned bad = 0;
  unsigned error = 0;
  for (uint32_t i = 0; i != count; ++i) {
    if (bytes[i] == kPoisonFree) continue;
    ++bad;
    error = bytes[i] ^ kPoisonFree;
  }
  if (bad == 1 && is_power_of_two(error)) {
    format(out,
           "Single bit error detected. Probably bad RAM.\n"
           "Run memtest86+ or a similar memory test tool.\n");
  }
}

constexpr uint32_t line_bytes(uint32_t offset, uint32_t total) {
  return total - offset < kDumpBytes ? total - offset : kDumpBytes;
}

}  // namespace

void Slab::slab_error(const KmemCache& cache, const char* function, const char* problem) {
  {
    LogText out(pages_->platform());
    format(out, "slab error in %s(): cache `%s': %s\n", function, cache.name, problem);
  }
  pages_->reporter().dump_stack();
}

// What a free slot says of itself, and the first lines of its object.
void Slab::show_slot(TextSink& out, const KmemCache& cache, void* slot, unsigned lines) {
  const SlabState& state = state_of(cache);
  if (has(state, QUARRY_SLAB_RED_ZONE)) {
    format(out, "Redzone: 0x%llx/0x%llx\n", red_zone_1(slot), red_zone_2(state, slot));
  }
  if (has(state, QUARRY_SLAB_STORE_USER)) {
    char name[128] = {};
    pages_->platform().symbolize(last_user(state, slot), name);
    format(out, "Last user: (%s)\n", static_cast<const char*>(name));
  }
  const uint32_t bytes = cache.object_size;
  for (uint32_t at = 0; at < bytes && lines != 0; at += kDumpBytes, --lines) {
    dump_line(out, object_in(state, slot), at, line_bytes(at, bytes));
  }
}

void Slab::poison(const SlabState& state, void* slot, bool in_use) {
  unsigned char* object = object_in(state, slot);
  __builtin_memset(object, in_use ? kPoisonInUse : kPoisonFree, state.plan.object_bytes);
  object[state.plan.object_bytes - 1] = kPoisonEnd;
}

// Looks whether somebody wrote into a free object; shows where.
void Slab::check_poison(const KmemCache& cache, void* slot) {
  const SlabState& state = state_of(cache);
  const unsigned char* object = object_in(state, slot);
  const uint32_t bytes = cache.object_size;
  LogText out(pages_->platform());
  unsigned lines = 0;
  for (uint32_t at = 0; at < bytes && lines <= kMostDumpedLines; at += kDumpBytes) {
    const uint32_t count = line_bytes(at, bytes);
    uint32_t i = 0;
    while (i != count && object[at + i] == (at + i == bytes - 1 ? kPoisonEnd : kPoisonFree)) ++i;
    if (i == count) continue;
    if (lines++ == 0) {
      format(out, "Slab corruption (Not tainted): %s start=%p, len=%u\n", cache.name,
             static_cast<const void*>(object), bytes);
      show_slot(out, cache, slot, 0);
    }
    dump_line(out, object, at, count);
    judge_line(out, object + at, count);
  }
  if (lines == 0) return;
  unsigned char* const first = first_slot(state, slab_of(slot));
  const auto index =
      static_cast<uint32_t>(static_cast<unsigned char*>(slot) - first) / state.plan.slot_bytes;
  const auto show_neighbour = [&](const char* which, uint32_t neighbour) {
    void* other = first + size_t{neighbour} * state.plan.slot_bytes;
    format(out, "%s obj: start=%p, len=%u\n", which,
           static_cast<const void*>(object_in(state, other)), bytes);
    show_slot(out, cache, other, 2);
  };
  if (index != 0) show_neighbour("Prev", index - 1);
  if (index + 1 < state.plan.objects) show_neighbour("Next", index + 1);
}

// A new slab of free objects.
void Slab::prepare_slots(KmemCache& cache, IndexedSlab& slab) {
  const SlabState& state = state_of(cache);
  const bool poisoned = has(state, QUARRY_SLAB_POISON);
  unsigned char* slot = first_slot(state, slab);
  for (uint32_t i = 0; i != state.plan.objects; ++i, slot += state.plan.slot_bytes) {
    if (has(state, QUARRY_SLAB_STORE_USER)) last_user(state, slot) = 0;
    set_red_zones(state, slot, kRedInactive);
    // A poisoned object is constructed whenever it is taken.
    if (cache.ctor != nullptr && !poisoned) cache.ctor(object_in(state, slot));
    if (has(state, QUARRY_SLAB_RED_ZONE)) {
      if (red_zone_2(state, slot) != kRedInactive) {
        slab_error(cache, "cache_init_objs_debug", "constructor overwrote the end of an object");
      }
      if (red_zone_1(slot) != kRedInactive) {
        slab_error(cache, "cache_init_objs_debug", "constructor overwrote the start of an object");
      }
    }
    // The one that the slab's list lies in is poisoned when it is taken.
    if (poisoned && slab.freelist != object_in(state, slot)) poison(state, slot, false);
  }
}

// A slot on its way to a user; the object in it.
void* Slab::check_taken(KmemCache& cache, void* slot, uintptr_t place) {
  const SlabState& state = state_of(cache);
  const bool poisoned = has(state, QUARRY_SLAB_POISON);
  if (poisoned) {
    check_poison(cache, slot);
    poison(state, slot, true);
  }
  if (has(state, QUARRY_SLAB_STORE_USER)) last_user(state, slot) = place;
  if (has(state, QUARRY_SLAB_RED_ZONE)) {
    const uint64_t zone_1 = red_zone_1(slot);
    const uint64_t zone_2 = red_zone_2(state, slot);
    if (zone_1 != kRedInactive || zone_2 != kRedInactive) {
      slab_error(cache, "cache_alloc_debugcheck_after",
                 "double free, or memory outside object was overwritten");
      show_red_zones(slot, zone_1, zone_2);
    }
    set_red_zones(state, slot, kRedActive);
  }
  if (cache.ctor != nullptr && poisoned) cache.ctor(object_in(state, slot));
  return object_in(state, slot);
}

void Slab::show_red_zones(const void* slot, uint64_t zone_1, uint64_t zone_2) {
  LogText out(pages_->platform());
  format(out, "%p: redzone 1:0x%llx, redzone 2:0x%llx\n", slot, zone_1, zone_2);
}

// The slot of an object that comes back; null: it may not, and stays as it is.
void* Slab::check_given(KmemCache& cache, void* object) {
  const SlabState& state = state_of(cache);
  auto* const slot = static_cast<unsigned char*>(object) - state.plan.object_offset;
  const auto offset = static_cast<uintptr_t>(slot - first_slot(state, slab_of(object)));
  if (offset >= size_t{state.plan.objects} * state.plan.slot_bytes ||
      static_cast<uint32_t>(offset) % state.plan.slot_bytes != 0) {
    report_bad_free(cache, slot);
    return nullptr;
  }
  if (has(state, QUARRY_SLAB_RED_ZONE)) {
    const uint64_t zone_1 = red_zone_1(slot);
    const uint64_t zone_2 = red_zone_2(state, slot);
    if (zone_1 != kRedActive || zone_2 != kRedActive) {
      const bool free = zone_1 == kRedInactive && zone_2 == kRedInactive;
      slab_error(cache, "verify_redzone_free",
                 free ? "double free detected" : "memory outside object was overwritten");
      show_red_zones(slot, zone_1, zone_2);
      if (free) return nullptr;
    }
  }
  return slot;
}

// Straight to its slab, which tells whether the object is free already.
void Slab::put_checked(KmemCache& cache, void* slot, uintptr_t place) {
  const SlabState& state = state_of(cache);
  const unsigned owner = map_->page_at(slot)->node;
  SlabNode& node = node_of(cache, owner);
  const IndexedSlab& slab = slab_of(slot);
  const auto offset = static_cast<unsigned char*>(slot) - first_slot(state, slab);
  DeadSlabs dead;
  {
    LockGuard guard(node.lock);
    if (is_free(state, slab, static_cast<uint32_t>(offset) / state.plan.slot_bytes)) {
      return report_bad_free(cache, slot);
    }
    set_red_zones(state, slot, kRedInactive);
    if (has(state, QUARRY_SLAB_STORE_USER)) last_user(state, slot) = place;
    if (has(state, QUARRY_SLAB_POISON)) poison(state, slot, false);
    free_block(cache, node, std::span(&slot, 1));
    trim(cache, node, dead);
  }
  give_up(cache, dead);
}

// A slab that is given up: all its objects are free.
void Slab::check_dead(KmemCache& cache, IndexedSlab& slab) {
  const SlabState& state = state_of(cache);
  const bool poisoned = has(state, QUARRY_SLAB_POISON);
  unsigned char* slot = first_slot(state, slab);
  for (uint32_t i = 0; i != state.plan.objects; ++i, slot += state.plan.slot_bytes) {
    // The one that the list lies in is poison no more.
    if (poisoned && slab.freelist != object_in(state, slot)) check_poison(cache, slot);
    if (!has(state, QUARRY_SLAB_RED_ZONE)) continue;
    if (red_zone_1(slot) != kRedInactive) {
      slab_error(cache, "slab_destroy_debugcheck", "start of a freed object was overwritten");
    }
    if (red_zone_2(state, slot) != kRedInactive) {
      slab_error(cache, "slab_destroy_debugcheck", "end of a freed object was overwritten");
    }
  }
}

void Slab::report_bad_free(const KmemCache& cache, const void* slot) {
  const SlabState& state = state_of(cache);
  const IndexedSlab& slab = slab_of(slot);
  const auto offset =
      static_cast<uintptr_t>(static_cast<const unsigned char*>(slot) - first_slot(state, slab));
  const auto index = static_cast<uint32_t>(offset) / state.plan.slot_bytes;
  if (offset != size_t{index} * state.plan.slot_bytes || index >= state.plan.objects) {
    FixedText<64> problem;
    format(problem, "0x%p is no object of it", slot);
    return slab_error(cache, "cache_free_debugcheck", problem.c_str());
  }
  {
    LogText out(pages_->platform());
    format(out, "slab: double free detected in cache '%s', objp %p\n", cache.name, slot);
  }
  pages_->reporter().dump_stack();
}

}  // namespace quarry
