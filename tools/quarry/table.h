// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace quarry::tool {

// Things side by side: a column for each, a row for each question.
struct Table {
  struct Row {
    std::string label;
    std::vector<std::string> cells;  // one for each column; none: the label is a heading
  };

  std::string title;
  std::vector<std::string> columns = {};
  std::vector<Row> rows = {};
};

// With columns as wide as their widest cell; ends with a line break.
std::string render(const Table& table);

}  // namespace quarry::tool
