// SPDX-License-Identifier: MIT
#include "kmem/slub/slub_options.h"

namespace quarry {

namespace {

// One block, and what follows it.
struct Block {
  uint32_t flags = 0;
  bool keeps_orders = false;
  const char* caches = nullptr;  // up to a ';' or the end; null: it has none
  const char* next = nullptr;    // null: it is the last
};

// False: no option has that letter.
bool read_letter(char letter, Block& block) {
  switch (letter | 0x20) {
    case 'f':
      block.flags |= QUARRY_SLAB_CONSISTENCY_CHECKS;
      return true;
    case 'z':
      block.flags |= QUARRY_SLAB_RED_ZONE;
      return true;
    case 'p':
      block.flags |= QUARRY_SLAB_POISON;
      return true;
    case 'u':
      block.flags |= QUARRY_SLAB_STORE_USER;
      return true;
    case 't':
      block.flags |= QUARRY_SLAB_TRACE;
      return true;
    case 'a':
      block.flags |= QUARRY_SLAB_FAILSLAB;
      return true;
    case 'o':
      block.keeps_orders = true;
      return true;
    case '-':  // has the bit already
      block.flags = 0;
      return true;
    default:
      return false;
  }
}

const char* skip_separators(const char* text) {
  while (*text == ';') ++text;
  return text;
}

// `complaints` may be null.
Block read_block(const char* text, TextSink* complaints) {
  Block block;
  text = skip_separators(text);
  if (*text == ',') block.flags = SlubOptions::kAll;
  for (; *text != '\0' && *text != ',' && *text != ';'; ++text) {
    if (!read_letter(*text, block) && complaints != nullptr) {
      format(*complaints, "slub_debug option '%c' unknown. skipped\n", *text);
    }
  }
  if (*text == ',') block.caches = ++text;
  while (*text != '\0' && *text != ';') ++text;
  text = skip_separators(text);
  if (*text != '\0') block.next = text;
  return block;
}

// Whether the pattern up to a ',' or `end` is the name, or its beginning where it ends with '*'.
bool matches(const char* pattern, const char* end, const char* name) {
  for (; pattern != end && *pattern != '*'; ++pattern, ++name) {
    if (*pattern != *name) return false;
  }
  return pattern != end || *name == '\0';
}

bool names_cache(const char* caches, const char* name) {
  const char* pattern = caches;
  for (const char* end = caches;; ++end) {
    if (*end != ',' && *end != ';' && *end != '\0') continue;
    if (end != pattern && matches(pattern, end, name)) return true;
    if (*end != ',') return false;
    pattern = end + 1;
  }
}

}  // namespace

void SlubOptions::read(const char* value, TextSink& complaints) {
  *this = SlubOptions();
  if (value == nullptr) return;
  for_all_ = kAll;
  if (*value == '\0') return;
  bool for_all_is_said = false;
  for (const char* next = value; next != nullptr;) {
    const Block block = read_block(next, &complaints);
    if (block.caches != nullptr) {
      blocks_ = value;
    } else {
      for_all_ = block.flags;
      for_all_is_said = true;
    }
    keeps_orders_ = keeps_orders_ || block.keeps_orders;
    next = block.next;
  }
  if (!for_all_is_said) for_all_ = 0;
}

uint32_t SlubOptions::flags_of(const char* name, uint32_t flags) const {
  if ((flags & QUARRY_SLAB_NO_USER_FLAGS) != 0) return flags;
  for (const char* next = blocks_; next != nullptr;) {
    const Block block = read_block(next, nullptr);
    if (block.caches != nullptr && names_cache(block.caches, name)) return flags | block.flags;
    next = block.next;
  }
  // What leak detectors make their own records of: a user is told for it only where it is named.
  const bool untracked = (flags & QUARRY_SLAB_NOLEAKTRACE) != 0;
  return flags | (untracked ? for_all_ & ~QUARRY_SLAB_STORE_USER : for_all_);
}

}  // namespace quarry
