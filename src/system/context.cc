// SPDX-License-Identifier: MIT

#include "quarry/context.h"

#include "sync/execution_context.h"

namespace quarry {

namespace {

constexpr uint32_t quarry_context::*kDepth[] = {
    &quarry_context::atomic_depth, &quarry_context::softirq_depth, &quarry_context::hardirq_depth,
    &quarry_context::nmi_depth};

}  // namespace

void enter(Section section) {
  enter_section(kDepth[static_cast<unsigned>(section)], QUARRY_SECTION_ENTRY);
}

void leave(Section section) { leave_section(kDepth[static_cast<unsigned>(section)]); }

}  // namespace quarry
