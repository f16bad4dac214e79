// SPDX-License-Identifier: MIT
#include "base/assert.h"

#include "harness.h"

namespace {

using quarry::kAuditBuild;
using quarry::kDebugBuild;

bool count(int& evaluations) {
  ++evaluations;
  return true;
}

constexpr int checked_half(int even) {
  QUARRY_CHECK(even % 2 == 0);
  QUARRY_ASSERT(even >= 0);
  return even / 2;
}
static_assert(checked_half(4) == 2);

QUARRY_TEST(Assert, evaluates_only_what_is_on) {
  int evaluations = 0;
  QUARRY_CHECK(count(evaluations));
  CHECK_EQ(evaluations, 1);
  QUARRY_ASSERT(count(evaluations));
  CHECK_EQ(evaluations, kDebugBuild ? 2 : 1);
  evaluations = 0;
  QUARRY_AUDIT(count(evaluations));
  CHECK_EQ(evaluations, kAuditBuild ? 1 : 0);
}

}  // namespace
