// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace quarry::tool {

// A file that is there whole or not at all. Where the path names a device or a pipe, it is written
// to as it is.
class OutputFile {
 public:
  // "-" is standard output. Throws ToolError when the file could not be written, before any work is
  // put into what shall go there; nothing is created yet.
  explicit OutputFile(std::string path);

  // Writes all of it. Throws ToolError, with nothing left behind, when that fails.
  void write(std::string_view text) const;

 private:
  void write_and_rename(std::string_view text) const;

  std::string path_;
  bool replaceable_;  // a regular file, or none yet
};

// Writes to standard output and throws ToolError when it does not take everything.
void write_stdout(std::string_view text);

// Makes sure that descriptors 0 to 2 are open, so that no file opened later becomes one of them by
// accident. Throws ToolError when standard output is closed.
void secure_standard_streams();

}  // namespace quarry::tool
