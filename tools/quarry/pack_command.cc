// SPDX-License-Identifier: MIT
#include "pack_command.h"

#include "output_file.h"
#include "packed_input.h"
#include "trace_source.h"

namespace quarry::tool {

void pack_command(const PackOptions& options) {
  const OutputFile output(options.output);
  TraceSource source(options.trace);
  const auto input = open_trace(options.trace == "-" ? "<stdin>" : options.trace, source);
  output.write(pack(*input));
}

}  // namespace quarry::tool
