// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/text_sink.h"

namespace quarry {

// Keeps the texts of /proc in files of a folder, which is made if need be, current from now on to
// the program's end: a few times a second, and once more at exit. False: `complaint` says which
// file cannot be written, and why. Once, when the default system stands.
bool keep_proc_files(const char* folder, TextSink& complaint);

}  // namespace quarry
