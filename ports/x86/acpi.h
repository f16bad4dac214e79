// SPDX-License-Identifier: MIT
#pragma once

#include "x86/machine.h"

namespace quarry {

// Reads CPUs (MADT), nodes (SRAT) and their distances (SLIT) from the ACPI tables (ACPI 6.4, 5.2).
// Without a MADT there is the CPU that runs, without a SRAT one node.
void read_acpi(BareMachine& into);

}  // namespace quarry
