// SPDX-License-Identifier: MIT
#include "check/fault_injection.h"

#include "sync/execution_context.h"

namespace quarry {

void FaultInjector::init(Reporter& reporter, const char* name, uint64_t seed) {
  LockGuard guard(lock_);
  reporter_ = &reporter;
  name_ = name;
  random_ = Random(seed);
}

void FaultInjector::set_parameters(const FaultParameters& parameters) {
  report_limit_.set(uint64_t{parameters.verbose_ratelimit_interval_ms} * 1'000'000,
                    parameters.verbose_ratelimit_burst);
  LockGuard guard(lock_);
  if (parameters.interval != parameters_.interval) attempts_ = 0;
  parameters_ = parameters;
  ignore_wait_.store(parameters.ignore_gfp_wait, std::memory_order_relaxed);
  cache_filter_.store(parameters.cache_filter, std::memory_order_relaxed);
  ignore_highmem_.store(parameters.ignore_gfp_highmem, std::memory_order_relaxed);
  min_order_.store(parameters.min_order, std::memory_order_relaxed);
  active_.store(parameters.probability != 0, std::memory_order_relaxed);
}

FaultParameters FaultInjector::parameters() const {
  LockGuard guard(lock_);
  return parameters_;
}

bool FaultInjector::concerns(Gfp gfp) const {
  return !any(gfp, gfp::kNoFail) &&
         !(any(gfp, gfp::kDirectReclaim) && ignore_wait_.load(std::memory_order_relaxed));
}

bool FaultInjector::should_fail_slab(Gfp gfp, size_t bytes, bool chosen) {
  if (!chosen && cache_filter_.load(std::memory_order_relaxed)) return false;
  return concerns(gfp) && should_fail(gfp, bytes);
}

bool FaultInjector::should_fail_page(Gfp gfp, Order order) {
  if (order.value() < min_order_.load(std::memory_order_relaxed)) return false;
  if (any(gfp, gfp::kHighmemBit) && ignore_highmem_.load(std::memory_order_relaxed)) return false;
  return concerns(gfp) && should_fail(gfp, order.pages());
}

bool FaultInjector::should_fail(Gfp gfp, uint64_t size) {
  quarry_context& context = Arch::context();
  const bool counting_down = context.fail_nth != 0 && !in_interrupt(context);
  if (counting_down) {
    if (--context.fail_nth != 0) return false;
    update_forbidden_gfp(context);
  } else if (!active()) {
    return false;
  }
  FaultParameters reported;
  {
    LockGuard guard(lock_);
    if (!counting_down && !roll(context, size)) return false;
    reported = parameters_;
    if (parameters_.times > 0) --parameters_.times;
  }
  if (!any(gfp, gfp::kNoWarn)) report(reported);
  return true;
}

bool FaultInjector::roll(const quarry_context& context, uint64_t size) {
  FaultParameters& p = parameters_;
  if (p.probability == 0) return false;
  if (p.task_filter && (context.make_it_fail == 0 || in_interrupt(context))) return false;
  if (p.times == 0) return false;
  if (p.space > size) {
    p.space -= size;
    return false;
  }
  if (p.interval > 1 && ++attempts_ % p.interval != 0) return false;
  return p.probability > random_.below(100);
}

// With what was left before this failure, as in Linux.
void FaultInjector::report(const FaultParameters& p) {
  if (p.verbose == 0 || !report_limit_.allow(reporter_->platform().clock_ns())) return;
  {
    LogText out(reporter_->platform());
    format(out, "FAULT_INJECTION: forcing a failure.\n");
    format(out, "name %s, interval %u, probability %u, space %u, times %d\n", name_, p.interval,
           p.probability, p.space, p.times);
  }
  if (p.verbose > 1) reporter_->dump_stack();
}

}  // namespace quarry
