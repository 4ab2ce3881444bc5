// SPDX-License-Identifier: Apache-2.0
// copy, fill, iota, gather, gather_elements, gather_nd, one_hot, pad: bit for bit as the reference says.
#include "oracle.hpp"
#include "run_fault.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16,
                               OPMUX_I64, OPMUX_I32, OPMUX_I8,  OPMUX_U8};

uint32_t any_type(std::mt19937& rng) { return kTypes[rng() % std::size(kTypes)]; }
Index any_dims(std::mt19937& rng, uint32_t least, uint32_t most, int64_t longest = 9) {
  Index dims(least + rng() % (most - least + 1));
  for (int64_t& d : dims)
    d = rng() % 12 == 0 ? 0 : 1 + static_cast<int64_t>(rng() % static_cast<uint32_t>(longest));
  return dims;
}

// Runs with 1 and 3 threads and compares with the oracle without tolerance.
template <class T>
void check_exact(kit::Desc<T>& d, std::vector<void*> args, Tensor& y, const std::string& what) {
  args.push_back(y.data());
  const Truth truth = Oracle::get().evaluate(d, args);
  for (uint32_t threads : {1u, 3u}) {
    Host host(threads);
    ASSERT_NE(run_op(host, d, args), nullptr) << what;
    expect_close(y, truth, what, [](size_t, double) { return 0.0; });
  }
}

TEST(Copy, MovesAnyViewToAnyView) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    std::mt19937 rng(seed);
    const Index dims = any_dims(rng, 0, 6);
    const uint32_t type = any_type(rng);
    Tensor x(type, dims, rng), y(type, dims, rng);
    x.random(rng);
    std::vector<bool> repeat(dims.size());
    for (size_t i = 0; i < dims.size(); ++i) repeat[i] = rng() % 5 == 0;
    x.broadcast(repeat);
    kit::Desc<opmux_op_copy> d(OPMUX_OP_COPY);
    d.in(x.t).out(y.t);
    check_exact(d, {x.data()}, y, "copy " + text(dims) + " seed " + std::to_string(seed));
  }
}

TEST(Copy, TransposesPlanesOfEveryWidth) {
  for (uint32_t type : {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_I8})
    for (const Index& dims :
         {Index{64, 64}, Index{8, 8}, Index{129, 67}, Index{3, 70, 33}, Index{200, 9}, Index{2, 65, 3, 66}}) {
      std::mt19937 rng(7);
      Index perm = dims;
      std::swap(perm[perm.size() - 2], perm.back());
      Tensor x(type, perm), y(type, dims);
      x.random(rng);
      const size_t n = dims.size();
      std::swap(x.t.dim[n - 2], x.t.dim[n - 1]);
      std::swap(x.t.stride[n - 2], x.t.stride[n - 1]);
      kit::Desc<opmux_op_copy> d(OPMUX_OP_COPY);
      d.in(x.t).out(y.t);
      check_exact(d, {x.data()}, y, "transpose " + text(dims));
    }
}

TEST(Copy, WritesLargeOutputsPastTheCachesWithTheSameResult) {
  constexpr int64_t kSide = 2600;  // 27 MB each
  std::vector<float> x(kSide * kSide), y(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  for (bool transposed : {false, true}) {
    kit::Desc<opmux_op_copy> d(OPMUX_OP_COPY);
    opmux_tdesc from = kit::tensor(OPMUX_F32, {kSide, kSide});
    if (transposed) std::swap(from.stride[0], from.stride[1]);
    d.in(from).out(kit::tensor(OPMUX_F32, {kSide, kSide}));
    Host host(2);
    std::fill(y.begin(), y.end(), -1.0f);
    ASSERT_NE(run_op(host, d, {x.data(), y.data()}), nullptr);
    size_t bad = 0;
    for (size_t r = 0; r < kSide; ++r)
      for (size_t c = 0; c < kSide; ++c)
        bad += y[r * kSide + c] != x[transposed ? c * kSide + r : r * kSide + c];
    EXPECT_EQ(bad, 0u) << (transposed ? "transposed" : "plain");
  }
}

TEST(Copy, RefusesElementsOfLessThanAByte) {
  kit::Desc<opmux_op_copy> d(OPMUX_OP_COPY);
  d.in(kit::tensor(OPMUX_I4, {8})).out(kit::tensor(OPMUX_I4, {8}));
  const Answer a = ask(d.opd());
  EXPECT_EQ(a.op, nullptr);
  EXPECT_EQ(a.cap.why, OPMUX_WHY_DTYPE);
  EXPECT_EQ(a.cap.why_have, OPMUX_I4);
  EXPECT_EQ(a.cap.why_limit, 8);
}

TEST(Copy, RefusesAnOutputWhoseElementsShareMemory) {
  kit::Desc<opmux_op_copy> d(OPMUX_OP_COPY);
  d.in(kit::tensor(OPMUX_F32, {4, 8})).out(kit::strided(OPMUX_F32, {4, 8}, {0, 1}));
  const Answer a = ask(d.opd());
  EXPECT_EQ(a.op, nullptr);
  EXPECT_EQ(a.cap.why, OPMUX_WHY_STRIDE);
  EXPECT_EQ(a.cap.why_arg, 1u);
  EXPECT_EQ(a.cap.why_axis, 0u);
}

TEST(Fill, RepeatsItsValue) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = any_type(rng);
    Tensor value(type, {}), y(type, any_dims(rng, 0, 5), rng);
    value.random(rng);
    kit::Desc<opmux_op_fill> d(OPMUX_OP_FILL);
    d.in(value.t).out(y.t);
    check_exact(d, {value.data()}, y, "fill seed " + std::to_string(seed));
  }
}

TEST(Iota, CountsInEveryType) {
  for (uint32_t type : {OPMUX_F64, OPMUX_F32, OPMUX_I64, OPMUX_I32, OPMUX_I8})
    for (int64_t n : {0, 1, 255, 256, 257, 70001}) {
      std::mt19937 rng(11);
      Tensor start(type, {}), step(type, {}), y(type, {n}, rng);
      start.set({}, 3);
      step.set({}, is_float(type) ? -0.37 : -7);
      kit::Desc<opmux_op_iota> d(OPMUX_OP_IOTA);
      d.in(start.t).in(step.t).out(y.t);
      const std::vector<void*> args{start.data(), step.data(), y.data()};
      const Truth truth = Oracle::get().evaluate(d, args);
      Host host(3);
      ASSERT_NE(run_op(host, d, args), nullptr);
      expect_close(y, truth, "iota", [&](size_t, double v) { return is_float(type) ? spacing(type, v) : 0; });
    }
}

void random_index(Tensor& index, int64_t extent, std::mt19937& rng) {
  index.each([&](const Index& i) {
    index.set(i,
              static_cast<double>(static_cast<int64_t>(rng() % static_cast<uint64_t>(2 * extent)) - extent));
  });
}

TEST(Gather, TakesRowsAlongAnyAxis) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = any_type(rng);
    Index dims = any_dims(rng, 1, 4), picks = any_dims(rng, 0, 3);
    const uint32_t axis = rng() % static_cast<uint32_t>(dims.size());
    dims[axis] = std::max<int64_t>(dims[axis], 1);
    Index out(dims.begin(), dims.begin() + axis);
    out.insert(out.end(), picks.begin(), picks.end());
    out.insert(out.end(), dims.begin() + axis + 1, dims.end());
    Tensor x(type, dims, rng), index(rng() % 2 ? OPMUX_I64 : OPMUX_I32, picks, rng), y(type, out, rng);
    x.random(rng);
    random_index(index, dims[axis], rng);
    kit::Desc<opmux_op_gather> d(OPMUX_OP_GATHER);
    d->axis = axis;
    d.in(x.t).in(index.t).out(y.t);
    check_exact(d, {x.data(), index.data()}, y, "gather " + text(dims) + " seed " + std::to_string(seed));
  }
}

TEST(GatherElements, TakesEachElementFromItsOwnCoordinate) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = any_type(rng);
    Index dims = any_dims(rng, 1, 4);
    const uint32_t axis = rng() % static_cast<uint32_t>(dims.size());
    dims[axis] = std::max<int64_t>(dims[axis], 1);
    Index out = dims;
    for (int64_t& e : out) e = e > 1 ? e - static_cast<int64_t>(rng() % 2) : e;
    out[axis] = static_cast<int64_t>(rng() % 12);
    Tensor x(type, dims, rng), index(rng() % 2 ? OPMUX_I64 : OPMUX_I32, out, rng), y(type, out, rng);
    x.random(rng);
    random_index(index, dims[axis], rng);
    kit::Desc<opmux_op_gather_elements> d(OPMUX_OP_GATHER_ELEMENTS);
    d->axis = axis;
    d.in(x.t).in(index.t).out(y.t);
    check_exact(d, {x.data(), index.data()}, y, "gather_elements seed " + std::to_string(seed));
  }
}

TEST(GatherNd, TakesSlicesAtCoordinates) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = any_type(rng);
    Index dims = any_dims(rng, 1, 5, 6);
    for (int64_t& e : dims) e = std::max<int64_t>(e, 1);
    const auto rank = static_cast<uint32_t>(dims.size());
    const uint32_t batch = rng() % rank, count = 1 + rng() % (rank - batch);
    Index picks(dims.begin(), dims.begin() + batch);
    const Index more = any_dims(rng, 0, 2, 5);
    picks.insert(picks.end(), more.begin(), more.end());
    Index out = picks;
    out.insert(out.end(), dims.begin() + batch + count, dims.end());
    picks.push_back(count);
    if (out.size() > 8) continue;
    Tensor x(type, dims, rng), index(rng() % 2 ? OPMUX_I64 : OPMUX_I32, picks, rng), y(type, out, rng);
    x.random(rng);
    index.each([&](const Index& i) {
      const int64_t extent = dims[batch + static_cast<uint32_t>(i.back())];
      index.set(
          i, static_cast<double>(static_cast<int64_t>(rng() % static_cast<uint64_t>(2 * extent)) - extent));
    });
    kit::Desc<opmux_op_gather_nd> d(OPMUX_OP_GATHER_ND);
    d->batch_dims = batch;
    d.in(x.t).in(index.t).out(y.t);
    check_exact(d, {x.data(), index.data()}, y, "gather_nd " + text(dims) + " seed " + std::to_string(seed));
  }
}

TEST(Gather, ReportsTheFirstIndexOutOfRangeAndReadsNothingBeyond) {
  std::mt19937 rng(1);
  Tensor x(OPMUX_F32, {4, 3}), index(OPMUX_I64, {5}), y(OPMUX_F32, {5, 3});
  x.random(rng);
  for (int64_t i = 0; i < 5; ++i) index.set({i}, i == 2 ? -5 : i == 4 ? 1e15 : 1);
  kit::Desc<opmux_op_gather> d(OPMUX_OP_GATHER);
  d.in(x.t).in(index.t).out(y.t);
  for (uint32_t threads : {1u, 4u}) {
    Host host(threads);
    expect_fault(host, d, {x.data(), index.data(), y.data()}, 1, "gather: index -5 is outside [-4, 3]");
  }
}

TEST(OneHot, SetsTheWrappedPosition) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = any_type(rng), index_type = any_type(rng);
    const Index picks = any_dims(rng, 0, 3);
    const uint32_t axis = rng() % (static_cast<uint32_t>(picks.size()) + 1);
    const auto depth = static_cast<int64_t>(rng() % 7);
    Index out = picks;
    out.insert(out.begin() + axis, depth);
    Tensor index(index_type, picks, rng), values(type, {2}, rng), y(type, out, rng);
    values.random(rng);
    index.each([&](const Index& i) {
      index.set(i, static_cast<double>(rng() % 20) - (index_type == OPMUX_U8 ? 0 : 10) +
                       (is_float(index_type) ? 0.5 : 0));
    });
    kit::Desc<opmux_op_one_hot> d(OPMUX_OP_ONE_HOT);
    d->axis = axis;
    d.in(index.t).in(values.t).out(y.t);
    check_exact(d, {index.data(), values.data()}, y,
                "one_hot " + text(out) + " seed " + std::to_string(seed));
  }
}

TEST(Pad, AddsAndCropsInEveryMode) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = any_type(rng), mode = 1 + rng() % 4;
    Index dims = any_dims(rng, 1, 4), out = dims;
    Index before(dims.size()), after(dims.size());
    for (size_t i = 0; i < dims.size(); ++i) {
      if (mode != OPMUX_PAD_CONSTANT) dims[i] = std::max<int64_t>(dims[i], 2);
      const int64_t most = mode == OPMUX_PAD_CONSTANT || mode == OPMUX_PAD_EDGE ? 4 : dims[i] - 1;
      before[i] = static_cast<int64_t>(rng() % static_cast<uint64_t>(most + 1));
      after[i] = static_cast<int64_t>(rng() % static_cast<uint64_t>(most + 1));
      if (rng() % 4 == 0 && dims[i] > 0) before[i] = -static_cast<int64_t>(rng() % 2);
      out[i] = dims[i] + before[i] + after[i];
    }
    Tensor x(type, dims, rng), value(type, {}), y(type, out, rng);
    x.random(rng);
    value.random(rng);
    kit::Desc<opmux_op_pad> d(OPMUX_OP_PAD);
    d->mode = mode;
    const bool has_value = mode == OPMUX_PAD_CONSTANT && rng() % 2;
    d.in(x.t).in(has_value ? value.t : kit::absent()).out(y.t);
    d->pad = d.list({});
    for (int64_t b : before) d.list({b});
    for (int64_t a : after) d.list({a});
    d->pad.count = static_cast<uint32_t>(2 * dims.size());
    check_exact(d, {x.data(), has_value ? value.data() : nullptr}, y,
                "pad " + text(dims) + " to " + text(out) + " mode " + std::to_string(mode) + " seed " +
                    std::to_string(seed));
  }
}

}  // namespace
}  // namespace opmux::test
