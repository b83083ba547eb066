// Columns by typed handles: the name of a column is spelled once, and what is put into it has the column's type.
//
// The store itself goes by the columns below, which say which record is which and what became of it. All others are
// its users': src/columns has those of a run.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "store/record.h"

namespace roundtrip::store {

// A column of values of type T: double, int64_t or std::string. It converts to its name, for readers of columns.
template <typename T>
struct TypedColumn {
  const char* name;
  const char* long_name = "";
  const char* units = "";
  const char* direction = "";

  operator std::string() const { return name; }  // NOLINT: implicit, so that it can stand for its name

  Column column() const {
    constexpr ColumnType kType = std::is_same_v<T, double>    ? ColumnType::kFloat64
                                 : std::is_same_v<T, int64_t> ? ColumnType::kInt64
                                                              : ColumnType::kString;
    return {.name = name, .type = kType, .long_name = long_name, .units = units, .direction = direction, .version = ""};
  }
};

using NumberColumn = TypedColumn<double>;
using CountColumn = TypedColumn<int64_t>;
using TextColumn = TypedColumn<std::string>;

template <typename T>
void set(Record& record, const TypedColumn<T>& column, std::type_identity_t<T> value) {
  record.values[column.name] = std::move(value);
}

// The record's value; T() where it is missing.
template <typename T>
T get(const Record& record, const TypedColumn<T>& column) {
  const auto found = record.values.find(column.name);
  const T* value = found == record.values.end() ? nullptr : std::get_if<T>(&found->second);
  return value == nullptr ? T() : *value;
}

inline constexpr CountColumn kTrial{"trial", "index of the resolved setting, as in trials/"};
inline constexpr TextColumn kSample{"sample", "the image: its path below the dataset, without extension"};
inline constexpr TextColumn kEdit{"edit", "target of an edit; empty for a reconstruction"};
inline constexpr TextColumn kInputDigest{"input_digest",
                                         "of the image's file, its prompt and its edits: the start of a SHA-256"};
inline constexpr TextColumn kStatus{"status", "ok or failed"};
inline constexpr TextColumn kError{"error", "why it failed, where (step, quantity)"};

}  // namespace roundtrip::store
