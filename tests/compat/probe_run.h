// SPDX-License-Identifier: MIT
#pragma once

#include <string>

// One run of the program probe (probe.c).
struct ProbeRun {
  std::string out;
  std::string err;
  int exit_status = -1;  // of a program that ended by itself
  int signal = 0;        // that ended it

  bool clean() const { return exit_status == 0; }
};

// `command_line` is QUARRY_CMDLINE of the run.
ProbeRun run_probe(const std::string& test_case, const std::string& command_line = "");

// How often `part` occurs in `text`.
int count(const std::string& text, const std::string& part);
