// SPDX-License-Identifier: MIT
#pragma once

// What a request does when its migrate type has no free block: it takes one of another type, the
// largest there is, so that types mix in as few pageblocks as possible; a whole pageblock of which
// enough is free changes its type. Rules: Linux 6.1.

#include "zone/buddy.h"

namespace quarry {

enum class Steal : uint8_t {
  kNothing,          // no other type has a block either
  kPageblocks,       // whole pageblocks changed their type
  kPartOfPageblock,  // types now mix in a pageblock, or its type changed with pages in use in it
};

// Makes sure that `type`, which has no free block of at least this order, has one in its lists.
// `whole_blocks_only`: only blocks of at least a pageblock, for a request of a lower order. The
// caller holds the zone's lock.
Steal steal_fallback(Buddy& buddy, Order order, MigrateType type, bool whole_blocks_only);

}  // namespace quarry
