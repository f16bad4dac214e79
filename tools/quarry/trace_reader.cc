// SPDX-License-Identifier: MIT
#include "trace_reader.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>

#include "field_scanner.h"
#include "replay/event_code.h"

namespace quarry::tool {
namespace {

using replay::kAreaBytesEnd;
using replay::kObjectBytesEnd;
using replay::kOrderEnd;

constexpr uint64_t kAnyNumber = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kMigrateTypesEnd = 8;

constexpr std::string_view kContextLetters = "tshn";
constexpr std::string_view kOpLetters = "kKcCopPqhvVuaAx#";

}  // namespace

TraceReader::TraceReader(std::string name, TraceSource& source)
    : lines_(std::move(name), source),
      header_(read_trace_header(lines_)),
      first_event_line_(lines_.line_number() + 1) {}

bool TraceReader::next(TraceEvent& event) {
  const char* line = lines_.begin_line();
  if (line == nullptr) [[unlikely]] {
    fail_at_early_end();
  }
  if (*line == 'e') [[unlikely]] {
    return finish(line);
  }

  FieldScanner fields(line);
  event.delta_ns = fields.first_number("time step", kAnyNumber);
  event.cpu = static_cast<uint16_t>(fields.number("CPU", header_.cpus));
  event.context = static_cast<Context>(
      kContextLetters.find(fields.glued_letter("context letter t, s, h or n", kContextLetters)));
  parse_op(fields.letter("kind of event", kOpLetters), fields, event);
  if (!fields.ok() || !fields.line_ends_here()) [[unlikely]] {
    fail_line(fields);
  }
  if (events_ == header_.events) [[unlikely]] {
    lines_.fail(fmt::format("more than the {} events that the header declares", header_.events));
  }
  lines_.end_line(fields.position());
  ++events_;
  duration_ns_ += event.delta_ns;
  return true;
}

void TraceReader::parse_op(char op, FieldScanner& fields, TraceEvent& event) {
  switch (op) {
    case 'k':
    case 'K':
    case 'c':
    case 'C':
    case 'o':
      return parse_object_event(op, fields, event);
    case 'p':
    case 'P':
    case 'q':
    case 'h':
      return parse_page_event(op, fields, event);
    case 'v':
    case 'V':
    case 'u':
      return parse_area_event(op, fields, event);
    case 'a':
      event.op = Op::kPercpuAlloc;
      event.slot = static_cast<uint32_t>(fields.number("per-CPU slot", header_.slots.percpu));
      take_site(fields, event);
      event.gfp = static_cast<uint32_t>(fields.number("gfp", header_.gfps.size()));
      event.requested_bytes = fields.number("size", kAreaBytesEnd);
      event.align_bytes = fields.number("alignment", kAreaBytesEnd);
      event.granted_bytes = fields.number("size over all CPUs", kAreaBytesEnd);
      if (event.granted_bytes == 0 && fields.ok()) lines_.fail("per-CPU memory of 0 bytes");
      return;
    case 'A':
      event.op = Op::kPercpuFree;
      event.slot = static_cast<uint32_t>(fields.number("per-CPU slot", header_.slots.percpu));
      return;
    case 'x':
      return parse_unknown_free(fields, event);
    case '#':
      event.op = Op::kMark;
      return fields.skip_line();
  }
}

void TraceReader::parse_object_event(char op, FieldScanner& fields, TraceEvent& event) {
  event.slot = static_cast<uint32_t>(fields.number("object slot", header_.slots.object));
  if (op == 'o') {
    event.op = Op::kInferredFree;
    event.detail = fields.letter("reason r or s", "rs");
    return;
  }
  take_site(fields, event);
  if (op == 'K' || op == 'C') {
    event.op = op == 'K' ? Op::kKfree : Op::kCacheFree;
    return;
  }
  event.gfp = static_cast<uint32_t>(fields.number("gfp", header_.gfps.size()));
  if (op == 'c') {
    event.op = Op::kCacheAlloc;
    event.cache = static_cast<uint32_t>(fields.number("cache", header_.caches.size()));
    return;
  }
  event.op = Op::kKmalloc;
  event.requested_bytes = fields.number("requested size", kObjectBytesEnd);
  event.granted_bytes = fields.number("size that Linux returned", kObjectBytesEnd);
  if (event.requested_bytes - 1 >= event.granted_bytes && fields.ok()) [[unlikely]] {
    lines_.fail(fmt::format("kmalloc of {} bytes that returned {}", event.requested_bytes,
                            event.granted_bytes));
  }
}

void TraceReader::parse_page_event(char op, FieldScanner& fields, TraceEvent& event) {
  event.slot = static_cast<uint32_t>(fields.number("page slot", header_.slots.page));
  if (op == 'q') {
    event.op = Op::kInferredPageFree;
    event.detail = fields.letter("reason r or s", "rs");
    return;
  }
  if (op == 'h') {
    event.op = Op::kPageSplit;
    event.other_slot = static_cast<uint32_t>(fields.number("page slot", header_.slots.page));
    return;
  }
  take_site(fields, event);
  if (op == 'P') {
    event.op = Op::kPageFree;
    return;
  }
  event.op = Op::kPageAlloc;
  event.gfp = static_cast<uint32_t>(fields.number("gfp", header_.gfps.size()));
  event.order = static_cast<uint8_t>(fields.number("order", kOrderEnd));
  event.migrate_type = static_cast<uint8_t>(fields.number("migrate type", kMigrateTypesEnd));
  event.page = fields.number("page number", kAnyNumber);
  if (!fields.ok()) [[unlikely]] {
    return;
  }
  event.site = header_.sites[event.site_index];
  if (!is_page_site(event.site)) {
    lines_.fail(fmt::format("site {} is not one that allocates pages", event.site_index));
  }
  if ((event.page & ((uint64_t{1} << event.order) - 1)) != 0) {
    lines_.fail(fmt::format("page {} is not aligned to order {}", event.page, event.order));
  }
}

void TraceReader::parse_area_event(char op, FieldScanner& fields, TraceEvent& event) {
  if (op == 'u') {
    event.op = Op::kAreaPurge;
    fields.number("number of areas", kAnyNumber);
    return;
  }
  event.slot = static_cast<uint32_t>(fields.number("area slot", header_.slots.area));
  take_site(fields, event);
  if (op == 'V') {
    event.op = Op::kAreaFree;
    return;
  }
  event.op = Op::kAreaAlloc;
  event.requested_bytes = fields.number("size", kAreaBytesEnd);
  event.align_bytes = fields.number("alignment", kAreaBytesEnd);
  event.detail = fields.letter("range d or x", "dx");
  if (!fields.ok()) return;
  event.site = header_.sites[event.site_index];
  if (!is_area_site(event.site)) {
    lines_.fail(fmt::format("site {} is not one that allocates areas", event.site_index));
  }
  if (event.requested_bytes < replay::least_area_bytes(event.site) ||
      event.requested_bytes % kPageBytes != 0) {
    lines_.fail(fmt::format("an area of {} bytes", event.requested_bytes));
  }
}

void TraceReader::parse_unknown_free(FieldScanner& fields, TraceEvent& event) {
  event.op = Op::kUnknownFree;
  event.detail = 0;
  const char kind = fields.letter("kind o, p, v or a", "opva");
  if (kind == 'a') return;
  take_site(fields, event);
  if (kind == 'v') return;
  if (kind == 'p') {
    fields.number("order", kOrderEnd);
    fields.number("page number", kAnyNumber);
  } else if (fields.skip_if('-')) {
    fields.first_number("cache", 2);
  } else {
    fields.number("cache", header_.caches.size());
  }
  event.detail = fields.letter("flag p or h", "ph");
}

void TraceReader::take_site(FieldScanner& fields, TraceEvent& event) {
  event.site_index = static_cast<uint32_t>(fields.number("site", header_.sites.size()));
}

void TraceReader::fail_line(const FieldScanner& fields) {
  if (lines_.line_is_unterminated()) lines_.fail("the trace ends in the middle of this line");
  lines_.fail(fields.complaint());
}

void TraceReader::fail_at_early_end() {
  lines_.fail(fmt::format("the trace ends here, after {} of {} events and without an 'end' line",
                          events_, header_.events));
}

bool TraceReader::finish(const char* line) {
  const std::string_view text = lines_.rest_of_line(line);
  if (text != "end") {
    FieldScanner fields(line);
    fields.first_number("time step", kAnyNumber);
    fail_line(fields);
  }
  if (events_ != header_.events) {
    lines_.fail(
        fmt::format("'end' after {} events, but the header declares {}", events_, header_.events));
  }
  if (header_.duration_ns && duration_ns_ != *header_.duration_ns) {
    lines_.fail(fmt::format("the events' time steps add up to {} ns, but the header declares {}",
                            duration_ns_, *header_.duration_ns));
  }
  lines_.end_line(line + text.size());
  if (lines_.begin_line() != nullptr) lines_.fail("text after the 'end' line");
  return false;
}

}  // namespace quarry::tool
