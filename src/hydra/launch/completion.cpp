#include "hydra/launch/completion.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "hydra/launch/launch.h"

namespace roundtrip::hydra {
namespace {

namespace fs = std::filesystem;

// The paths that start with `prefix`; folders end in a slash.
std::vector<std::string> file_names(const std::string& prefix) {
  const size_t slash = prefix.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, failure)) {
    const std::string name = folder + entry.path().filename().string();
    if (name.starts_with(prefix)) names.push_back(name + (entry.is_directory(failure) ? "/" : ""));
  }
  return names;
}

class Completer {
 public:
  Completer(const std::vector<std::string>& words, const std::vector<KeyInfo>& keys,
            const std::vector<ExtraFlag>& extra)
      : keys_(keys) {
    Flags flags = flags_of(words, extra);
    if (compose(flags)) return;
    flags.overrides.clear();  // the words so far do not compose: ignore them
    if (!compose(flags)) compose({});
  }

  std::vector<std::string> of_override(const std::string& word) const {
    const size_t start = std::min(word.find_first_not_of("+~"), word.size());
    const std::string prefix = word.substr(0, start), rest = word.substr(start);
    const size_t equal = rest.find('=');
    std::vector<std::string> found;
    if (equal == std::string::npos) {
      for (const std::string& key : keys(rest, prefix)) found.push_back(prefix + key);
      return found;
    }
    const std::string key = rest.substr(0, equal), value = rest.substr(equal + 1);
    // In a list or a sweep, complete the last element.
    const size_t comma = value.find_last_of(",[");
    const std::string head = comma == std::string::npos ? "" : value.substr(0, comma + 1);
    const std::string begun = value.substr(head.size());
    const std::string opening = head.empty() && is_list(key) ? "[" : "";
    for (const std::string& one : values(key, begun)) {
      if (one.starts_with(begun)) found.push_back(prefix + key + "=" + head + opening + one);
    }
    return found;
  }

 private:
  bool compose(const Flags& flags) {
    try {
      path_ = search_path(flags);
      composed_ = preview(flags, path_, Strictness::kLenient);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  // The flags and overrides before the cursor, without incomplete and wrong ones.
  static Flags flags_of(const std::vector<std::string>& words, const std::vector<ExtraFlag>& extra) {
    try {
      return parse_flags(words, extra);
    } catch (const Error&) {
    }
    Flags flags;
    for (const std::string& word : words) {
      if (!word.starts_with('-') && word.find('=') != std::string::npos) flags.overrides.push_back(word);
    }
    return flags;
  }

  std::vector<std::string> keys(const std::string& rest, const std::string& prefix) const {
    std::set<std::string> found;
    const std::string ending = prefix == "~" ? "" : "=";
    for (const std::string& group : path_.groups()) {
      if (group != "hydra" && group.starts_with(rest)) found.insert(group + ending);
    }
    if (prefix == "+") return {found.begin(), found.end()};
    Node tree = composed_.job;
    if (rest.starts_with("hydra")) tree.set("hydra", composed_.hydra);
    const size_t dot = rest.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : rest.substr(0, dot);
    const Node* node = tree.find(parent);
    if (node != nullptr && node->is_dict()) {
      for (const auto& entry : node->dict()) {
        const std::string key = join_path(parent, entry.key().text);
        if (key.starts_with(rest)) found.insert(key + (entry.value.is_dict() ? "." : ending));
      }
    }
    if (parent.empty() && rest.size() > 1 && std::string("hydra.").starts_with(rest)) found.insert("hydra.");
    return {found.begin(), found.end()};
  }

  bool is_list(const std::string& key) const {
    const auto info = std::ranges::find(keys_, key, &KeyInfo::path);
    return info != keys_.end() && info->type.starts_with("list");
  }

  std::vector<std::string> values(const std::string& key, const std::string& begun) const {
    const std::string group = key.substr(0, key.find('@'));
    if (path_.has_group(group)) return path_.options(group);
    const auto info = std::ranges::find(keys_, key, &KeyInfo::path);
    const bool is_path = info != keys_.end() && info->is_path;
    if (is_path || begun.starts_with('/') || begun.starts_with('.')) return file_names(begun);
    return info == keys_.end() ? std::vector<std::string>{} : info->words;
  }

  const std::vector<KeyInfo>& keys_;
  SearchPath path_;
  Composition composed_{Node(Dict{}), Node(Dict{}), {}, {}, {}};
};

std::vector<std::string> starting_with(const std::vector<std::string>& words, const std::string& begun) {
  std::vector<std::string> found;
  std::copy_if(words.begin(), words.end(), std::back_inserter(found),
               [&](const std::string& word) { return word.starts_with(begun); });
  return found;
}

}  // namespace

std::vector<std::string> complete(std::string_view line, const std::vector<KeyInfo>& keys,
                                  const std::vector<std::string>& subcommands, const std::vector<ExtraFlag>& extra) {
  std::vector<std::string> words;
  for (const std::string& word : split(line, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  const bool new_word = line.empty() || line.back() == ' ';
  const std::string begun = new_word || words.size() < 2 ? "" : words.back();
  if (!words.empty()) words.erase(words.begin());
  if (!new_word && !words.empty()) words.pop_back();

  std::vector<std::string> found;
  const bool first = words.empty();
  if (!first && std::find(subcommands.begin(), subcommands.end(), words.front()) != subcommands.end()) {
    words.erase(words.begin());
  }
  const std::vector<std::string> choices = words.empty() ? std::vector<std::string>{} : flag_choices(words.back());
  if (!choices.empty()) {
    found = starting_with(choices, begun);
  } else if (!words.empty() && flag_takes_folder(words.back(), extra)) {
    found = file_names(begun);
  } else if (begun.starts_with('-')) {
    found = starting_with(flag_names(extra), begun);
  } else {
    if (first) found = starting_with(subcommands, begun);
    const std::vector<std::string> overrides = Completer(words, keys, extra).of_override(begun);
    found.insert(found.end(), overrides.begin(), overrides.end());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string bash_completion() {
  // Bash ends words at = : and @: it already has the part before the last of them.
  return R"bash(_roundtrip() {
  local word=${COMP_LINE:0:COMP_POINT} breaks='' mark head=''
  word=${word##*[[:space:]]}
  for mark in = : @; do [[ $COMP_WORDBREAKS == *"$mark"* ]] && breaks+=$mark; done
  [[ -n $breaks && $word == *["$breaks"]* ]] && head=${word%"${word##*["$breaks"]}"}
  mapfile -t COMPREPLY < <(COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT "${COMP_WORDS[0]}" -sc query=bash 2>/dev/null)
  COMPREPLY=("${COMPREPLY[@]#"$head"}")
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} != *[=./] ]] || compopt -o nospace 2>/dev/null
}
complete -F _roundtrip roundtrip
)bash";
}

std::string bash_completion_removal() { return "complete -r roundtrip\nunset -f _roundtrip\n"; }

}  // namespace roundtrip::hydra
