// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace quarry::tool {

// The text of a trace made of a few events. What the header has to say about them is filled in.
struct SmallTrace {
  // Sites by number: 0 u, 1 Pu, 2 Ps, 3 Vm, 4 Vi. Gfp 0 GFP_KERNEL, 1 GFP_ATOMIC on node 0.
  // Caches 0 `dentry` 192 bytes, 1 `anon_vma` 96 in 104 with a constructor.
  std::vector<std::string> events = {};
  std::string slots = "slots obj 8 page 8 vmap 4 percpu 4";
  std::string live_end = {};                  // a whole line; none where empty
  std::vector<std::string> more_header = {};  // further lines before `begin`
  std::string ending = "end\n";

  static constexpr size_t kHeaderLines = 17;

  // Line of the trace in which event number `index` stands.
  size_t line_of(size_t index) const {
    return kHeaderLines + more_header.size() + (live_end.empty() ? 0 : 1) + index + 2;
  }

  std::string text() const {
    std::string text = fmt::format(
        "kmtrace 1\n"
        "title a small trace\n"
        "source nowhere\n"
        "cpus 2\n"
        "pagesize 4096\n"
        "events {}\n"
        "{}\n"
        "zone 0 Normal 0 1024\n"
        "gfp 0 0xcc0 0 -1 IO|FS|DIRECT_RECLAIM|KSWAPD_RECLAIM\n"
        "gfp 1 0x820 1 0 HIGH|KSWAPD_RECLAIM\n"
        "cache 0 dentry 192 192 8 0 21 1 0 0 -\n"
        "cache 1 anon_vma 96 104 8 0 39 0 1 0 anon_vma_ctor\n",
        events.size(), slots);
    text +=
        "site 0 u alloc_something+0x1\nsite 1 Pu pgd_alloc+0x35\nsite 2 Ps new_slab+0x2\n"
        "site 3 Vm vmalloc+0x3\nsite 4 Vi ioremap+0x4\n";
    for (const std::string& line : more_header) text += line + "\n";
    if (!live_end.empty()) text += live_end + "\n";
    text += "begin\n";
    for (const std::string& event : events) text += event + "\n";
    return text + ending;
  }
};

}  // namespace quarry::tool
