// SPDX-License-Identifier: MIT
#pragma once

// What QUARRY_CMDLINE may say:
//
//   mem=SIZE             RAM of the machine (default 1G; sparse)
//   numa=fake=N          N nodes; numa=fake=SIZE: nodes of that size; numa=off: one
//   nr_cpus=N            CPUs, also maxcpus= and possible_cpus=; nosmp: one (default: the host's)
//   slab_engine=NAME     slub
//   failslab=, fail_page_alloc=   interval,probability,space,times
//   failslab.ignore-gfp-wait=BOOL, fail_page_alloc.ignore-gfp-wait=, .ignore-gfp-highmem=,
//   .min-order=N         the files of the kernel's debugfs
//   quarry.seed=N        what random decisions start from
//   quiet, debug, loglevel=N      which messages are shown
//   MODULE.PARAMETER=VALUE        for the module itself (module.cc)

#include "command_line.h"
#include "quarry/hosted_platform.h"
#include "quarry/memory_system.h"

namespace quarry {

struct BootOptions {
  HostedOptions machine;
  Config system;
  int console_loglevel = 7;
};

// Unknown parameters go to `unknown`, a space before each. False: `complaint` has one line that
// says which value is impossible, and why.
bool read_boot_options(std::string_view command_line, BootOptions& options, TextSink& unknown,
                       TextSink& complaint);

}  // namespace quarry
