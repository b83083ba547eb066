#include "hydra/tree/yaml.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "base/error.h"
#include "base/text.h"
#include "hydra/tree/python_equal.h"
#include "hydra/tree/yaml_scalar.h"

namespace roundtrip::hydra {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
const std::string kPlain = "?";  // yaml-cpp's tag of what is neither tagged nor quoted

// "FILE:LINE:COLUMN: what", and the line with a caret.
Error parse_error(std::string_view text, const Mark& mark, std::string_view what) {
  std::string details;
  size_t from = 0;
  for (int line = 1; line < mark.line && from != std::string_view::npos; ++line) {
    from = text.find('\n', from);
    if (from != std::string_view::npos) ++from;
  }
  constexpr size_t kLongestLine = 160;
  if (from < text.size()) {
    const std::string_view line = text.substr(from, text.find_first_of("\r\n", from) - from);
    if (!line.empty() && line.size() <= kLongestLine) {
      details = fmt::format("  {}\n  {}^", line, std::string(static_cast<size_t>(std::max(mark.column - 1, 0)), ' '));
    }
  }
  return Error(ErrorKind::kParse, fmt::format("{}:{}:{}: {}", *mark.file, mark.line, mark.column, what), details);
}

// Builds a Node from yaml-cpp's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, std::shared_ptr<const std::string> file, const YamlLimits& limits,
          std::vector<YamlWarning>* warnings)
      : text_(text), file_(std::move(file)), limits_(limits), warnings_(warnings) {}

  Node root() && { return std::move(root_); }

  Mark mark_of(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  // PyYAML takes tabs in quotes, block scalars and comments only.
  void check_tabs() const {
    Mark mark{file_, 1, 0};
    size_t line_start = 0, span = 0;
    bool in_comment = false;
    for (size_t k = 0; k < text_.size(); ++k) {
      while (span < verbatim_.size() && verbatim_[span].to <= k) ++span;
      const bool in_span = span < verbatim_.size() && verbatim_[span].from <= k;
      const char c = text_[k];
      if (c == '\n') {
        ++mark.line;
        line_start = k + 1;
        in_comment = false;
      } else if (c == '#' && !in_span && (k == line_start || text_[k - 1] == ' ')) {
        in_comment = true;
      } else if (c == '\t' && !in_span && !in_comment) {
        mark.column = static_cast<int>(k - line_start) + 1;
        fail(mark, "found a tab; outside quotes use blanks");
      }
    }
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // Block collections may have empty entries and flow mappings empty values; yaml-cpp takes more.
    reached(mark);
    const auto at = static_cast<size_t>(std::max(mark.pos, 0));
    const bool is_empty = at < text_.size() && std::string_view(",]}:").find(text_[at]) != std::string_view::npos;
    const bool is_entry = !frames_.empty() && frames_.back().is_flow && (!frames_.back().is_map || !frames_.back().key);
    if (is_empty && is_entry) fail(mark_of(mark), "found an empty entry; expected a value");
    finish(Node::null(mark_of(mark)), anchor, 1, 0, mark_of(mark));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    reached(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark_of(mark), "found an alias inside the node that it stands for");
    const Anchored& anchored = found->second;
    add(anchored.node, anchored.nodes, anchored.depth, mark_of(mark));
  }

  void OnScalar(const YAML::Mark& yaml_mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Mark mark = mark_of(yaml_mark);
    reached(yaml_mark);
    merge_key_ = false;
    check_source(static_cast<size_t>(yaml_mark.pos), tag, value, mark);
    const bool escaped = value.find_first_of("\x85\xA0") != std::string::npos;
    // The tag `!` leaves the type to the text, quoted or not; yaml-cpp calls quoted text so where there is no tag.
    const std::string& kept = tag == "!" && has_tag(static_cast<size_t>(yaml_mark.pos)) ? kPlain : tag;
    finish(scalar(kept, escaped ? with_encoded_escapes(value) : value, mark), anchor, 1, 0, mark);
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    const auto is_part = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    };
    if (!std::all_of(name.begin(), name.end(), is_part)) {
      fail(mark_of(mark), fmt::format("found the anchor '{}'; expected letters, digits, '-' and '_'", name));
    }
    if (!anchor_names_.insert(name).second) fail(mark_of(mark), fmt::format("found duplicate anchor '{}'", name));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    reached(mark);
    open(mark_of(mark), tag, "seq", anchor, false, style);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    reached(mark);
    open(mark_of(mark), tag, "map", anchor, true, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Anchored {
    Node node;
    size_t nodes;
    int depth;
  };
  // A list or dict whose end has not come yet.
  struct Frame {
    bool is_map, is_flow;
    Mark mark;
    YAML::anchor_t anchor;
    bool is_merged;  // `<<` names it, or the list that it stands in
    Node::List items = {};
    Dict dict = {};
    std::optional<Key> key = {};
    std::unordered_map<std::string, Key> numbers = {};  // keys that Python holds equal (1 and true), as spelled first
    bool key_is_merge = false;
    std::vector<Node> merged = {};  // what `<<` names, in order
    size_t nodes = 1;               // of the tree so far, aliases expanded
    int depth = 0;                  // below this frame
  };

  // Where quotes and block scalars stand.
  struct Span {
    size_t from, to;
  };

  [[noreturn]] void fail(const Mark& mark, std::string_view what) const { throw parse_error(text_, mark, what); }

  // yaml-cpp writes the escapes \\N and \\_ as bytes of Latin-1.
  static std::string with_encoded_escapes(const std::string& value) {
    if (is_utf8(value)) return value;
    std::string out;
    for (size_t k = 0; k < value.size();) {
      const auto c = static_cast<unsigned char>(value[k]);
      // As many bytes as a sequence of UTF-8 has: an escape may follow right after it.
      const size_t length = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
      if (c >= 0x80 && length == 1) out += "\xC2";
      out += value.substr(k, length);
      k += length;
    }
    return out;
  }

  // What yaml-cpp lets pass and PyYAML does not: a quote that the text ends in, and a colon that starts a word in a
  // flow collection. Remembers where tabs may stand.
  void check_source(size_t at, const std::string& tag, const std::string& value, const Mark& mark) {
    at = content_start(at);
    if (at >= text_.size()) return;
    const char first = text_[at];
    if (tag != kPlain && (first == '\'' || first == '"')) {
      const size_t close = closing_quote(at);
      if (close == std::string_view::npos) fail(mark, "found a quote that is not closed");
      verbatim_.push_back({at, close + 1});
    } else if (first == '|' || first == '>') {
      check_block_header(at, mark);
      verbatim_.push_back({at, text_.size()});  // up to the next event, which reached() is told of
    } else if (tag == kPlain && value.starts_with(':') && !frames_.empty() && frames_.back().is_flow) {
      fail(mark, "found a ':' without a key before it");
    }
  }

  // Behind the indicators of a block scalar: blanks, a comment that one of them precedes, and nothing else.
  void check_block_header(size_t at, const Mark& mark) const {
    const size_t behind = std::min(text_.find_first_not_of("+-123456789", at + 1), text_.size());
    const size_t rest = std::min(text_.find_first_not_of(' ', behind), text_.size());
    if (rest == text_.size() || text_[rest] == '\n' || text_[rest] == '\r') return;
    if (text_[rest] != '#' || rest == behind) fail(mark, "found text behind the start of a block scalar");
  }

  // Whether a tag is written at the start of a node, before its anchor or behind.
  bool has_tag(size_t at) const {
    at = content_start(at, "&");
    return at < text_.size() && text_[at] == '!';
  }

  // Behind the tag and the anchor that a node starts with.
  size_t content_start(size_t at, std::string_view marks = "!&") const {
    while (at < text_.size() && marks.find(text_[at]) != std::string_view::npos) {
      at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
      at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
    }
    return at;
  }

  size_t closing_quote(size_t at) const {
    const char quote = text_[at];
    for (size_t k = at + 1; k < text_.size(); ++k) {
      if (quote == '"' && text_[k] == '\\') {
        ++k;
      } else if (text_[k] == quote) {
        if (quote == '"' || k + 1 == text_.size() || text_[k + 1] != quote) return k;
        ++k;
      }
    }
    return std::string_view::npos;
  }

  // A block scalar ends before whatever comes next.
  void reached(const YAML::Mark& mark) {
    const auto at = static_cast<size_t>(std::max(mark.pos, 0));
    if (!verbatim_.empty() && verbatim_.back().to > at) verbatim_.back().to = at;
  }

  Node scalar(const std::string& tag, const std::string& value, const Mark& mark) {
    const bool is_plain = tag == kPlain || tag.empty();
    const auto means = [&](std::string_view text, std::string_view name) {
      return is_plain ? value == text : tag == fmt::format("{}{}", kTagPrefix, name);
    };
    if (!frames_.empty() && frames_.back().is_map && !frames_.back().key) {
      merge_key_ = means("<<", "merge");
      if (merge_key_ || means("=", "value")) return Node(value, mark);
    }
    if (is_plain) {
      if (value == "<<" || value == "=") {
        fail(mark, fmt::format("'{}' has no meaning here; quote it if it is text", value));
      }
      Node node = relocated(value, mark, [&] { return plain_scalar(value, mark); });
      if (warnings_ != nullptr) warn(value, node, mark);
      return node;
    }
    if (tag == "!") return Node(value, mark);
    if (tag == std::string(kTagPrefix) + "str") return Node(value, mark);
    if (tag == std::string(kTagPrefix) + "null") return Node::null(mark);
    return relocated(value, mark, [&] {
      if (tag == std::string(kTagPrefix) + "int") return Node(construct_int(value, mark), mark);
      if (tag == std::string(kTagPrefix) + "float") return Node(construct_float(value, mark), mark);
      if (tag == std::string(kTagPrefix) + "bool") return Node(construct_bool(value, mark), mark);
      fail(mark, fmt::format("could not determine a constructor for the tag '{}'; expected one of !!str, !!int, "
                             "!!float, !!bool, !!null",
                             tag));
    });
  }

  // Errors of a scalar, with the column and the line that only this class knows.
  template <typename Make>
  Node relocated(const std::string&, const Mark& mark, Make make) {
    try {
      return make();
    } catch (const Error& error) {
      const std::string prefix = mark.text() + ": ";
      if (!error.message().starts_with(prefix)) throw;
      fail(mark, error.message().substr(prefix.size()));
    }
  }

  void warn(const std::string& text, const Node& node, const Mark& mark) {
    const auto say = [&](std::string what) { warnings_->push_back({mark, std::move(what)}); };
    if (node.kind() == Node::Kind::kInt) {
      const std::string_view digits = text[0] == '+' || text[0] == '-' ? std::string_view(text).substr(1) : text;
      if (digits.find(':') != std::string_view::npos) {
        say(fmt::format("{} is read in base 60, as {}; quote it if it is text", text, node.as_int()));
      } else if (digits.size() > 1 && digits[0] == '0' && digits[1] != 'x' && digits[1] != 'b') {
        say(fmt::format("{} is read as octal, as {}; drop the leading 0 or quote it", text, node.as_int()));
      }
    } else if (node.kind() == Node::Kind::kBool && text[0] != 't' && text[0] != 'T' && text[0] != 'f' &&
               text[0] != 'F') {
      say(fmt::format("{} is read as {}; write true or false, or quote it if it is text", text,
                      node.as_bool() ? "true" : "false"));
    }
  }

  void open(const Mark& mark, const std::string& tag, std::string_view kind, YAML::anchor_t anchor, bool is_map,
            YAML::EmitterStyle::value style) {
    const Frame* above = frames_.empty() ? nullptr : &frames_.back();
    // PyYAML does not construct what `<<` names and never looks at its tag.
    const bool is_merged = above != nullptr && (above->is_map ? above->key_is_merge : above->is_merged);
    if (!(is_merged || tag == kPlain || tag == "!" || tag.empty() || tag == fmt::format("{}{}", kTagPrefix, kind))) {
      fail(mark, fmt::format("could not determine a constructor for the tag '{}'", tag));
    }
    if (static_cast<int>(frames_.size()) >= limits_.max_depth) {
      fail(mark, fmt::format("nested deeper than {} levels", limits_.max_depth));
    }
    if (!frames_.empty() && frames_.back().is_map && !frames_.back().key) {
      fail(mark, fmt::format("found a {} as a key; expected a scalar", is_map ? "mapping" : "list"));
    }
    const bool is_flow = style == YAML::EmitterStyle::Flow || (!frames_.empty() && frames_.back().is_flow);
    frames_.push_back({is_map, is_flow, mark, anchor, is_merged});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    Node node = frame.is_map ? Node(with_merged(frame), frame.mark) : Node(std::move(frame.items), frame.mark);
    finish(std::move(node), frame.anchor, frame.nodes, frame.depth + 1, frame.mark);
  }

  // `<<`: what it names comes first, an earlier one wins over a later one, and the dict's own keys win over all.
  // Of a key: none that Python may hold equal to another's.
  static bool is_text(Node::Kind kind) { return kind == Node::Kind::kString || kind == Node::Kind::kNull; }

  Dict with_merged(Frame& frame) const {
    if (frame.merged.empty()) return std::move(frame.dict);
    Dict dict;
    std::unordered_map<std::string, std::shared_ptr<const Key>> numbers;  // as in a frame, over all that is merged
    const auto as_spelled_first = [&](const Dict::Entry& entry) {
      if (is_text(entry.key().kind)) return entry.shared_key;
      return numbers.emplace(python_key(entry.key().node()), entry.shared_key).first->second;
    };
    for (const Node& source : frame.merged) {
      for (const auto& entry : source.dict()) {
        const std::shared_ptr<const Key> key = as_spelled_first(entry);
        if (dict.find(key->text) == nullptr) dict.set(key, entry.value);
      }
    }
    for (const auto& entry : frame.dict) dict.set(as_spelled_first(entry), entry.value);
    return dict;
  }

  void finish(Node node, YAML::anchor_t anchor, size_t nodes, int depth, const Mark& mark) {
    if (anchor != YAML::NullAnchor) anchors_.insert_or_assign(anchor, Anchored{node, nodes, depth});
    add(std::move(node), nodes, depth, mark);
  }

  // Puts a finished node where it belongs: the root, an item, a key or a value.
  void add(Node node, size_t nodes, int depth, const Mark& mark) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    frame.nodes += nodes;
    frame.depth = std::max(frame.depth, depth);
    if (frame.nodes > limits_.max_nodes) {
      fail(mark, fmt::format("more than {} values after aliases are expanded", limits_.max_nodes));
    }
    if (static_cast<int>(frames_.size()) + depth > limits_.max_depth) {
      fail(mark, fmt::format("nested deeper than {} levels", limits_.max_depth));
    }
    if (!frame.is_map) {
      frame.items.push_back(std::move(node));
    } else if (!frame.key) {
      take_key(frame, node, mark);
    } else {
      take_value(frame, std::move(node), mark);
    }
  }

  void take_key(Frame& frame, const Node& node, const Mark& mark) {
    if (node.is_container()) fail(mark, "found a container as a key; expected a scalar");
    frame.key = Key(python_str(node), node.kind(), mark);
    frame.key_is_merge = merge_key_;
    merge_key_ = false;
    if (frame.key_is_merge) return;
    if (!is_text(node.kind())) frame.key = frame.numbers.emplace(python_key(node), *frame.key).first->second;
    // As OmegaConf's loader: of keys that are no text the last one counts.
    const Key* there = frame.dict.find_key(frame.key->text);
    if (there != nullptr && there->kind == Node::Kind::kString && node.is_string()) {
      fail(mark, fmt::format("found duplicate key {}; it is on line {} already", frame.key->text, there->mark.line));
    }
  }

  void take_value(Frame& frame, Node node, const Mark& mark) {
    if (!frame.key_is_merge) {
      frame.dict.set(std::move(*frame.key), std::move(node));
    } else if (node.is_dict()) {
      frame.merged.push_back(std::move(node));
    } else if (node.is_list()) {
      for (const Node& item : node.list()) {
        if (!item.is_dict()) fail(mark, fmt::format("'<<' names a {}; expected mappings", kind_name(item.kind())));
        frame.merged.push_back(item);
      }
    } else {
      fail(mark, fmt::format("'<<' names a {}; expected a mapping or a list of mappings", kind_name(node.kind())));
    }
    frame.key.reset();
    frame.key_is_merge = false;
  }

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  const YamlLimits& limits_;
  std::vector<YamlWarning>* warnings_;
  std::vector<Frame> frames_;
  std::vector<Span> verbatim_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::set<std::string> anchor_names_;
  bool merge_key_ = false;  // the scalar just read is a plain <<
  Node root_;
};

// Bytes that no YAML text holds, whatever stands around them.
void check_bytes(std::string_view text, const std::shared_ptr<const std::string>& file, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw Error(ErrorKind::kParse,
                fmt::format("{}: {} long; expected at most {}", *file, bytes_text(static_cast<double>(text.size())),
                            bytes_text(static_cast<double>(limits.max_bytes))));
  }
  Mark mark{file, 1, 0};
  size_t line_start = 0;
  for (size_t k = 0; k < text.size(); ++k) {
    const auto c = static_cast<unsigned char>(text[k]);
    if (c == '\n') {
      ++mark.line;
      line_start = k + 1;
    } else if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
      mark.column = static_cast<int>(k - line_start) + 1;
      throw Error(ErrorKind::kParse, fmt::format("{}:{}:{}: found the control character 0x{:02x}; expected text", *file,
                                                 mark.line, mark.column, c));
    }
  }
  if (!is_utf8(text)) throw Error(ErrorKind::kParse, fmt::format("{}: not UTF-8 text", *file));
}

}  // namespace

Node parse_yaml(std::string_view text, std::string_view file_name, std::vector<YamlWarning>* warnings,
                const YamlLimits& limits) {
  const auto file = std::make_shared<const std::string>(file_name);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  check_bytes(text, file, limits);
  std::istringstream stream{std::string(text)};
  Builder builder(text, file, limits, warnings);
  try {
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) {
      Builder second(text, file, limits, nullptr);
      if (parser.HandleNextDocument(second)) {
        throw Error(ErrorKind::kParse, fmt::format("{}: found a second document; expected one", *file));
      }
      if (text.find('\t') != std::string_view::npos) builder.check_tabs();
    }
  } catch (const YAML::Exception& exception) {
    throw parse_error(text, builder.mark_of(exception.mark), exception.msg);
  }
  return std::move(builder).root();
}

}  // namespace roundtrip::hydra
