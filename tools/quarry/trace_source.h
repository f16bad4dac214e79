// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ZSTD_DCtx_s;

namespace quarry::tool {

// The text of one trace file, unpacked as it is read: zstd frames or plain bytes, told apart by the
// first four bytes. Needs memory for two buffers and the zstd window, whatever the file's size.
class TraceSource {
 public:
  // Opens a file, or standard input for "-". Throws ToolError when it cannot be opened.
  explicit TraceSource(const std::string& path);
  ~TraceSource();
  TraceSource(const TraceSource&) = delete;
  TraceSource& operator=(const TraceSource&) = delete;

  // Whether the unpacked bytes begin with these; to be asked before anything is read.
  bool begins_with(std::string_view front);

  // Puts the next bytes of text at the front of `into` and returns how many; 0 at the end and only
  // there. Throws ToolError (without a file name) when the file cannot be read or unpacked;
  // whatever could be unpacked before that has been returned by then.
  size_t read(std::span<char> into);

 private:
  struct FreeDctx {
    void operator()(ZSTD_DCtx_s* dctx) const;
  };

  size_t unpack(std::span<char> into);
  bool refill_input();
  size_t read_plain(std::span<char> into);
  size_t read_zstd(std::span<char> into);

  int fd_;
  std::string front_;  // unpacked, and not read yet
  std::vector<char> input_;
  size_t input_begin_ = 0;
  size_t input_end_ = 0;
  std::unique_ptr<ZSTD_DCtx_s, FreeDctx> dctx_;  // null for plain text
  bool inside_frame_ = false;                    // a zstd frame has begun and not ended
};

}  // namespace quarry::tool
