#include "text/t5_files.h"

#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace roundtrip::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string base64_decoded(const std::string& text, const std::string& where) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    if (letter == '=') break;
    const size_t digit = kDigits.find(letter);
    if (digit == kDigits.npos) {
      throw input_error(where, fmt::format("precompiled_charsmap with the character {}", name_text({&letter, 1})),
                        "base64");
    }
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>((bits >> count) & 0xff));
  }
  return bytes;
}

const json& member(const json& object, const char* key, const std::string& where) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end())
    throw input_error(where, fmt::format("no {}", key), "a T5 tokenizer");
  return *found;
}

void require_type(const json& object, std::string_view what, std::string_view expected, const std::string& where) {
  const json type = object.is_object() ? object.value("type", json()) : json();
  if (type != expected) {
    throw input_error(where, fmt::format("a {} of type {}", what, json_text(type)),
                      fmt::format("{}, as T5 has", expected));
  }
}

void read_pieces(const json& model, T5Files& files) {
  require_type(model, "model", "Unigram", files.where);
  if (model.value("byte_fallback", json(false)) != false) {
    throw input_error(files.where, "a model with byte_fallback", "T5's, without");
  }
  const json& vocab = member(model, "vocab", files.where);
  if (!vocab.is_array()) throw input_error(files.where, "a vocab that is not a list", "pieces with their scores");
  for (const json& entry : vocab) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      throw input_error(files.where, fmt::format("the piece {}", json_text(entry)), "[text, score]");
    }
    files.pieces.emplace_back(entry[0], entry[1]);
  }
  const json& unknown = member(model, "unk_id", files.where);
  if (!unknown.is_number_unsigned() || unknown.get<uint64_t>() >= files.pieces.size()) {
    throw input_error(files.where, fmt::format("unk_id is {}", json_text(unknown)), "the id of a piece");
  }
  files.unknown = unknown;
}

// Words between white space, each with U+2581 in front and cut before every further one.
void check_word_steps(const json& steps, const std::string& where) {
  require_type(steps, "pre_tokenizer", "Sequence", where);
  const json& list = member(steps, "pretokenizers", where);
  if (!list.is_array() || list.size() != 2) {
    throw input_error(where, "other pre_tokenizers", "WhitespaceSplit and Metaspace, as T5 has");
  }
  require_type(list[0], "first pre_tokenizer", "WhitespaceSplit", where);
  require_type(list[1], "second pre_tokenizer", "Metaspace", where);
  const json prepends = list[1].value("prepend_scheme", json("always"));
  if (list[1].value("replacement", json("\u2581")) != "\u2581" || prepends != "always" ||
      list[1].value("add_prefix_space", json(true)) != true || list[1].value("split", json(true)) != true) {
    throw input_error(where, fmt::format("Metaspace with {}", json_text(list[1])),
                      "U+2581 in front of every word, and words split at it");
  }
}

T5Files read_tokenizer_json(const fs::path& path) {
  const json root = read_json(path);
  T5Files files;
  files.where = path.string();
  const json& normalizer = member(root, "normalizer", files.where);
  if (!normalizer.is_null()) {
    require_type(normalizer, "normalizer", "Precompiled", files.where);
    const json& charsmap = member(normalizer, "precompiled_charsmap", files.where);
    if (!charsmap.is_string()) throw input_error(files.where, "a precompiled_charsmap that is not text", "base64");
    files.charsmap = base64_decoded(charsmap, files.where);
  }
  check_word_steps(member(root, "pre_tokenizer", files.where), files.where);
  read_pieces(member(root, "model", files.where), files);
  const json& added = member(root, "added_tokens", files.where);
  if (!added.is_array()) throw input_error(files.where, "added_tokens that are not a list", "tokens with ids");
  for (const json& token : added) {
    const json &content = member(token, "content", files.where), &id = member(token, "id", files.where);
    if (!content.is_string() || content == "" || !id.is_number_unsigned() ||
        token.value("single_word", json(false)) != false || token.value("normalized", json(false)) != false) {
      throw input_error(files.where, fmt::format("the added token {}", json_text(token)),
                        "one that is found anywhere in the text as given");
    }
    files.special.emplace(content, id);
  }
  return files;
}

// A message of protocol buffers, field by field.
class Protobuf {
 public:
  Protobuf(std::string_view bytes, const std::string& where) : rest_(bytes), where_(where) {}

  struct Field {
    uint64_t number = 0, value = 0;  // the value of a number
    std::string_view bytes = {};     // of a text or a message, and of a fixed number
  };

  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const uint64_t tag = varint();
    Field field{.number = tag >> 3};
    switch (tag & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        field.bytes = take(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        field.bytes = take(4);
        break;
      default:
        fail();
    }
    return field;
  }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }
  std::string_view take(uint64_t count) {
    if (count > rest_.size()) fail();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  [[noreturn]] void fail() const { throw input_error(where_, "not a sentencepiece model", "a complete spiece.model"); }

  std::string_view rest_;
  std::string where_;
};

int64_t extra_ids(const fs::path& folder) {
  constexpr int64_t kDefault = 100, kMost = 10000;
  const fs::path path = folder / "tokenizer_config.json";
  if (!fs::exists(path)) return kDefault;
  const json config = read_json(path), count = config.is_object() ? config.value("extra_ids", json(kDefault)) : json();
  if (!count.is_number_unsigned() || count.get<uint64_t>() > kMost) {
    throw input_error(path.string(), fmt::format("extra_ids is {}", json_text(count)), fmt::format("0 to {}", kMost));
  }
  return count;
}

// The fields that sentencepiece_model.proto names: pieces (text, score, type), the trainer's model type, the
// normalizer's charsmap.
T5Files read_spiece_model(const fs::path& path) {
  T5Files files;
  files.where = path.string();
  const std::string bytes = read_file(path);
  constexpr uint64_t kPieces = 1, kTrainer = 2, kNormalizer = 3, kUnknownType = 2, kUnigram = 1;
  Protobuf model(bytes, files.where);
  bool has_unknown = false;
  while (const auto field = model.next()) {
    Protobuf part(field->bytes, files.where);
    if (field->number == kPieces) {
      std::string text;
      float score = 0;
      uint64_t type = 1;
      while (const auto inner = part.next()) {
        if (inner->number == 1) text = inner->bytes;
        if (inner->number == 2 && inner->bytes.size() == sizeof(score)) {
          std::memcpy(&score, inner->bytes.data(), sizeof(score));
        }
        if (inner->number == 3) type = inner->value;
      }
      if (type == kUnknownType) {
        has_unknown = true;
        files.unknown = static_cast<int64_t>(files.pieces.size());
      }
      files.pieces.emplace_back(std::move(text), score);
    } else if (field->number == kTrainer) {
      while (const auto inner = part.next()) {
        if (inner->number == 3 && inner->value != kUnigram) {
          throw input_error(files.where, fmt::format("model_type is {}", inner->value),
                            "1, a unigram model, as T5's is");
        }
      }
    } else if (field->number == kNormalizer) {
      while (const auto inner = part.next()) {
        if (inner->number == 2) files.charsmap = inner->bytes;
      }
    }
  }
  if (!has_unknown) throw input_error(files.where, "no piece for unknown text", "a sentencepiece model with one");
  for (int64_t k = extra_ids(path.parent_path()); k-- > 0;)
    files.pieces.emplace_back(fmt::format("<extra_id_{}>", k), 0);
  for (size_t id = 0; id < files.pieces.size(); ++id) {
    const std::string& piece = files.pieces[id].first;
    const bool is_mark = piece == "<pad>" || piece == "</s>" || piece == "<unk>" || piece.starts_with("<extra_id_");
    if (is_mark) files.special.emplace(piece, static_cast<int64_t>(id));
  }
  return files;
}

}  // namespace

T5Files read_t5_files(const fs::path& folder) {
  if (fs::exists(folder / "tokenizer.json")) return read_tokenizer_json(folder / "tokenizer.json");
  if (fs::exists(folder / "spiece.model")) return read_spiece_model(folder / "spiece.model");
  throw input_error(folder.string(), "no tokenizer.json and no spiece.model", "one of them");
}

}  // namespace roundtrip::text
