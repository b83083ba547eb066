#include "text/tokenizer_files.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace roundtrip::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t kMaxId = std::numeric_limits<int32_t>::max();
constexpr double kMaxLength = 1 << 16;  // writers without a limit store 1e30

int64_t read_id(const json& value, std::string_view token, std::string_view where) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > static_cast<uint64_t>(kMaxId)) {
    throw input_error(where, fmt::format("token {} has id {}", name_text(token), json_text(value)),
                      fmt::format("a whole number up to {}", kMaxId));
  }
  return value.get<int64_t>();
}

Vocabulary read_vocabulary(const json& value, const std::string& where) {
  if (!value.is_object()) throw input_error(where, "the vocabulary is not a JSON object", "an object of token: id");
  Vocabulary vocabulary;
  for (const auto& [token, id] : value.items()) vocabulary.emplace(token, read_id(id, token, where));
  return vocabulary;
}

// merges.txt: a version line, then two symbols per line.
std::vector<Merge> read_merges(const fs::path& path) {
  const std::string text = read_file(path);
  std::vector<Merge> merges;
  int line_number = 0;
  for (std::string& line : split(text, '\n')) {
    ++line_number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with("#version")) continue;
    const std::vector<std::string> parts = split(line, ' ');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      throw input_error(fmt::format("{}:{}", path.string(), line_number), name_text(line),
                        "two symbols with one space between them");
    }
    merges.emplace_back(parts[0], parts[1]);
  }
  return merges;
}

// tokenizer.json's merges: "a b" or ["a", "b"].
std::vector<Merge> read_merges(const json& value, const std::string& where) {
  if (!value.is_array()) throw input_error(where, "model.merges is not a list", "a list of pairs of symbols");
  std::vector<Merge> merges;
  for (const json& merge : value) {
    std::vector<std::string> parts;
    if (merge.is_string()) parts = split(merge.get<std::string>(), ' ');
    if (merge.is_array() && std::ranges::all_of(merge, [](const json& part) { return part.is_string(); }))
      parts = merge.get<std::vector<std::string>>();
    if (parts.size() != 2) throw input_error(where, fmt::format("merge {}", json_text(merge)), "two symbols");
    merges.emplace_back(parts[0], parts[1]);
  }
  return merges;
}

// Special tokens as the files describe them, before they have ids.
class SpecialTokens {
 public:
  struct Token {
    std::string content;
    bool normalised = false;
  };

  // Reads a text, or an object {content, normalized, ...}. `special` is the default for an object without that key.
  static Token read(const json& value, bool special, std::string_view key, const std::string& where) {
    if (value.is_string()) return {value.get<std::string>(), false};
    if (!value.is_object() || !value.contains("content") || !value["content"].is_string()) {
      throw input_error(where, fmt::format("{} is {}", key, json_text(value)), "a text or an object with a content");
    }
    const auto flag = [&](const char* name, bool fallback) {
      const auto found = value.find(name);
      if (found == value.end()) return fallback;
      if (found->is_boolean()) return found->get<bool>();
      throw input_error(where, fmt::format("{} of {} is {}", name, key, json_text(*found)), "true or false");
    };
    // White space never becomes a token here, so lstrip and rstrip change nothing.
    if (flag("single_word", false)) {
      throw input_error(where, fmt::format("single_word of {} is true", key), "false, the only one implemented");
    }
    return {value["content"].get<std::string>(), flag("normalized", !flag("special", special))};
  }

  // Reads bos_token, eos_token ... and additional_special_tokens of either file. Null keeps the earlier value.
  void read_named(const json& values, bool special, const std::string& where) {
    for (auto& [role, token] : named_) {
      const auto found = values.find(role);
      if (found != values.end() && !found->is_null()) token = read(*found, special, role, where);
    }
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
      const auto found = values.find(key);
      if (found == values.end() || !found->is_array()) continue;
      for (const json& value : *found) extra_.push_back(read(value, special, key, where));
    }
  }

  void add(int64_t place, Token token) { added_.insert_or_assign(place, std::move(token)); }

  // Tokens in the order in which they are added. If two have the same content, the later decides how to search for it.
  std::vector<Token> in_order() const {
    std::vector<Token> tokens;
    const auto was_added = [&](const std::string& content) {
      return std::ranges::any_of(added_, [&](const auto& one) { return one.second.content == content; });
    };
    for (const auto& [place, token] : added_) tokens.push_back(token);
    for (const auto& [role, token] : named_) {
      if (token && !was_added(token->content)) tokens.push_back(*token);
    }
    for (const Token& token : extra_) {
      if (!was_added(token.content)) tokens.push_back(token);
    }
    std::erase_if(tokens, [](const Token& token) { return token.content.empty(); });
    return tokens;
  }

  const std::string& content(std::string_view role) const {
    return std::ranges::find(named_, role, &std::pair<std::string, std::optional<Token>>::first)->second->content;
  }

 private:
  std::vector<std::pair<std::string, std::optional<Token>>> named_ = {{"bos_token", Token{"<|startoftext|>"}},
                                                                      {"eos_token", Token{"<|endoftext|>"}},
                                                                      {"unk_token", Token{"<|endoftext|>"}},
                                                                      {"sep_token", {}},
                                                                      {"pad_token", Token{"<|endoftext|>"}},
                                                                      {"cls_token", {}},
                                                                      {"mask_token", {}}};
  std::vector<Token> extra_;
  std::map<int64_t, Token> added_;  // by the id in the file
};

json read_optional(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return json::object();
  json values = read_json(path);
  if (!values.is_object()) throw input_error(path.string(), "not a JSON object", "an object");
  return values;
}

void read_added_tokens_decoder(const json& decoder, const std::string& where, SpecialTokens& tokens) {
  if (!decoder.is_object()) throw input_error(where, "added_tokens_decoder is not an object", "id: token");
  for (const auto& [key, value] : decoder.items()) {
    if (key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != std::string::npos) {
      throw input_error(where, fmt::format("added_tokens_decoder has a key {}", name_text(key)), "an id");
    }
    tokens.add(std::stoll(key), SpecialTokens::read(value, false, "added_tokens_decoder", where));
  }
}

// Numbers the tokens: those in the vocabulary keep their id, others follow after it.
std::vector<AddedToken> number(const std::vector<SpecialTokens::Token>& tokens, const Vocabulary& vocabulary) {
  std::vector<AddedToken> added;
  auto next = static_cast<int64_t>(vocabulary.size());
  for (const SpecialTokens::Token& token : tokens) {
    const auto known = std::ranges::find(added, token.content, &AddedToken::content);
    if (known != added.end()) {
      known->normalised = token.normalised;
      continue;
    }
    const auto found = vocabulary.find(token.content);
    added.push_back({token.content, found != vocabulary.end() ? found->second : next++, token.normalised});
  }
  return added;
}

// transformers invents ids for these if a vocabulary lacks them, but no text encoder was trained on such ids.
int64_t required_id(const Vocabulary& vocabulary, const std::string& token, std::string_view role,
                    const std::string& where) {
  const auto found = vocabulary.find(token);
  if (found != vocabulary.end()) return found->second;
  throw input_error(where, fmt::format("the vocabulary has no {}", name_text(token)), fmt::format("the {}", role));
}

}  // namespace

TokenizerFiles read_tokenizer_files(const fs::path& folder) {
  TokenizerFiles files;
  const fs::path whole = folder / "tokenizer.json";
  const json tokenizer = read_optional(whole);
  std::string vocabulary_file = (folder / "vocab.json").string();
  if (!tokenizer.empty()) {
    vocabulary_file = files.where = whole.string();
    const auto model = tokenizer.find("model");
    if (model == tokenizer.end() || !model->is_object() || !model->contains("vocab") || !model->contains("merges")) {
      throw input_error(files.where, "no model.vocab and model.merges", "a byte-pair encoding");
    }
    files.vocabulary = read_vocabulary(model->at("vocab"), files.where);
    files.merges = read_merges(model->at("merges"), files.where);
  } else {
    files.where = (folder / "merges.txt").string();
    files.vocabulary = read_vocabulary(read_json(vocabulary_file), vocabulary_file);
    files.merges = read_merges(files.where);
  }

  SpecialTokens tokens;
  const std::string config_file = (folder / "tokenizer_config.json").string();
  const json config = read_optional(config_file);
  tokens.read_named(config, false, config_file);
  if (const auto decoder = config.find("added_tokens_decoder"); decoder != config.end()) {
    read_added_tokens_decoder(*decoder, config_file, tokens);
  } else {
    const fs::path map_file = folder / "special_tokens_map.json";
    tokens.read_named(read_optional(map_file), true, map_file.string());
    const fs::path added_file = folder / "added_tokens.json";
    const json added = read_optional(added_file);
    for (const auto& [content, id] : added.items()) {
      tokens.add(read_id(id, content, added_file.string()), {content, true});
    }
    for (const json& token : tokenizer.value("added_tokens", json::array())) {
      if (!token.is_object() || !token.contains("id")) {
        throw input_error(files.where, fmt::format("added token {}", json_text(token)), "an object with an id");
      }
      tokens.add(read_id(token["id"], "added_tokens", files.where),
                 SpecialTokens::read(token, false, "added_tokens", files.where));
    }
  }

  files.added = number(tokens.in_order(), files.vocabulary);
  files.start = required_id(files.vocabulary, tokens.content("bos_token"), "start token", vocabulary_file);
  files.end = required_id(files.vocabulary, tokens.content("eos_token"), "end token", vocabulary_file);
  files.unknown = required_id(files.vocabulary, tokens.content("unk_token"), "unknown token", vocabulary_file);
  const auto pad = std::ranges::find(files.added, tokens.content("pad_token"), &AddedToken::content);
  if (pad == files.added.end()) throw input_error(config_file, "the pad_token is empty", "a token");
  files.pad = pad->id;

  for (const char* side : {"padding_side", "truncation_side"}) {
    const auto found = config.find(side);
    if (found != config.end() && *found != "right") {
      throw input_error(config_file, fmt::format("{} is {}", side, json_text(*found)), "\"right\"");
    }
  }
  if (const auto length = config.find("model_max_length"); length != config.end() && !length->is_null()) {
    if (!length->is_number() || length->get<double>() < 2) {
      throw input_error(config_file, fmt::format("model_max_length is {}", json_text(*length)),
                        "at least 2, for the start and the end");
    }
    if (length->get<double>() <= kMaxLength) files.max_length = length->get<int>();
  }
  return files;
}

}  // namespace roundtrip::text
