// SPDX-License-Identifier: MIT
#include "measured_machine.h"

namespace quarry::tool {
namespace {

void add_to_log(void* log, const char* text, size_t length) {
  constexpr size_t kEnough = size_t{64} << 10;
  auto& kept = *static_cast<std::string*>(log);
  if (kept.size() < kEnough) kept.append(text, length);
}

}  // namespace

MeasuredMachine::MeasuredMachine(uint64_t ram_bytes, const Config& config) : ram_bytes_(ram_bytes) {
  if (!platform_.open({.ram_bytes = ram_bytes, .log = add_to_log, .log_context = &log_})) return;
  // A system that does not boot stays unbooted.
  [[maybe_unused]] const bool booted = system_.boot(platform_, config);
}

MeasuredMachine::~MeasuredMachine() {
  if (!booted()) return;
  for (Page* page : held_) system_.put_page(page);
  system_.shutdown();
}

void MeasuredMachine::fragment() {
  std::vector<Page*> free_again;
  while (Page* page = system_.alloc_pages(gfp::kMemalloc | gfp::kNoWarn, Order{0})) {
    const bool odd = system_.page_to_pfn(page).value() % 2 != 0;
    (odd ? free_again : held_).push_back(page);
  }
  for (Page* page : free_again) system_.put_page(page);
  system_.drain_all();
}

}  // namespace quarry::tool
