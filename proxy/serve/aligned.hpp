// Tables for people who read a terminal. Pure.
#pragma once

#include <string>
#include <vector>

namespace proxy {

using TableRow = std::vector<std::string>;

/// Columns as wide as their widest cell, two spaces apart; a line for each row.
std::string aligned(const std::vector<TableRow>& rows);

}  // namespace proxy
