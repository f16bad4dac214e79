// SPDX-License-Identifier: MIT
#include "sync/report.h"

#include "sync/execution_context.h"

namespace quarry {

namespace {

constexpr size_t kMostFrames = 24;

}  // namespace

void LogText::write(const char* text, size_t length) {
  for (size_t i = 0; i != length; ++i) {
    line_[size_++] = text[i];
    if (text[i] == '\n' || size_ == sizeof(line_)) flush();
  }
}

void LogText::flush() {
  if (size_ != 0) platform_.log(line_, size_);
  size_ = 0;
}

bool PlaceSet::insert(uintptr_t place) {
  for (std::atomic<uintptr_t>& slot : place_) {
    // Relaxed: a place is a number, nothing is published by it.
    uintptr_t seen = slot.load(std::memory_order_relaxed);
    if (seen == 0 && slot.compare_exchange_strong(seen, place, std::memory_order_relaxed)) {
      return true;
    }
    if (seen == place) return false;
  }
  return false;
}

void RateLimit::set(uint64_t interval_ns, uint32_t burst) {
  LockGuard guard(lock_);
  interval_ns_ = interval_ns;
  burst_ = burst;
}

bool RateLimit::allow(uint64_t now_ns) {
  LockGuard guard(lock_);
  if (interval_ns_ == 0) return true;
  if (granted_ == 0 || now_ns - begin_ns_ >= interval_ns_) {
    begin_ns_ = now_ns;
    granted_ = 0;
  }
  if (granted_ == burst_) return false;
  ++granted_;
  return true;
}

void Reporter::print_address(TextSink& out, uintptr_t address) const {
  char name[128];
  name[0] = '\0';
  platform_->symbolize(address, name);
  format(out, "%s", static_cast<const char*>(name));
}

void Reporter::dump_stack() const {
  uintptr_t frames[kMostFrames];
  const size_t count = platform_->backtrace(frames);
  LogText out(*platform_);
  format(out, "Call Trace:\n <TASK>\n");
  for (size_t i = 0; i != count; ++i) {
    format(out, " ");
    print_address(out, frames[i]);
    format(out, "\n");
  }
  format(out, " </TASK>\n");
}

void Reporter::print_taints(TextSink& out) const {
  static constexpr char kLetters[] = "PFSRMBUDAWCIOELKXTN";
  const uint32_t taints = taints_.load(std::memory_order_relaxed);
  if (taints == 0) return format(out, "Not tainted");
  format(out, "Tainted: G");  // no proprietary module
  for (unsigned bit = 1; kLetters[bit] != '\0'; ++bit) {
    format(out, "%c", (taints >> bit & 1) != 0 ? kLetters[bit] : ' ');
  }
}

void Reporter::warn(uintptr_t place, const char* what) {
  {
    LogText out(*platform_);
    format(out, "------------[ cut here ]------------\n");
    format(out, "WARNING: CPU: %d at ", platform_->current_cpu());
    print_address(out, place);
    format(out, "\n%s\n", what);
  }
  dump_stack();
  LogText out(*platform_);
  format(out, "---[ end trace 0000000000000000 ]---\n");
  taint(Taint::kWarn);
}

void Reporter::check_context_slow(uint32_t gfp, uintptr_t place) {
  static constexpr char kWhat[] = "BUG: sleeping function called from invalid context";
  const quarry_context& context = Arch::context();
  if (!context_forbids(context, gfp) || !once(place, kWhat)) return;
  {
    LogText out(*platform_);
    format(out, "%s at ", kWhat);
    print_address(out, place);
    format(out, "\nin_atomic(): %d, irqs_disabled(): %d, non_block: 0, pid: 0, name: quarry\n",
           int{context.atomic_depth != 0 || in_interrupt(context)},
           int{context.irq_off_depth != 0});
    format(out, "softirqs: %u, hardirqs: %u, nmis: %u\n", context.softirq_depth,
           context.hardirq_depth, context.nmi_depth);
    if (context.rcu_depth != 0) {
      format(out, "RCU nest depth: %u, expected: 0\n", context.rcu_depth);
    }
  }
  show_section_entry(context);
  dump_stack();
}

// As in the kernel's stacks, '?' is before what is not certain.
void Reporter::show_section_entry(const quarry_context& context) {
  uintptr_t frames[kMostFrames];
  bool exact = false;
  const size_t count =
      platform_->earlier_backtrace(context.section_place, context.section_stack, frames, exact);
  LogText out(*platform_);
  format(out, "Preemption disabled at:\n");
  for (size_t i = 0; i != count; ++i) {
    format(out, "[<%p>] %s", reinterpret_cast<const void*>(frames[i]), exact || i == 0 ? "" : "? ");
    print_address(out, frames[i]);
    format(out, "\n");
  }
}

}  // namespace quarry
