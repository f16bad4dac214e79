// SPDX-License-Identifier: MIT
#include "output_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "reading.h"

namespace quarry::tool {
namespace {

TEST(OutputFileTest, is_not_there_before_it_is_whole) {
  TemporaryFolder folder;
  const OutputFile file(folder.path("out.json"));
  EXPECT_EQ(folder.files(), 0U);
  file.write("text\n");
  EXPECT_EQ(folder.files(), 1U);
  EXPECT_EQ(folder.read("out.json"), "text\n");
}

TEST(OutputFileTest, has_the_rights_of_an_ordinary_file) {
  TemporaryFolder folder;
  const mode_t mask = umask(022);
  OutputFile(folder.path("out.json")).write("text\n");
  umask(mask);
  struct stat status {};
  ASSERT_EQ(stat(folder.path("out.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
}

TEST(OutputFileTest, replaces_what_was_there) {
  TemporaryFolder folder;
  OutputFile(folder.write("out.json", "something longer")).write("text\n");
  EXPECT_EQ(folder.read("out.json"), "text\n");
  EXPECT_EQ(folder.files(), 1U);
}

TEST(OutputFileTest, leaves_devices_alone) {
  OutputFile("/dev/null").write("text\n");
  struct stat status {};
  ASSERT_EQ(stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
  EXPECT_EQ(error_of([] { OutputFile("/dev/full").write("text\n"); }),
            "/dev/full: cannot be written: No space left on device");
}

TEST(OutputFileTest, says_at_once_that_it_cannot_be_written) {
  TemporaryFolder folder;
  EXPECT_EQ(error_of([] { OutputFile file(""); }), "the output file has no name");
  const std::string itself = folder.path("");
  EXPECT_EQ(error_of([&] { OutputFile file(itself); }),
            itself + ": cannot be written: Is a directory");
  const std::string nowhere = folder.path("missing/out.json");
  EXPECT_EQ(error_of([&] { OutputFile file(nowhere); }),
            nowhere + ": cannot be written: No such file or directory");
}

}  // namespace
}  // namespace quarry::tool
