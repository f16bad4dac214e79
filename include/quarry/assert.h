// SPDX-License-Identifier: MIT
#pragma once

// Three levels of checking:
//   QUARRY_CHECK   always: what would corrupt memory if it went on
//   QUARRY_ASSERT  builds with QUARRY_DEBUG=1: conditions that cost a few instructions
//   QUARRY_AUDIT   builds with QUARRY_AUDIT_ENABLED=1: O(n) walks such as validate()
// A level that is off does not evaluate its condition, but still compiles it.
//
// All three may stand in constexpr functions; a failure there is a compile error.

#ifndef QUARRY_DEBUG
#define QUARRY_DEBUG 0
#endif
#ifndef QUARRY_AUDIT_ENABLED
#define QUARRY_AUDIT_ENABLED 0
#endif

namespace quarry {

inline constexpr bool kDebugBuild = QUARRY_DEBUG != 0;
inline constexpr bool kAuditBuild = QUARRY_AUDIT_ENABLED != 0;

// Reports the broken condition and stops the machine or the process. The core's own definition
// is weak and only traps; a port overrides it with a strong one that prints. The strong one must
// stand in an object that is linked for another reason too, because a linker looks into no further
// member of an archive once it has a weak definition. Any context.
[[noreturn, gnu::cold]] void check_failed(const char* expression, const char* file, int line);

}  // namespace quarry

#define QUARRY_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::quarry::check_failed(#condition, __FILE__, __LINE__))

#define QUARRY_UNCHECKED(condition) static_cast<void>(sizeof((condition) ? 1 : 0))

#if QUARRY_DEBUG
#define QUARRY_ASSERT(condition) QUARRY_CHECK(condition)
#else
#define QUARRY_ASSERT(condition) QUARRY_UNCHECKED(condition)
#endif

#if QUARRY_AUDIT_ENABLED
#define QUARRY_AUDIT(condition) QUARRY_CHECK(condition)
#else
#define QUARRY_AUDIT(condition) QUARRY_UNCHECKED(condition)
#endif
