// SPDX-License-Identifier: MIT
#include "fault_files.h"

#include <linux/errno.h>
#include <linux/fault-inject.h>

#include <limits>

#include "command_line.h"
#include "default_system.h"
#include "text_buffer.h"

namespace quarry {
namespace {

template <auto kMember>
const char* write_flag(FaultParameters& parameters, std::string_view value) {
  return parse_bool(value, parameters.*kMember) ? nullptr : "neither Y nor N";
}

template <auto kMember>
void read_flag(const FaultParameters& parameters, TextSink& out) {
  format(out, "%c\n", parameters.*kMember ? 'Y' : 'N');
}

// Any number that the member holds from kLeast on, up to kMost.
template <auto kMember, int64_t kLeast, int64_t kMost>
const char* write_number(FaultParameters& parameters, std::string_view value) {
  int64_t number = 0;
  if (!parse_signed(value, number)) return "not a number";
  if (number < kLeast || number > kMost) return "out of range";
  auto& member = parameters.*kMember;
  member = static_cast<std::remove_reference_t<decltype(member)>>(number);
  return nullptr;
}

template <auto kMember>
void read_number(const FaultParameters& parameters, TextSink& out) {
  format(out, "%d\n", static_cast<int64_t>(parameters.*kMember));
}

constexpr uint8_t kSlab = static_cast<uint8_t>(FaultKind::kSlab);
constexpr uint8_t kPage = static_cast<uint8_t>(FaultKind::kPage);

template <auto kMember>
constexpr FaultFile flag(std::string_view name, uint8_t kinds) {
  return {name, kinds, write_flag<kMember>, read_flag<kMember>};
}

template <auto kMember, int64_t kLeast = 0, int64_t kMost = std::numeric_limits<uint32_t>::max()>
constexpr FaultFile number(std::string_view name, uint8_t kinds = kSlab | kPage) {
  return {name, kinds, write_number<kMember, kLeast, kMost>, read_number<kMember>};
}

using P = FaultParameters;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr FaultFile kFiles[] = {
    number<&P::probability, 0, 100>("probability"),
    number<&P::interval, 1>("interval"),
    number<&P::times, -1, kNoLimit>("times"),
    number<&P::space, 0, kNoLimit>("space"),
    number<&P::verbose>("verbose"),
    number<&P::verbose_ratelimit_interval_ms>("verbose_ratelimit_interval_ms"),
    number<&P::verbose_ratelimit_burst>("verbose_ratelimit_burst"),
    flag<&P::task_filter>("task-filter", kSlab | kPage),
    flag<&P::ignore_gfp_wait>("ignore-gfp-wait", kSlab | kPage),
    flag<&P::cache_filter>("cache-filter", kSlab),
    flag<&P::ignore_gfp_highmem>("ignore-gfp-highmem", kPage),
    number<&P::min_order, 0, kMaxOrder.value()>("min-order", kPage),
};

// One of the files below /sys/kernel/debug. Null: there is none of that name.
const FaultFile* find_path(std::string_view path, FaultKind& kind) {
  return take_fault_kind(path, '/', kind) ? find_fault_file(kind, path) : nullptr;
}

FaultParameters parameters_of(FaultKind kind) {
  return kind == FaultKind::kSlab ? default_system.failslab() : default_system.fail_page_alloc();
}

}  // namespace

const FaultFile* find_fault_file(FaultKind kind, std::string_view name) {
  for (const FaultFile& file : kFiles) {
    if ((file.kinds & static_cast<uint8_t>(kind)) != 0 && same_name(file.name, name)) return &file;
  }
  return nullptr;
}

bool take_fault_kind(std::string_view& name, char separator, FaultKind& kind) {
  std::string_view rest = name;
  const std::string_view first = take_field(rest, separator);
  if (first.size() == name.size()) return false;
  if (!same_name(first, "failslab") && !same_name(first, "fail_page_alloc")) return false;
  kind = same_name(first, "failslab") ? FaultKind::kSlab : FaultKind::kPage;
  name = rest;
  return true;
}

extern "C" {

int quarry_fault_write(const char* path, const char* value) {
  FaultKind kind{};
  const FaultFile* const file = find_path(path, kind);
  if (file == nullptr) return -ENOENT;
  FaultParameters parameters = parameters_of(kind);
  if (file->write(parameters, value) != nullptr) return -EINVAL;
  kind == FaultKind::kSlab ? default_system.set_failslab(parameters)
                           : default_system.set_fail_page_alloc(parameters);
  return 0;
}

long quarry_fault_read(const char* path, char* buffer, size_t size) {
  FaultKind kind{};
  const FaultFile* const file = find_path(path, kind);
  if (file == nullptr) return -ENOENT;
  TextBuffer out(buffer, size);
  file->read(parameters_of(kind), out);
  return static_cast<long>(out.length());
}

void quarry_failslab_cache(struct kmem_cache* cache, bool chosen) {
  default_system.cache_choose_for_failslab(static_cast<KmemCache*>(cache), chosen);
}

}  // extern "C"

}  // namespace quarry
