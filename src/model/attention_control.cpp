#include "model/attention_control.h"

#include <cmath>
#include <limits>

#include <ATen/core/grad_mode.h>

#include "base/error.h"
#include "model/attention.h"

namespace roundtrip::model {
namespace {

using diffusion::Route;

Tensor index_of(const std::vector<int64_t>& rows, const Tensor& like) {
  return at::tensor(rows, at::kLong).to(like.device());
}

// A view where it is one row, as a single edit has it: there the copy and the index cost more than their use.
Tensor rows_of(const Tensor& x, const std::vector<int64_t>& rows) {
  return rows.size() == 1 ? x.narrow(0, rows[0], 1) : x.index_select(0, index_of(rows, x));
}

// Adds `more` [rows, ...] to those rows of x.
Tensor add_to_rows(Tensor x, const std::vector<int64_t>& rows, const Tensor& more) {
  if (at::GradMode::is_enabled()) return x.index_add(0, index_of(rows, x), more);
  if (rows.size() == 1) {
    x.narrow(0, rows[0], 1).add_(more);
    return x;
  }
  return x.index_add_(0, index_of(rows, x), more);
}

void move_rows(diffusion::AttentionPlan& plan, int first) {
  for (auto& route : plan.routes) {
    route.row += first;
    route.source += first;
    if (route.seen_regions) {
      route.seen_regions->row += first;
      route.seen_regions->source += first;
    }
  }
  for (auto& mix : plan.mixes) {
    mix.row += first;
    mix.source += first;
  }
  for (auto& watch : plan.watches) watch.row += first;
  for (auto& graft : plan.grafts) {
    graft.row += first;
    graft.source += first;
  }
  for (auto& compare : plan.compares) {
    compare.row += first;
    compare.source += first;
  }
}

// The cross maps of this layer's rows, each made once.
class Maps {
 public:
  Maps(const Tensor& q, const Tensor& k, int64_t heads) : q_(q), k_(k), heads_(heads) {}

  const Tensor& of(int64_t row) {  // [heads, T, L]
    Tensor& map = maps_[row];
    if (!map.defined()) {
      const auto split = [&](const Tensor& x) {
        return x.select(0, row).view({x.size(1), heads_, x.size(2) / heads_}).transpose(0, 1);
      };
      const Tensor q = split(q_), k = split(k_);
      map = at::bmm(q / std::sqrt(static_cast<double>(q.size(2))), k.transpose(1, 2)).softmax(-1);
    }
    return map;
  }
  // The attention to weighted columns [L], mean over heads [T]. The product comes first, as the mean of whole maps
  // would read them once more.
  Tensor paid_to(const Tensor& columns, int64_t row) {
    return at::mv(of(row).flatten(0, 1), columns).view({heads_, -1}).mean(0);
  }

 private:
  const Tensor &q_, &k_;
  int64_t heads_;
  std::map<int64_t, Tensor> maps_;
};

void add_to(Tensor& sum, const Tensor& more) { sum = sum.defined() ? sum + more : more; }

Tensor nearest(const Tensor& map, const diffusion::Site& site) {
  return at::upsample_nearest2d(map.unsqueeze(0).unsqueeze(0), {site.h, site.w}).flatten();  // [T]
}

Tensor to_unit_range(const Tensor& map) { return (map - map.min()) / (map.max() - map.min()); }

double lowest_of(at::ScalarType type) {
  if (type == at::kHalf) return std::numeric_limits<at::Half>::lowest();
  if (type == at::kBFloat16) return std::numeric_limits<at::BFloat16>::lowest();
  return std::numeric_limits<float>::lowest();
}

// attn(q, k, v) of one row over the keys that `kept` [T] marks. With none it is the mean of all values, as published.
Tensor attend_to(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, const Tensor& kept) {
  const double lowest = lowest_of(q.scalar_type());  // not -inf, of which an empty region would be NaN
  const Tensor bias = at::where(kept, at::zeros({}, q.options()), at::full({}, lowest, q.options()));
  return attend(q, k, v, heads, Mask::kNone, bias.view({1, 1, 1, -1}));
}

}  // namespace

AttentionControl::AttentionControl(const std::vector<diffusion::LinkedRows>& linked, int64_t from,
                                   at::TensorOptions like) {
  for (const diffusion::LinkedRows& rows : linked) {
    Linked& entry = linked_.emplace_back(Linked{*rows.plan, rows.seen, {}, {}});
    move_rows(entry.plan, static_cast<int>(rows.first - from));
    for (auto& mix : entry.plan.mixes) {
      entry.drops_own.push_back(!mix.d.any().item<bool>());
      mix.P = mix.P.to(like);
      mix.d = mix.d.to(like);
    }
    for (auto& watch : entry.plan.watches) watch.columns = watch.columns.to(like);
    for (auto& route : entry.plan.routes) {
      if (route.regions) route.regions = {route.regions->source.to(like), route.regions->row.to(like)};
      if (!route.seen_regions) continue;
      route.seen_regions->source_columns = route.seen_regions->source_columns.to(like);
      route.seen_regions->row_columns = route.seen_regions->row_columns.to(like);
    }
    entry.seen_regions.resize(entry.plan.routes.size());
    entry.seen->watched.assign(entry.plan.watches.size(), Tensor());
  }
}

void AttentionControl::enter_block(int64_t h, int64_t w) {
  ++site_.depth;
  site_.h = h;
  site_.w = w;
}

std::optional<diffusion::Regions> AttentionControl::regions(const Linked& linked, size_t route) const {
  const Route& asked = linked.plan.routes[route];
  if (asked.regions) {
    return diffusion::Regions{nearest(asked.regions->source, site_), nearest(asked.regions->row, site_)};
  }
  const diffusion::Regions& seen = linked.seen_regions[route];
  if (!asked.seen_regions || !seen.source.defined()) return std::nullopt;
  const auto reached = [&](const Tensor& map) {
    return (nearest(to_unit_range(map), site_) >= asked.seen_regions->threshold).to(map.scalar_type());
  };
  return diffusion::Regions{reached(seen.source), reached(seen.row)};
}

Tensor AttentionControl::self_attention(const Tensor& qkv, int64_t heads) {
  const int64_t C = qkv.size(2) / 3;
  const Tensor q = qkv.narrow(2, 0, C), k = qkv.narrow(2, C, C), v = qkv.narrow(2, 2 * C, C);
  RowCopies queries, keys, values;
  bool only_maps = true;      // queries and keys, which lie side by side, take the same rows
  std::vector<int64_t> rows;  // of which attention is a call of its own
  std::vector<Tensor> apart;  // [1, T, C] each
  for (const Linked& linked : linked_) {
    for (size_t r = 0; r < linked.plan.routes.size(); ++r) {
      const Route& route = linked.plan.routes[r];
      if (!route.sites.contains(site_)) continue;
      const auto row = [](const Tensor& x, int64_t n) { return x.narrow(0, n, 1); };
      if (route.kind == Route::Kind::kSourceMap) {
        queries.add(route.row, route.source);
        keys.add(route.row, route.source);
      } else if (route.kind == Route::Kind::kUnion) {
        rows.push_back(route.row);
        apart.push_back(attend(row(q, route.row), at::cat({row(k, route.source), row(k, route.row)}, 1),
                               at::cat({row(v, route.source), row(v, route.row)}, 1), heads));
      } else if (const auto bounds = regions(linked, r)) {
        const auto read = [&](const Tensor& kept) {
          return attend_to(row(q, route.row), row(k, route.source), row(v, route.source), heads, kept);
        };
        const Tensor inside = read(bounds->source == 1), outside = read(bounds->source == 0);
        const Tensor M = bounds->row.view({1, -1, 1});
        rows.push_back(route.row);
        apart.push_back(inside * M + outside * (1 - M));
      } else {
        only_maps = false;
        keys.add(route.row, route.source);
        values.add(route.row, route.source);
      }
    }
  }
  if (only_maps) {
    queries.apply(qkv.narrow(2, 0, 2 * C));
  } else {
    queries.apply(q);
    keys.apply(k);
    values.apply(v);
  }
  const Tensor out = attend(q, k, v, heads);
  return rows.empty() ? out : out.index_copy(0, index_of(rows, out), at::cat(apart));
}

Tensor AttentionControl::cross_attention(const Tensor& q, const Tensor& kv, int64_t heads) {
  const int64_t C = kv.size(2) / 2;
  const Tensor k = kv.narrow(2, 0, C), v = kv.narrow(2, C, C);
  look(q, k, heads);
  RowCopies queries, keys;
  std::vector<int64_t> rows, sources;  // of the terms attn(q_s, k_s, P v_r)
  std::vector<Tensor> mapped;
  for (const Linked& linked : linked_) {
    for (size_t m = 0; m < linked.plan.mixes.size(); ++m) {
      const diffusion::Mix& mix = linked.plan.mixes[m];
      if (!mix.sites.contains(site_)) continue;
      const Tensor v_r = v.select(0, mix.row);  // read by this mix alone
      Tensor P_v = at::mm(mix.P, v_r);          // [L, C]
      if (linked.drops_own[m]) {
        queries.add(mix.row, mix.source);
        keys.add(mix.row, mix.source);
        v_r.copy_(P_v);
      } else {
        rows.push_back(mix.row);
        sources.push_back(mix.source);
        mapped.push_back(std::move(P_v));
        v_r.mul_(mix.d.unsqueeze(1));
      }
    }
  }
  Tensor from_source;
  if (!rows.empty()) {
    const Tensor values = rows.size() == 1 ? mapped[0].unsqueeze(0) : at::stack(mapped);
    from_source = attend(rows_of(q, sources), rows_of(k, sources), values, heads);
  }
  queries.apply(q);
  keys.apply(k);
  Tensor out = attend(q, k, v, heads);
  return rows.empty() ? out : add_to_rows(std::move(out), rows, from_source);
}

void AttentionControl::look(const Tensor& q, const Tensor& k, int64_t heads) {
  Maps maps(q, k, heads);
  // Sums over layers and steps want more digits than half precision has.
  const auto picture = [&](const Tensor& map) {
    return map.view({site_.h, site_.w}).to(at::promote_types(map.scalar_type(), at::kFloat));
  };
  for (Linked& linked : linked_) {
    const diffusion::AttentionPlan& plan = linked.plan;
    for (size_t w = 0; w < plan.watches.size(); ++w) {
      const diffusion::Watch& watch = plan.watches[w];
      if (!watch.sites.contains(site_)) continue;
      Tensor own = watch.columns, seen;
      for (const diffusion::Mix& mix : plan.mixes) {
        if (mix.row != watch.row || !mix.sites.contains(site_)) continue;
        own = mix.d * watch.columns;
        add_to(seen, maps.paid_to(at::mv(mix.P, watch.columns), mix.source));
      }
      add_to(seen, maps.paid_to(own, watch.row));
      add_to(linked.seen->watched[w], picture(seen));
    }
    for (size_t r = 0; r < plan.routes.size(); ++r) {
      const auto& bounds = plan.routes[r].seen_regions;
      if (!bounds || !bounds->sites.contains(site_)) continue;
      add_to(linked.seen_regions[r].source, picture(maps.paid_to(bounds->source_columns, bounds->source)));
      add_to(linked.seen_regions[r].row, picture(maps.paid_to(bounds->row_columns, bounds->row)));
    }
    for (const diffusion::Compare& compare : plan.compares) {
      if (!compare.sites.contains(site_)) continue;
      const Tensor difference = maps.of(compare.row) - maps.of(compare.source).detach();
      add_to(linked.seen->loss, compare.weight / static_cast<double>(heads) * difference.square().sum());
    }
  }
}

RowCopies AttentionControl::grafts(const std::string& resnet) const {
  RowCopies copies;
  for (const Linked& linked : linked_) {
    for (const diffusion::Graft& graft : linked.plan.grafts) {
      if (graft.resnet == resnet) copies.add(graft.row, graft.source);
    }
  }
  return copies;
}

void AttentionControl::finish() const {
  for (const Linked& linked : linked_) {
    for (const Tensor& map : linked.seen->watched) check(map.defined(), "a watch matches some attention layer");
  }
}

}  // namespace roundtrip::model
