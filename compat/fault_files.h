// SPDX-License-Identifier: MIT
#pragma once

// The attributes of fault injection as text, by the names that they have as files in the kernel's
// debugfs (Linux: fault-injection.rst).

#include <string_view>

#include "quarry/fault_parameters.h"
#include "quarry/text_sink.h"

namespace quarry {

enum class FaultKind : uint8_t { kSlab = 1, kPage = 2 };

struct FaultFile {
  std::string_view name;
  uint8_t kinds;  // of FaultKind
  // Null, or what is wrong with the value.
  const char* (*write)(FaultParameters& parameters, std::string_view value);
  void (*read)(const FaultParameters& parameters, TextSink& out);
};

// Null: attributes of that kind have no such file. '-' and '_' are the same.
const FaultFile* find_fault_file(FaultKind kind, std::string_view name);

// "failslab" or "fail_page_alloc" at the front of `name`, with the separator behind it, is taken
// off. False: it is neither.
bool take_fault_kind(std::string_view& name, char separator, FaultKind& kind);

}  // namespace quarry
