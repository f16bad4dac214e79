// SPDX-License-Identifier: MIT
#pragma once

// What the running thread stands for: by default a task, which may sleep. In the sections below a
// call with gfp::kDirectReclaim is reported, because in the kernel it could not sleep there.

#include <cstdint>

namespace quarry {

enum class Section : uint8_t { kAtomic, kSoftirq, kHardirq, kNmi };

// Begins and ends a section of the calling thread. Sections nest and end in the opposite order.
void enter(Section section);
void leave(Section section);

// A section for the lifetime of the guard.
class SectionGuard {
 public:
  explicit SectionGuard(Section section) : section_(section) { enter(section); }
  ~SectionGuard() { leave(section_); }
  SectionGuard(const SectionGuard&) = delete;
  SectionGuard& operator=(const SectionGuard&) = delete;

 private:
  Section section_;
};

}  // namespace quarry
