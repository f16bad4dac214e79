// SPDX-License-Identifier: MIT
#include "table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace quarry::tool {
namespace {

using Text = fmt::memory_buffer;

void add_line(Text& text, const std::string& label, size_t label_width,
              const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  fmt::format_to(std::back_inserter(text), "{:<{}}", label, cells.empty() ? 0 : label_width);
  for (size_t i = 0; i != cells.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "  {:>{}}", cells[i], widths[i]);
  }
  text.push_back('\n');
}

}  // namespace

std::string render(const Table& table) {
  size_t label_width = table.title.size();
  std::vector<size_t> widths;
  for (const std::string& column : table.columns) widths.push_back(column.size());
  for (const Table::Row& row : table.rows) {
    if (!row.cells.empty()) label_width = std::max(label_width, row.label.size() + 2);
    for (size_t i = 0; i != row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], row.cells[i].size());
    }
  }
  size_t whole_width = label_width;
  for (const size_t width : widths) whole_width += 2 + width;
  Text text;
  add_line(text, table.title, label_width, table.columns, widths);
  fmt::format_to(std::back_inserter(text), "{:-<{}}\n", "", whole_width);
  for (const Table::Row& row : table.rows) {
    add_line(text, row.cells.empty() ? row.label : "  " + row.label, label_width, row.cells,
             widths);
  }
  return fmt::to_string(text);
}

}  // namespace quarry::tool
