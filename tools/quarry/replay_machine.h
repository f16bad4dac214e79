// SPDX-License-Identifier: MIT
#pragma once

#include "replay/target.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "machine_spec.h"

namespace quarry::tool {

// A cache at one moment.
struct CacheState {
  replay::CacheId id;
  std::string name;
  CacheInfo info;  // its name is null: the text above outlives the machine
};

// A freshly started machine that a trace is replayed on, and what can be asked about it.
class ReplayMachine {
 public:
  virtual ~ReplayMachine() = default;

  virtual replay::Target& target() = 0;

  virtual std::vector<CacheState> caches() const = 0;
  // The texts of /proc, by name.
  virtual std::map<std::string, std::string> proc_texts() const = 0;
  // "ok" when every invariant holds, else which one does not.
  virtual std::string validate() const = 0;
  // What the machine had to say since it started: allocation failures, misuse; at most its
  // beginning.
  virtual std::string report() const = 0;
};

// Starts a machine. Throws ToolError when there cannot be such a machine.
using ReplayMachineFactory = std::function<std::unique_ptr<ReplayMachine>(const MachineSpec&)>;

}  // namespace quarry::tool
