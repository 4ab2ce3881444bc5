// SPDX-License-Identifier: Apache-2.0
// Einsum: operands are contracted from left to right, two at a time, each time as one batched matmul.
#include <algorithm>
#include <map>
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

// A label is a letter, or kDots + i for the i-th dim from the end of an ellipsis.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kDots = 1000;

struct Term {
  ValueId value;
  Labels labels;
};

bool contains(const Labels& labels, Label l) {
  return std::find(labels.begin(), labels.end(), l) != labels.end();
}

// Labels of "ab...c"; dots: how many dims the ellipsis stands for.
Labels parse(std::string_view text, int64_t dots) {
  Labels out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 3) == "...") {
      for (int64_t k = dots; k-- > 0;) out.push_back(kDots + static_cast<Label>(k));
      i += 2;
    } else if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z')) {
      out.push_back(text[i]);
    } else {
      fail(OPMUX_E_INVALID, "attribute 'equation' has an unexpected '{}'", text[i]);
    }
  }
  return out;
}

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
  bool explicit_output = false;
};

Equation split_equation(std::string text) {
  std::erase(text, ' ');
  Equation e;
  if (const size_t arrow = text.find("->"); arrow != std::string::npos) {
    e.explicit_output = true;
    e.output = text.substr(arrow + 2);
    text.resize(arrow);
  }
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    e.inputs.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return e;
}

// A label that a term has twice means its diagonal: a view whose stride is the sum.
Term diagonal(GraphBuilder& b, Term t) {
  opmux_tdesc from = b.desc(t.value), to = from;
  to.rank = 0;
  std::fill_n(to.dim, 8, 0);
  std::fill_n(to.stride, 8, 0);
  Labels labels;
  for (size_t i = 0; i < t.labels.size(); ++i) {
    const auto it = std::find(labels.begin(), labels.end(), t.labels[i]);
    if (it == labels.end()) {
      labels.push_back(t.labels[i]);
      to.dim[to.rank] = from.dim[i];
      to.stride[to.rank++] = from.stride[i];
      continue;
    }
    const auto at = static_cast<size_t>(it - labels.begin());
    if (to.dim[at] != from.dim[i]) {
      fail(OPMUX_E_INVALID, "a label stands for {} and {} elements", to.dim[at], from.dim[i]);
    }
    to.stride[at] += from.stride[i];
  }
  if (labels.size() == t.labels.size()) return t;
  return {b.graph().add_view(t.value, to, 0, "diagonal"), std::move(labels)};
}

Term sum_out(GraphBuilder& b, Term t, const Labels& kept) {
  std::vector<int64_t> axes;
  Labels labels;
  for (size_t i = 0; i < t.labels.size(); ++i) {
    if (contains(kept, t.labels[i]))
      labels.push_back(t.labels[i]);
    else
      axes.push_back(static_cast<int64_t>(i));
  }
  if (axes.empty()) return t;
  return {b.reduce(OPMUX_REDUCE_SUM, t.value, axes, false), std::move(labels)};
}

ValueId arranged(GraphBuilder& b, const Term& t, const Labels& order) {
  std::vector<int64_t> perm;
  for (Label l : order) perm.push_back(std::find(t.labels.begin(), t.labels.end(), l) - t.labels.begin());
  return b.permute(t.value, perm);
}

class Contraction {
 public:
  Contraction(GraphBuilder& b, std::map<Label, int64_t> extents) : b_(b), extents_(std::move(extents)) {}

  // Sum over the labels that neither `kept` nor only one of the two has.
  Term operator()(const Term& x, const Term& y, const Labels& kept) const {
    Labels batch, inner, left, right;
    for (Label l : x.labels) {
      if (!contains(y.labels, l))
        left.push_back(l);
      else
        (contains(kept, l) ? batch : inner).push_back(l);
    }
    for (Label l : y.labels) {
      if (!contains(x.labels, l)) right.push_back(l);
    }
    Labels all = batch;
    all.insert(all.end(), left.begin(), left.end());
    all.insert(all.end(), right.begin(), right.end());
    const bool by_matmul = is_float(b_.dtype(x.value));
    return {by_matmul ? matmul(x, y, batch, inner, left, right) : multiplied(x, y, all, inner),
            std::move(all)};
  }

 private:
  int64_t extent(Label l) const { return extents_.at(l); }
  int64_t product(const Labels& labels) const {
    Dims dims;
    for (Label l : labels) dims.push_back(extent(l));
    return product_of(dims);
  }

  // The term with its labels in the order of three groups, broadcast and folded to rank 3.
  ValueId folded(const Term& t, const Labels& first, const Labels& second, const Labels& third) const {
    Labels order = first;
    order.insert(order.end(), second.begin(), second.end());
    order.insert(order.end(), third.begin(), third.end());
    Dims full;
    for (Label l : order) full.push_back(extent(l));
    const Dims flat = {product(first), product(second), product(third)};
    return b_.reshape(b_.expand(arranged(b_, t, order), full), flat);
  }

  ValueId matmul(const Term& x, const Term& y, const Labels& batch, const Labels& inner, const Labels& left,
                 const Labels& right) const {
    const ValueId product = b_.matmul(folded(x, batch, left, inner), folded(y, batch, inner, right));
    Dims dims;
    for (const Labels* group : {&batch, &left, &right}) {
      for (Label l : *group) dims.push_back(extent(l));
    }
    return b_.reshape(product, dims);
  }

  // Integers have no matmul: multiply everything with everything, then sum.
  ValueId multiplied(const Term& x, const Term& y, const Labels& all, const Labels& inner) const {
    Labels order = all;
    order.insert(order.end(), inner.begin(), inner.end());
    const auto spread = [&](const Term& t) {
      Labels have;
      Dims dims;
      for (Label l : order) {
        const auto it = std::find(t.labels.begin(), t.labels.end(), l);
        if (it != t.labels.end()) have.push_back(l);
        dims.push_back(it != t.labels.end() ? b_.dim(t.value, it - t.labels.begin()) : 1);
      }
      return b_.reshape(arranged(b_, t, have), dims);
    };
    const ValueId product = b_.pointwise(OPMUX_FN_MUL, {spread(x), spread(y)});
    std::vector<int64_t> axes(inner.size());
    std::iota(axes.begin(), axes.end(), static_cast<int64_t>(all.size()));
    return axes.empty() ? product : b_.reduce(OPMUX_REDUCE_SUM, product, axes, false);
  }

  GraphBuilder& b_;
  std::map<Label, int64_t> extents_;
};

std::vector<Term> terms_of(NodeContext& c, const Equation& e, int64_t& dots) {
  if (e.inputs.size() != c.n_in()) {
    fail(OPMUX_E_INVALID, "attribute 'equation' has {} terms, the node has {} inputs", e.inputs.size(),
         c.n_in());
  }
  std::vector<Term> terms;
  for (size_t i = 0; i < e.inputs.size(); ++i) {
    const ValueId v = c.in(i);
    const bool has_dots = e.inputs[i].find("...") != std::string::npos;
    const auto letters = static_cast<int64_t>(e.inputs[i].size()) - (has_dots ? 3 : 0);
    const int64_t rest = c.b.rank(v) - letters;
    if (rest < 0 || (rest > 0 && !has_dots)) {
      fail(OPMUX_E_INVALID, "term '{}' has {} labels, its operand has rank {}", e.inputs[i], letters,
           c.b.rank(v));
    }
    dots = std::max(dots, rest);
    terms.push_back(diagonal(c.b, {v, parse(e.inputs[i], rest)}));
  }
  return terms;
}

std::map<Label, int64_t> extents_of(GraphBuilder& b, const std::vector<Term>& terms) {
  std::map<Label, int64_t> extents;
  for (const Term& t : terms) {
    for (size_t i = 0; i < t.labels.size(); ++i) {
      const int64_t n = b.dim(t.value, static_cast<int64_t>(i));
      int64_t& have = extents.emplace(t.labels[i], n).first->second;
      if (have == 1) have = n;
      if (n != 1 && n != have) fail(OPMUX_E_INVALID, "a label stands for {} and {} elements", have, n);
    }
  }
  return extents;
}

// Without an arrow: the ellipsis, then the labels that occur once, in order.
Labels implied_output(const Equation& e, int64_t dots) {
  std::map<Label, int> count;
  for (const std::string& term : e.inputs) {
    for (Label l : parse(term, 0)) ++count[l];
  }
  Labels out = parse("...", dots);
  for (const auto& [label, n] : count) {
    if (n == 1) out.push_back(label);
  }
  return out;
}

void einsum(NodeContext& c) {
  const Equation e = split_equation(c.text("equation", ""));
  int64_t dots = 0;
  std::vector<Term> terms = terms_of(c, e, dots);
  const Labels output = e.explicit_output ? parse(e.output, dots) : implied_output(e, dots);
  const auto extents = extents_of(c.b, terms);
  for (Label l : output) {
    if (!extents.contains(l))
      fail(OPMUX_E_INVALID, "the output of attribute 'equation' has a label that no input has");
  }
  const Contraction contract(c.b, extents);
  Term whole = terms[0];
  for (size_t i = 0; i < terms.size(); ++i) {
    Labels kept = output;  // and what the terms to come still need
    for (size_t k = i + 1; k < terms.size(); ++k)
      kept.insert(kept.end(), terms[k].labels.begin(), terms[k].labels.end());
    if (i > 0) {
      Labels needed = kept;
      needed.insert(needed.end(), whole.labels.begin(), whole.labels.end());
      whole = contract(whole, sum_out(c.b, terms[i], needed), kept);
    }
    whole = sum_out(c.b, whole, kept);
  }
  c.out(0, arranged(c.b, whole, output));
}

constexpr Rule kRules[] = {{"Einsum", einsum}};

}  // namespace

std::span<const Rule> einsum_rules() { return kRules; }

}  // namespace opmux::onnx_import
