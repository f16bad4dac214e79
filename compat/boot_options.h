// SPDX-License-Identifier: MIT
#pragma once

// What QUARRY_CMDLINE of a process and the command line of a kernel may say:
//
//   mem=SIZE             RAM of the machine (a process: default 1G, sparse; a kernel: at most what
//                        there is)
//   numa=fake=N          N nodes; numa=fake=SIZE: nodes of that size; numa=off: one
//   nr_cpus=N            CPUs, also maxcpus= and possible_cpus=; nosmp: one (default: all there
//                        are)
//   slab_engine=NAME     slub, slab or slob
//   slub_debug[=OPTIONS[,CACHE...][;...]], also slab_debug     of slub
//   slab_max_order=N, noaliencache     of slab
//   failslab=, fail_page_alloc=     interval,probability,space,times
//   failslab.NAME=VALUE, fail_page_alloc.NAME=VALUE     their attributes (fault_files.h)
//   slub_min_order=N, slub_max_order=N, slub_min_objects=N      of a slab
//   quarry.slub_hardened=BOOL, quarry.slub_random=BOOL          CONFIG_SLAB_FREELIST_*
//   slab_nomerge, slub_nomerge, slab_merge, slub_merge
//   init_on_alloc=BOOL, init_on_free=BOOL
//   quarry.seed=N        what random decisions start from
//   quiet, debug, loglevel=N      which messages are shown
//   MODULE.PARAMETER=VALUE        for the module itself (module.cc)

#include "command_line.h"
#include "quarry/memory_system.h"

namespace quarry {

// What the machine is without parameters, and then what they say.
struct MachineOptions {
  static constexpr unsigned kMostNodes = 32;
  static constexpr unsigned kMostCpus = 1024;

  uint64_t ram_bytes = 0;
  unsigned nodes = 0;  // 0: as the machine is made
  unsigned cpus = 0;   // 0: all there are
};

struct BootOptions {
  MachineOptions machine;
  Config system{};
  char slub_debug[512] = {};  // what system.slub_debug shows
  int console_loglevel = 7;
};

// `name` is what a complaint calls the command line. `is_of_program`, if not null, says which
// parameters are no business of the system's. Unknown parameters go to `unknown`, a space before
// each. False: `complaint` has one line that says which value is impossible, and why.
bool read_boot_options(const char* name, std::string_view command_line,
                       bool (*is_of_program)(std::string_view name), BootOptions& options,
                       TextSink& unknown, TextSink& complaint);
// Says which parameters were unknown, if any.
void report_unknown(TextSink& out, const char* unknown);

}  // namespace quarry
