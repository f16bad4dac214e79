// SPDX-License-Identifier: MIT

#include "quarry/context.h"

#include "quarry/fault_parameters.h"
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

void set_fail_nth(uint32_t n) {
  quarry_context& context = Arch::context();
  context.fail_nth = n;
  update_forbidden_gfp(context);
}

uint32_t fail_nth() { return Arch::context().fail_nth; }

void set_make_it_fail(bool fail) { Arch::context().make_it_fail = fail ? 1 : 0; }

bool make_it_fail() { return Arch::context().make_it_fail != 0; }

}  // namespace quarry
