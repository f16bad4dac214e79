// SPDX-License-Identifier: MIT
#include "output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tool_error.h"

namespace quarry::tool {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw ToolError(fmt::format("{}: cannot be written: {}", path, std::strerror(error)));
}

// 0, or the errno of the write that failed.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  return 0;
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)), replaceable_(false) {
  if (path_ == "-") return;
  if (path_.empty()) throw ToolError("the output file has no name");
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(path_, EISDIR);
  replaceable_ = !exists || S_ISREG(status.st_mode);
  const std::string must_be_writable = replaceable_ ? folder_of(path_) : path_;
  if (::access(must_be_writable.c_str(), W_OK) != 0) fail(path_, errno);
}

void OutputFile::write(std::string_view text) const {
  if (path_ == "-") return write_stdout(text);
  if (replaceable_) return write_and_rename(text);
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) fail(path_, errno);
  const int error = write_all(fd, text);
  ::close(fd);
  if (error != 0) fail(path_, error);
}

void OutputFile::write_and_rename(std::string_view text) const {
  std::string temporary = path_ + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) fail(path_, errno);
  int error = write_all(fd, text);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (error == 0 && ::fchmod(fd, 0666 & ~mask) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path_.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(temporary.c_str());
  fail(path_, error);
}

void write_stdout(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error != 0) fail("standard output", error);
}

void secure_standard_streams() {
  const bool stdout_open = ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free descriptor is this one, because those below it are open by now.
    if (::open("/dev/null", O_RDWR) != fd) fail("/dev/null", errno);
  }
  if (!stdout_open) fail("standard output", EBADF);
}

}  // namespace quarry::tool
