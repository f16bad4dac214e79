// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "x86/bare_platform.h"

namespace quarry {

// What default_system runs on.
extern constinit BarePlatform default_machine;

// What a kernel with the façade defines besides kernel_main(): whether a parameter of the command
// line is its own. Called before its constructors.
bool is_parameter_of_program(std::string_view name);

}  // namespace quarry
