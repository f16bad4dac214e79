// SPDX-License-Identifier: MIT
#pragma once

// Clang's thread-safety analysis: which lock guards which field, and what a function does with
// locks. Other compilers see nothing.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html

#if defined(__clang__)
#define QUARRY_THREAD_ATTRIBUTE(attribute) __attribute__((attribute))
#else
#define QUARRY_THREAD_ATTRIBUTE(attribute)
#endif

// On a class that is a lock, and on one that holds a lock while it lives.
#define QUARRY_CAPABILITY(name) QUARRY_THREAD_ATTRIBUTE(capability(name))
#define QUARRY_SCOPED_CAPABILITY QUARRY_THREAD_ATTRIBUTE(scoped_lockable)

// On a field, and on a pointer whose target is guarded.
#define QUARRY_GUARDED_BY(lock) QUARRY_THREAD_ATTRIBUTE(guarded_by(lock))
#define QUARRY_PT_GUARDED_BY(lock) QUARRY_THREAD_ATTRIBUTE(pt_guarded_by(lock))

// On a function: the caller holds the locks; the caller does not hold them.
#define QUARRY_REQUIRES(...) QUARRY_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define QUARRY_EXCLUDES(...) QUARRY_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

// On a function that takes or drops locks; without an argument, `this` or what the scope holds.
#define QUARRY_ACQUIRE(...) QUARRY_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define QUARRY_RELEASE(...) QUARRY_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define QUARRY_TRY_ACQUIRE(...) QUARRY_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define QUARRY_ASSERT_CAPABILITY(lock) QUARRY_THREAD_ATTRIBUTE(assert_capability(lock))
#define QUARRY_RETURN_CAPABILITY(lock) QUARRY_THREAD_ATTRIBUTE(lock_returned(lock))

// On a function whose locking the analysis cannot follow; say why beside it.
#define QUARRY_NO_THREAD_SAFETY_ANALYSIS QUARRY_THREAD_ATTRIBUTE(no_thread_safety_analysis)
