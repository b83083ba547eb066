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
#include "hydra/tree/yaml_source.h"

namespace roundtrip::hydra {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
const std::string kPlain = "?";  // yaml-cpp's tag of a scalar that is neither tagged nor quoted

// Builds a Node from yaml-cpp's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, std::shared_ptr<const std::string> file, const YamlLimits& limits,
          std::vector<YamlWarning>* warnings)
      : text_(text), file_(file), source_(text, std::move(file)), limits_(limits), warnings_(warnings) {}

  Node root() && { return std::move(root_); }

  Mark mark_of(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  void check_tabs() const { source_.check_tabs(); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // Only block collections may have empty entries, and flow mappings empty values; yaml-cpp accepts more.
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
    if (found == anchors_.end()) fail(mark_of(mark), "found an alias inside the node that it refers to");
    const Anchored& anchored = found->second;
    add(anchored.node, anchored.nodes, anchored.depth, mark_of(mark));
  }

  void OnScalar(const YAML::Mark& yaml_mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Mark mark = mark_of(yaml_mark);
    reached(yaml_mark);
    merge_key_ = false;
    const bool in_flow = !frames_.empty() && frames_.back().is_flow;
    source_.check_scalar(static_cast<size_t>(yaml_mark.pos), tag != kPlain, value, in_flow, mark);
    const bool escaped = value.find_first_of("\x85\xA0") != std::string::npos;
    // The tag `!` leaves the type to the text, quoted or not; yaml-cpp reports untagged quoted text with the same tag.
    const std::string& kept = tag == "!" && source_.has_tag(static_cast<size_t>(yaml_mark.pos)) ? kPlain : tag;
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
  // A list or dict whose end is not read yet.
  struct Frame {
    bool is_map, is_flow;
    Mark mark;
    YAML::anchor_t anchor;
    bool is_merged;  // `<<` names it, or the list that contains it
    Node::List items = {};
    Dict dict = {};
    std::optional<Key> key = {};
    std::unordered_map<std::string, Key> numbers = {};  // keys that Python holds equal (1 and true), as spelled first
    bool key_is_merge = false;
    std::vector<Node> merged = {};  // the dicts that `<<` names, in order
    size_t nodes = 1;               // of the tree so far, aliases expanded
    int depth = 0;                  // below this frame
  };

  [[noreturn]] void fail(const Mark& mark, std::string_view what) const { throw yaml_error(text_, mark, what); }

  void reached(const YAML::Mark& mark) { source_.end_block_scalar(static_cast<size_t>(std::max(mark.pos, 0))); }

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

  // Adds to the errors of a scalar the column and the line, which only this class knows.
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

  // `<<`: the dicts it names come first, an earlier one wins over a later one, and the dict's own keys win over all.
  // Whether a key of this kind is equal in Python only to keys of the same text.
  static bool is_text(Node::Kind kind) { return kind == Node::Kind::kString || kind == Node::Kind::kNull; }

  Dict with_merged(Frame& frame) const {
    if (frame.merged.empty()) return std::move(frame.dict);
    Dict dict;
    std::unordered_map<std::string, std::shared_ptr<const Key>> numbers;  // as in a frame, over all merged dicts
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
    // As in OmegaConf's loader, the last of two equal keys counts where they are not texts.
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
  YamlSource source_;
  const YamlLimits& limits_;
  std::vector<YamlWarning>* warnings_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::set<std::string> anchor_names_;
  bool merge_key_ = false;  // the scalar just read is a plain <<
  Node root_;
};

}  // namespace

Node parse_yaml(std::string_view text, std::string_view file_name, std::vector<YamlWarning>* warnings,
                const YamlLimits& limits) {
  const auto file = std::make_shared<const std::string>(file_name);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  check_bytes(text, file, limits.max_bytes);
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
    throw yaml_error(text, builder.mark_of(exception.mark), exception.msg);
  }
  return std::move(builder).root();
}

}  // namespace roundtrip::hydra
