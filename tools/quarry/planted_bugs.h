// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace quarry::tool {

// A mistake with memory, and what an engine says to it.
struct PlantedBug {
  std::string name;   // as JSON has it
  std::string label;  // for people
  // The report's own words; "nothing" where the mistake passes unseen.
  std::string as_it_is;
  std::string debugged;  // in a cache with all debugging flags

  bool noticed() const;
  bool noticed_debugged() const;
};

// Makes each of the mistakes in a process of its own, for some of them end it.
std::vector<PlantedBug> plant_bugs(unsigned engine);

}  // namespace quarry::tool
