// SPDX-License-Identifier: MIT
#include "trace_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tool_error.h"

namespace quarry::tool {
namespace {

constexpr size_t kInputBytes = size_t{128} << 10;

// The traces of the format are packed with windows of up to 2^27 bytes (`zstd --long=27`).
constexpr int kMaxWindowLog = 27;

// First bytes of a zstd frame (RFC 8878, section 3.1.1).
constexpr std::array<char, 4> kZstdMagic = {'\x28', '\xb5', '\x2f', '\xfd'};

int open_readable(const std::string& path) {
  if (path == "-") return STDIN_FILENO;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw ToolError(path + ": " + std::strerror(errno));
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(fd);
    throw ToolError(path + ": is a directory, not a trace");
  }
  return fd;
}

}  // namespace

void TraceSource::FreeDctx::operator()(ZSTD_DCtx_s* dctx) const { ZSTD_freeDCtx(dctx); }

TraceSource::TraceSource(const std::string& path) : fd_(open_readable(path)), input_(kInputBytes) {
  while (input_end_ < kZstdMagic.size() && refill_input()) {
  }
  if (input_end_ >= kZstdMagic.size() &&
      std::equal(kZstdMagic.begin(), kZstdMagic.end(), input_.begin())) {
    dctx_.reset(ZSTD_createDCtx());
    ZSTD_DCtx_setParameter(dctx_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }
}

TraceSource::~TraceSource() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

bool TraceSource::begins_with(std::string_view front) {
  std::string unpacked(front.size(), '\0');
  size_t size = 0;
  try {
    while (size < unpacked.size()) {
      const size_t got = unpack({unpacked.data() + size, unpacked.size() - size});
      if (got == 0) break;
      size += got;
    }
  } catch (const ToolError&) {
    // It comes back when the rest is read.
  }
  unpacked.resize(size);
  front_ = std::move(unpacked);
  return front_ == front;
}

size_t TraceSource::read(std::span<char> into) {
  if (front_.empty()) return unpack(into);
  const size_t bytes = front_.copy(into.data(), into.size());
  front_.erase(0, bytes);
  return bytes;
}

size_t TraceSource::unpack(std::span<char> into) {
  return dctx_ ? read_zstd(into) : read_plain(into);
}

// Adds bytes of the file to the input buffer; false at the end of the file.
bool TraceSource::refill_input() {
  if (input_begin_ == input_end_) input_begin_ = input_end_ = 0;
  ssize_t got = -1;
  do {
    got = ::read(fd_, input_.data() + input_end_, input_.size() - input_end_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw ToolError(std::string("cannot be read: ") + std::strerror(errno));
  input_end_ += static_cast<size_t>(got);
  return got > 0;
}

size_t TraceSource::read_plain(std::span<char> into) {
  if (input_begin_ == input_end_ && !refill_input()) return 0;
  const size_t bytes = std::min(into.size(), input_end_ - input_begin_);
  std::memcpy(into.data(), input_.data() + input_begin_, bytes);
  input_begin_ += bytes;
  return bytes;
}

size_t TraceSource::read_zstd(std::span<char> into) {
  ZSTD_outBuffer out{into.data(), into.size(), 0};
  while (out.pos < out.size) {
    const bool at_end = input_begin_ == input_end_ && !refill_input();
    if (at_end && !inside_frame_) break;
    ZSTD_inBuffer in{input_.data(), input_end_, input_begin_};
    const size_t had = out.pos;
    const size_t left = ZSTD_decompressStream(dctx_.get(), &out, &in);
    input_begin_ = in.pos;
    const bool stuck = at_end && left != 0 && out.pos == had;
    if (ZSTD_isError(left) || stuck) {
      if (out.pos > 0) break;  // the same error comes back at the next call
      throw ToolError(stuck ? std::string("the zstd stream is cut off here")
                            : std::string("damaged zstd stream: ") + ZSTD_getErrorName(left));
    }
    inside_frame_ = left != 0;
  }
  return out.pos;
}

}  // namespace quarry::tool
