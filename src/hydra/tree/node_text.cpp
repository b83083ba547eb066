// The written forms of a Node: YAML, JSON, Python's str().
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "hydra/tree/node.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::hydra {
namespace {

// How Python's repr quotes a string.
std::string python_quoted(const std::string& text) {
  const bool double_quotes = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::string python_repr_of(const Node& node) {
  return node.is_string() ? python_quoted(node.as_string()) : python_str(node);
}

}  // namespace

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull:
      return "NoneType";
    case Node::Kind::kBool:
      return "bool";
    case Node::Kind::kInt:
      return "int";
    case Node::Kind::kFloat:
      return "float";
    case Node::Kind::kString:
      return "str";
    case Node::Kind::kList:
      return "list";
    case Node::Kind::kDict:
      return "dict";
  }
  return "";
}

std::string python_str(const Node& node) {
  switch (node.kind()) {
    case Node::Kind::kNull:
      return "None";
    case Node::Kind::kBool:
      return node.as_bool() ? "True" : "False";
    case Node::Kind::kInt:
      return std::to_string(node.as_int());
    case Node::Kind::kFloat:
      return python_repr(node.as_float());
    case Node::Kind::kString:
      return node.as_string();
    case Node::Kind::kList: {
      std::vector<std::string> parts;
      for (const Node& item : node.list()) parts.push_back(python_repr_of(item));
      return "[" + join(parts, ", ") + "]";
    }
    case Node::Kind::kDict: {
      std::vector<std::string> parts;
      for (const auto& entry : node.dict()) {
        const Key& key = entry.key();
        parts.push_back((key.kind == Node::Kind::kString ? python_quoted(key.text) : key.text) + ": " +
                        python_repr_of(entry.value));
      }
      return "{" + join(parts, ", ") + "}";
    }
  }
  return {};
}

std::string show(const Node& node) {
  constexpr size_t kLongest = 100;
  std::string text = python_repr_of(node);
  if (text.size() <= kLongest) return text;
  size_t cut = kLongest;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // not inside a UTF-8 sequence
  return text.substr(0, cut) + "...";
}

namespace {

// Whether `text`, written without quotes, reads back as the same string wherever a scalar is allowed.
bool plain_is_safe(const std::string& text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (std::string_view(",[]{}#&*!|>'\"%@`").find(text.front()) != std::string_view::npos) return false;
  if ((text.front() == '-' || text.front() == '?' || text.front() == ':') && (text.size() == 1 || text[1] == ' ')) {
    return false;
  }
  if (text.back() == ':' || text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;  // document marks at a line's start
  if (text == "<<" || text == "=" || text == "y" || text == "n" || text == "Y" || text == "N") return false;
  try {
    return plain_scalar(text).is_string();
  } catch (const Error&) {
    return false;  // reads as a number that does not fit
  }
}

// Control characters, and the line breaks of YAML 1.1 that are not ASCII (NEL, LS, PS) or a byte order mark.
bool needs_escapes(const std::string& text) {
  for (size_t k = 0; k < text.size(); ++k) {
    const auto c = static_cast<unsigned char>(text[k]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xC2 && k + 1 < text.size() && static_cast<unsigned char>(text[k + 1]) < 0xA0) return true;
    if (text.compare(k, 3, "\xE2\x80\xA8") == 0 || text.compare(k, 3, "\xE2\x80\xA9") == 0) return true;
    if (text.compare(k, 3, "\xEF\xBB\xBF") == 0) return true;
  }
  return false;
}

std::string double_quoted(const std::string& text) {
  std::string out = "\"";
  for (size_t k = 0; k < text.size(); ++k) {
    const auto c = static_cast<unsigned char>(text[k]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[k];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else if (c == 0xC2 && k + 1 < text.size() && static_cast<unsigned char>(text[k + 1]) < 0xA0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++k]));
    } else if (text.compare(k, 3, "\xE2\x80\xA8") == 0 || text.compare(k, 3, "\xE2\x80\xA9") == 0) {
      out += static_cast<unsigned char>(text[k + 2]) == 0xA8 ? "\\u2028" : "\\u2029";
      k += 2;
    } else if (text.compare(k, 3, "\xEF\xBB\xBF") == 0) {
      out += "\\ufeff";
      k += 2;
    } else {
      out += text[k];
    }
  }
  return out + "\"";
}

std::string yaml_string(const std::string& text) {
  if (needs_escapes(text)) return double_quoted(text);
  if (plain_is_safe(text)) return text;
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

// PyYAML's resolver wants a point in the mantissa: 1.0e-05, not 1e-05.
std::string yaml_float(double value) {
  std::string text = python_repr(value);
  if (text == "inf" || text == "nan") return "." + text;
  if (text == "-inf") return "-.inf";
  const size_t e = text.find('e');
  if (e != std::string::npos && text.find('.') == std::string::npos) text.insert(e, ".0");
  return text;
}

std::string yaml_scalar(const Node& node) {
  switch (node.kind()) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kBool:
      return node.as_bool() ? "true" : "false";
    case Node::Kind::kFloat:
      return yaml_float(node.as_float());
    case Node::Kind::kString:
      return yaml_string(node.as_string());
    default:
      return python_str(node);
  }
}

void write_block(const Node& node, int indent, bool first_line_is_open, std::string& out) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  bool open = first_line_is_open;  // the text so far ends where the first entry may go on
  if (node.is_list()) {
    for (const Node& item : node.list()) {
      out += (open ? "" : margin) + "-";
      open = false;
      if (item.is_container() && (item.is_list() ? !item.list().empty() : !item.dict().empty())) {
        out += ' ';
        write_block(item, indent + 2, true, out);
      } else {
        out += ' ' + (item.is_list() ? "[]" : item.is_dict() ? "{}" : yaml_scalar(item)) + '\n';
      }
    }
    return;
  }
  for (const auto& entry : node.dict()) {
    // A key longer than 1024 bytes is not a simple key in YAML and needs the long form.
    const std::string key = yaml_scalar(entry.key().node());
    const bool explicit_key = key.size() > 1000;
    out += (open ? "" : margin) + (explicit_key ? "? " + key + "\n" + margin : key) + ":";
    open = false;
    const Node& value = entry.value;
    if (value.is_dict() && !value.dict().empty()) {
      out += '\n';
      write_block(value, indent + 2, false, out);
    } else if (value.is_list() && !value.list().empty()) {
      out += '\n';
      write_block(value, indent, false, out);  // PyYAML's style: dashes under the key
    } else {
      out += ' ' + (value.is_list() ? "[]" : value.is_dict() ? "{}" : yaml_scalar(value)) + '\n';
    }
  }
}

}  // namespace

std::string to_yaml(const Node& node) {
  if (!node.is_container()) return yaml_scalar(node) + "\n";
  if (node.is_list() ? node.list().empty() : node.dict().empty()) return node.is_list() ? "[]\n" : "{}\n";
  std::string out;
  write_block(node, 0, false, out);
  return out;
}

nlohmann::ordered_json to_json(const Node& node) {
  switch (node.kind()) {
    case Node::Kind::kNull:
      return nullptr;
    case Node::Kind::kBool:
      return node.as_bool();
    case Node::Kind::kInt:
      return node.as_int();
    case Node::Kind::kFloat: {
      const double value = node.as_float();
      if (value != value) return "NaN";
      if (value - value != 0) return value > 0 ? "Infinity" : "-Infinity";
      return value;
    }
    case Node::Kind::kString:
      return node.as_string();
    case Node::Kind::kList: {
      auto out = nlohmann::ordered_json::array();
      for (const Node& item : node.list()) out.push_back(to_json(item));
      return out;
    }
    case Node::Kind::kDict: {
      auto out = nlohmann::ordered_json::object();
      for (const auto& entry : node.dict()) out[entry.key().text] = to_json(entry.value);
      return out;
    }
  }
  return nullptr;
}

}  // namespace roundtrip::hydra
