// SPDX-License-Identifier: MIT
#include "report.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include <iterator>

#include "arch/arch.h"
#include "quarry/assert.h"
#include "quarry/text_sink.h"
#include "symbols.h"

extern "C" {

__thread quarry_context quarry_this_context __attribute__((tls_model("initial-exec"))) = {};

void quarry_hosted_yield() { sched_yield(); }

// The one symbol of the C++ run-time library that classes with pure virtual functions need.
[[gnu::weak, noreturn]] void __cxa_pure_virtual() {
  quarry::report_text("quarry: a pure virtual function was called\n");
  quarry::report_backtrace();
  abort();
}

}  // extern "C"

namespace quarry {
namespace {

struct Walk {
  std::span<uintptr_t> frames;
  size_t count = 0;
  size_t skip = 0;
};

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  if (walk.skip != 0) {
    --walk.skip;
    return _URC_NO_REASON;
  }
  const uintptr_t address = _Unwind_GetIP(context);
  if (walk.count == walk.frames.size() || address == 0) return _URC_END_OF_STACK;
  walk.frames[walk.count++] = address;
  return _URC_NO_REASON;
}

// A function under way: where it is, its stack pointer in the call it is in, its first address.
struct Activation {
  uintptr_t address;
  uintptr_t stack;
  uintptr_t function;
};

struct ActivationWalk {
  Activation activation[96];
  size_t count = 0;
};

_Unwind_Reason_Code note_activation(_Unwind_Context* context, void* argument) {
  ActivationWalk& walk = *static_cast<ActivationWalk*>(argument);
  const uintptr_t address = _Unwind_GetIP(context);
  if (walk.count == std::size(walk.activation) || address == 0) return _URC_END_OF_STACK;
  walk.activation[walk.count++] = {address, _Unwind_GetCFA(context),
                                   _Unwind_GetRegionStart(context)};
  return _URC_NO_REASON;
}

// The stack grows downwards: what was under way then lies above `stack`. The function that made the
// call has `stack` between its own stack pointer and its caller's, if it has not returned.
size_t first_activation(const ActivationWalk& walk, uintptr_t function, uintptr_t stack,
                        bool& exact) {
  size_t i = 0;
  while (i + 1 < walk.count && walk.activation[i + 1].stack <= stack) ++i;
  exact = i + 1 < walk.count && walk.activation[i].function == function;
  if (exact) return i + 1;
  while (i < walk.count && walk.activation[i].stack <= stack) ++i;
  return i;
}

}  // namespace

void report_text(const char* text, size_t length) {
  const int error = errno;
  while (length != 0) {
    const ssize_t written = write(STDERR_FILENO, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text += written;
    length -= static_cast<size_t>(written);
  }
  errno = error;
}

void report_text(const char* text) { report_text(text, strlen(text)); }

// Not inlined, so that the two innermost frames, this one and the caller's, can be left out.
[[gnu::noinline]] size_t collect_backtrace(std::span<uintptr_t> frames) {
  Walk walk{.frames = frames, .skip = 2};
  _Unwind_Backtrace(note_frame, &walk);
  return walk.count;
}

size_t collect_earlier_backtrace(uintptr_t place, uintptr_t stack, std::span<uintptr_t> frames,
                                 bool& exact) {
  exact = false;
  if (frames.empty()) return 0;
  frames[0] = place;
  size_t count = 1;
  ActivationWalk walk;
  _Unwind_Backtrace(note_activation, &walk);
  // Of the call, not of what follows it: that may be another function.
  void* const call = reinterpret_cast<void*>(place - 1);
  const auto function = reinterpret_cast<uintptr_t>(_Unwind_FindEnclosingFunction(call));
  for (size_t i = first_activation(walk, function, stack, exact); i < walk.count; ++i) {
    if (count == frames.size()) break;
    frames[count++] = walk.activation[i].address;
  }
  return count;
}

void describe_address(uintptr_t address, std::span<char> text) {
  if (text.empty()) return;
  FixedText<Symbol::kMaxName + 48> line;
  Symbol symbol;
  if (find_symbol(address, symbol)) {
    format(line, "%s+%#x/%#x", symbol.name, address - symbol.start, symbol.bytes);
  } else {
    format(line, "%#x", address);
  }
  const size_t length = line.size() < text.size() ? line.size() : text.size() - 1;
  memcpy(text.data(), line.c_str(), length);
  text[length] = '\0';
}

void report_backtrace() {
  uintptr_t frames[32];
  const size_t count = collect_backtrace(frames);
  report_text("Call Trace:\n");
  for (size_t i = 0; i != count; ++i) {
    char where[160];
    describe_address(frames[i], where);
    FixedText<180> line;
    format(line, " %s\n", where);
    report_text(line.c_str(), line.size());
  }
}

void check_failed(const char* expression, const char* file, int line) {
  FixedText<512> text;
  format(text, "quarry: check failed: %s at %s:%d\n", expression, file, line);
  report_text(text.c_str(), text.size());
  report_backtrace();
  abort();
}

}  // namespace quarry
