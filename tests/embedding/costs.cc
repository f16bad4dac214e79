// SPDX-License-Identifier: MIT

// What the core takes of memory, as sizes of symbols: costs.py reads them from the object, for a
// machine of either word size and without booting it.

#include "quarry/x86_cpu.h"
#include "system/core.h"

namespace {

using namespace quarry;

constexpr size_t kNodeBytes = sizeof(Node) + kZoneTypes * sizeof(Zone);
constexpr size_t kSectionBytes = sizeof(MemorySection) + sizeof(MemorySection*);

}  // namespace

extern "C" {
extern constinit const char cost_system[sizeof(MemorySystem)] = {};
extern constinit const char cost_frame[sizeof(Page)] = {};
extern constinit const char cost_section[kSectionBytes] = {};
extern constinit const char cost_node[kNodeBytes] = {};
extern constinit const char cost_cpu[sizeof(CpuBlock)] = {};
extern constinit const char cost_cache[sizeof(KmemCache)] = {};
extern constinit const char cost_cache_cpu[Kmem::kArrayBytes] = {};
extern constinit const char cost_cache_node[sizeof(SlubNode)] = {};
extern constinit const char cost_area[sizeof(Area)] = {};
}
