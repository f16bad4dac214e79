// SPDX-License-Identifier: MIT
#include "probe_run.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

ProbeRun run_probe(const std::string& test_case, const std::string& command_line) {
  char folder[] = "/tmp/quarry-probe-XXXXXX";
  if (mkdtemp(folder) == nullptr) return {};
  const std::string out = std::string(folder) + "/out";
  const std::string err = std::string(folder) + "/err";
  // exec, so that a signal is the program's and not the shell's.
  const std::string command = "ulimit -c 0; QUARRY_CMDLINE=" + quoted(command_line) + " exec " +
                              quoted(QUARRY_PROBE) + " " + test_case + " >" + out + " 2>" + err;
  const int status = std::system(command.c_str());
  ProbeRun run{.out = read_file(out), .err = read_file(err)};
  if (WIFEXITED(status)) run.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) run.signal = WTERMSIG(status);
  std::filesystem::remove_all(folder);
  return run;
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}
