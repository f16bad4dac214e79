// SPDX-License-Identifier: MIT
#include "trace_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <string_view>

#include "gfp_names.h"
#include "line_reader.h"
#include "trace_events.h"

namespace quarry::tool {
namespace {

constexpr std::string_view kFormatName = "kmtrace";
constexpr std::string_view kFormatVersion = "1";

using replay::kMaxCpus;
using replay::kMaxNodes;
using replay::kMaxObjectBytes;
using replay::kMaxSlots;

struct NamedSiteClass {
  std::string_view name;
  SiteClass value;
};

constexpr std::array kSiteClasses = {
    NamedSiteClass{"u", SiteClass::kObjectUser},
    NamedSiteClass{"s", SiteClass::kObjectAllocator},
    NamedSiteClass{"v", SiteClass::kObjectVmalloc},
    NamedSiteClass{"c", SiteClass::kObjectPercpu},
    NamedSiteClass{"Pu", SiteClass::kPageUser},
    NamedSiteClass{"P?", SiteClass::kPageUnknown},
    NamedSiteClass{"?", SiteClass::kPageUnknown},  // of frees without a stack
    NamedSiteClass{"Ps", SiteClass::kPageSlab},
    NamedSiteClass{"Pl", SiteClass::kPageLargeKmalloc},
    NamedSiteClass{"Pv", SiteClass::kPageVmalloc},
    NamedSiteClass{"Pc", SiteClass::kPagePercpu},
    NamedSiteClass{"Vm", SiteClass::kAreaVmalloc},
    NamedSiteClass{"Vp", SiteClass::kAreaVmap},
    NamedSiteClass{"Vi", SiteClass::kAreaIoremap},
    NamedSiteClass{"Vr", SiteClass::kAreaVmRam},
    NamedSiteClass{"Vu", SiteClass::kAreaOther},
};

// What a header line says after its first word, word by word.
class Words {
 public:
  Words(const LineReader& lines, std::string_view text) : lines_(lines), rest_(text) {}

  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  std::string_view word(std::string_view what) {
    const std::string_view found = rest_.substr(0, rest_.find(' '));
    if (found.empty()) lines_.fail(fmt::format("{} is missing", what));
    rest_.remove_prefix(std::min(rest_.size(), found.size() + 1));
    return found;
  }

  uint64_t number(std::string_view what, uint64_t least, uint64_t most, int base = 10) {
    const std::string_view text = word(what);
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
      lines_.fail(fmt::format("{} is '{}', not a number", what, text));
    }
    if (error != std::errc{} || value < least || value > most) {
      lines_.fail(fmt::format("{} is {}, outside {} to {}", what, text, least, most));
    }
    return value;
  }

  void index(std::string_view table, size_t expected) {
    const auto most = std::numeric_limits<uint64_t>::max();
    const uint64_t found = number(fmt::format("the index of '{}'", table), 0, most);
    if (found == expected) return;
    lines_.fail(fmt::format("'{}' number {} where number {} is due", table, found, expected));
  }

  bool flag(std::string_view what) {
    const std::string_view text = word(what);
    if (text == "1") return true;
    if (text == "0" || text == "-") return false;
    lines_.fail(fmt::format("{} is '{}', not 0, 1 or -", what, text));
  }

  void end() {
    if (!empty()) lines_.fail(fmt::format("'{}' is too much on this line", rest_));
  }

 private:
  const LineReader& lines_;
  std::string_view rest_;
};

Gfp gfp_flags(const LineReader& lines, std::string_view names) {
  Gfp flags{};
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('|'));
    const auto flag = gfp_flag(name);
    if (!flag) lines.fail(fmt::format("no version of Linux has a gfp flag named '{}'", name));
    flags |= *flag;
    names.remove_prefix(std::min(names.size(), name.size() + 1));
  }
  return flags;
}

class HeaderParser {
 public:
  explicit HeaderParser(LineReader& lines) : lines_(lines) {}

  TraceHeader run() {
    parse_first_line();
    std::string_view line;
    while (lines_.read_line(line)) {
      if (line == "begin") return finish();
      Words words(lines_, line);
      parse_line(words.word("the first word"), words);
    }
    lines_.fail("the trace ends here, inside its header");
  }

 private:
  void parse_first_line() {
    std::string_view line;
    if (!lines_.read_line(line)) lines_.fail("the file is empty");
    const std::string_view first = line.substr(0, line.find(' '));
    if (first != kFormatName || first.size() == line.size()) {
      lines_.fail("not a trace: neither zstd nor text that begins with 'kmtrace 1'");
    }
    const std::string_view version = line.substr(first.size() + 1);
    if (version == kFormatVersion) return;
    lines_.fail(fmt::format("'kmtrace {:.40}' is unknown, only 'kmtrace 1' can be read", version));
  }

  void parse_line(std::string_view key, Words& words) {
    if (key == "title") return void(header_.title = words.rest());
    if (key == "source") return void(header_.source = words.rest());
    if (key == "gfp") {
      parse_gfp(words);
    } else if (key == "cache") {
      parse_cache(words);
    } else if (key == "site") {
      parse_site(words);
    } else if (key == "slots") {
      header_.slots = parse_slots(words);
      has_slots_ = true;
    } else if (key == "live_end") {
      header_.live_end = parse_slots(words);
    } else if (key == "zone") {
      parse_zone(words);
    } else if (key == "gfpbit") {
      words.number("the bit", 0, 63);
      words.word("the bit's name");
    } else {
      parse_scalar(key, words);
    }
    words.end();
  }

  void parse_scalar(std::string_view key, Words& words) {
    const auto most = std::numeric_limits<uint64_t>::max();
    if (key == "cpus") {
      header_.cpus = static_cast<unsigned>(words.number("'cpus'", 1, kMaxCpus));
    } else if (key == "events") {
      header_.events = words.number("'events'", 0, most);
      has_events_ = true;
    } else if (key == "duration_ns") {
      header_.duration_ns = words.number("'duration_ns'", 0, most);
    } else if (key == "pagesize") {
      words.number("'pagesize'", kPageBytes, kPageBytes);
    } else {
      lines_.fail(fmt::format("unknown header line '{:.40}'", key));
    }
  }

  SlotCounts parse_slots(Words& words) {
    SlotCounts counts;
    while (!words.empty()) {
      const std::string_view kind = words.word("a kind of slots");
      uint32_t* const count = kind == "obj"      ? &counts.object
                              : kind == "page"   ? &counts.page
                              : kind == "vmap"   ? &counts.area
                              : kind == "percpu" ? &counts.percpu
                                                 : nullptr;
      if (count == nullptr) lines_.fail(fmt::format("unknown kind of slots '{:.40}'", kind));
      *count = static_cast<uint32_t>(words.number("the number of slots", 0, kMaxSlots));
    }
    return counts;
  }

  void parse_zone(Words& words) {
    words.number("the zone's index", 0, 255);
    words.word("the zone's name");
    const auto most = std::numeric_limits<uint64_t>::max();
    const uint64_t first = words.number("the zone's first page", 0, most);
    words.number("the zone's end", first, most);
  }

  void parse_gfp(Words& words) {
    words.index("gfp", header_.gfps.size());
    const auto most = std::numeric_limits<uint64_t>::max();
    std::string_view mask = words.word("the gfp mask");
    if (!mask.starts_with("0x")) lines_.fail(fmt::format("the gfp mask '{}' is not hex", mask));
    mask.remove_prefix(2);
    const uint64_t value = Words(lines_, mask).number("the gfp mask", 0, most, 16);
    words.flag("whether the memory is charged");
    const std::string_view node = words.word("the node");
    const NodeId node_id =
        node == "-1" ? kNoNode : NodeId{Words(lines_, node).number("the node", 0, kMaxNodes - 1)};
    const bool nameless = value == 0 && (words.empty() || words.rest() == "-");
    const std::string_view names =
        nameless ? std::string_view{} : words.word("the list of gfp names");
    if (nameless && !words.empty()) words.word("-");
    header_.gfps.push_back({gfp_flags(lines_, names), node_id});
  }

  void parse_cache(Words& words) {
    words.index("cache", header_.caches.size());
    if (header_.caches.size() == replay::kMaxCaches) lines_.fail("too many caches");
    TraceCache cache{};
    const std::string_view name = words.word("the cache's name");
    if (name.size() >= sizeof(cache.name)) {
      lines_.fail(fmt::format("the cache's name is longer than {}", sizeof(cache.name) - 1));
    }
    name.copy(cache.name, name.size());
    cache.object_bytes = static_cast<uint32_t>(words.number("the object size", 1, kMaxObjectBytes));
    cache.slot_bytes = static_cast<uint32_t>(
        words.number("the size with padding", cache.object_bytes, kMaxObjectBytes));
    const std::string_view align = words.word("the alignment");
    cache.align_bytes =
        align == "-"
            ? 0
            : static_cast<uint16_t>(Words(lines_, align).number("the alignment", 1, kPageBytes));
    if (align != "-" && !std::has_single_bit(cache.align_bytes)) {
      lines_.fail(fmt::format("the alignment {} is not a power of two", cache.align_bytes));
    }
    words.word("the order of Linux's slabs");
    words.word("the number of objects in Linux's slabs");
    cache.reclaimable = words.flag("RECLAIMABLE") ? 1 : 0;
    cache.typesafe_by_rcu = words.flag("RCU_TYPESAFE") ? 1 : 0;
    cache.hwcache_align = words.flag("HWALIGN") ? 1 : 0;
    cache.has_ctor = words.word("the constructor") != "-" ? 1 : 0;
    header_.caches.push_back(cache);
  }

  void parse_site(Words& words) {
    words.index("site", header_.sites.size());
    const std::string_view name = words.word("the site's class");
    const auto found = std::ranges::find(kSiteClasses, name, &NamedSiteClass::name);
    if (found == kSiteClasses.end()) {
      lines_.fail(fmt::format("unknown site class '{:.40}'", name));
    }
    words.word("the site's symbol");
    header_.sites.push_back(found->value);
  }

  TraceHeader finish() {
    if (header_.cpus == 0) lines_.fail("the header has no 'cpus' line");
    if (!has_events_) lines_.fail("the header has no 'events' line");
    if (!has_slots_) lines_.fail("the header has no 'slots' line");
    return std::move(header_);
  }

  LineReader& lines_;
  TraceHeader header_;
  bool has_events_ = false;
  bool has_slots_ = false;
};

}  // namespace

TraceHeader read_trace_header(LineReader& lines) { return HeaderParser(lines).run(); }

replay::TraceTables tables_of(const TraceHeader& header) {
  return {.cpus = header.cpus,
          .events = header.events,
          .slots = header.slots,
          .has_live_end = header.live_end.has_value(),
          .live_end = header.live_end.value_or(SlotCounts{}),
          .gfps = header.gfps,
          .caches = header.caches};
}

}  // namespace quarry::tool
