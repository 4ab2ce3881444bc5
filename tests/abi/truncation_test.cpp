// SPDX-License-Identifier: Apache-2.0
// Structures of every size from their head to 64 bytes beyond what we know, each ending where the next page
// is not mapped: a reader or writer that steps beyond the stated size dies here.
#include <gtest/gtest.h>

#include "kit/desc.hpp"
#include "kit/raw_loader.hpp"
#include "kit/schema/schema.hpp"
#include "tests/support/edge.hpp"

namespace {

using opmux::kit::Desc;
using opmux::kit::RawError;
using opmux::kit::RawPlugin;
using opmux::kit::tensor;
using opmux::test::every_size;

template <class T>
void validate_every_size(Desc<T>& d, uint32_t whole) {
  d.opd();
  every_size(*d.operator->(), [&](const T* cut, uint32_t size) {
    opmux::schema::Problem p;
    const bool ok = opmux::schema::validate(cut->o, p);
    if (size < sizeof(opmux_opd)) {
      EXPECT_FALSE(ok);
    }
    if (size >= whole) {
      EXPECT_TRUE(ok) << p.text;
    }
    opmux_tdesc out[8];
    if (size >= sizeof(opmux_opd)) {
      EXPECT_EQ(opmux::schema::infer(cut->o, out, p), ok) << p.text;
    }
    if (ok) (void)opmux::schema::digest(cut->o);
    (void)opmux::schema::flops(cut->o);
    (void)opmux::schema::bytes(cut->o);
  });
}

TEST(Truncation, ValidationStaysWithinSoftmax) {
  Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d.in(tensor(OPMUX_F32, {2, 3})).out(tensor(OPMUX_F32, {2, 3}));
  d->kind = OPMUX_SOFTMAX_PLAIN;
  d->axis = 1;
  validate_every_size(d, sizeof(opmux_op_softmax));
}

TEST(Truncation, ValidationStaysWithinConv) {
  Desc<opmux_op_conv> d(OPMUX_OP_CONV);
  d.in(tensor(OPMUX_F32, {1, 2, 5})).in(tensor(OPMUX_F32, {3, 2, 3})).out(tensor(OPMUX_F32, {1, 3, 5}));
  d->group = 1;
  d->acc_dtype = OPMUX_F32;
  d->stride = d.list({1});
  d->dilation = d.list({1});
  d->pad = d.list({1, 1});
  validate_every_size(d, sizeof(opmux_op_conv));
}

TEST(Truncation, ValidationStaysWithinAttention) {
  Desc<opmux_op_attention> d(OPMUX_OP_ATTENTION);
  for (int i = 0; i < 3; ++i) d.in(tensor(OPMUX_F32, {1, 2, 3, 4}));
  d.out(tensor(OPMUX_F32, {1, 2, 3, 4}));
  d->window = -1;
  validate_every_size(d, sizeof(opmux_op_attention));
}

TEST(Truncation, ValidationStaysWithinExtensions) {
  Desc<opmux_op_copy> d(OPMUX_OP_COPY);
  d.in(tensor(OPMUX_F32, {2})).out(tensor(OPMUX_F32, {2}));
  struct Ext {
    opmux_ext h;
    uint64_t payload[3];
  };
  every_size(Ext{{0, 7, nullptr}, {1, 2, 3}}, [&](const Ext* cut, uint32_t) {
    d.opd()->h.next = &cut->h;
    opmux::schema::Problem p;
    EXPECT_TRUE(opmux::schema::validate(*d.opd(), p)) << p.text;
    (void)opmux::schema::digest(*d.opd());
  });
}

// The kit's entry points, through a plugin made of them.
struct Kit : testing::Test {
  Kit() {
    fill.in(tensor(OPMUX_F32, {})).out(tensor(OPMUX_F32, {5}));
    fill.opd();
  }
  opmux_cap ask(const opmux_opd* d, const opmux_devinfo* info) {
    opmux_cap cap{};
    cap.h.size = sizeof(cap);
    RawError err;
    EXPECT_EQ(p.op.query(info, 1, &d, &cap, sizeof(cap), err), OPMUX_OK) << err.text();
    return cap;
  }
  RawPlugin p{PLUGIN_V0};
  Desc<opmux_op_fill> fill{OPMUX_OP_FILL};
};

TEST_F(Kit, QueryAndPrepareStayWithinTheDescriptor) {
  every_size(*fill.operator->(), [&](const opmux_op_fill* cut, uint32_t size) {
    EXPECT_EQ(ask(&cut->o, &p.info).verdict, size < sizeof(opmux_opd) ? OPMUX_NO : OPMUX_YES);
    opmux_kernel k = nullptr;
    RawError err;
    const opmux_status s = p.op.prepare(p.device, &cut->o, 1, &k, err);
    EXPECT_EQ(s == OPMUX_OK, size >= sizeof(opmux_opd)) << err.text();
    if (s == OPMUX_OK) p.op.release(k);
  });
}

TEST_F(Kit, QueryStaysWithinDeviceInfoAndAnswer) {
  every_size(p.info,
             [&](const opmux_devinfo* cut, uint32_t) { EXPECT_EQ(ask(fill.opd(), cut).verdict, OPMUX_YES); });
  const opmux_opd* d = fill.opd();
  every_size(opmux_cap{}, [&](opmux_cap* cut, uint32_t size) {
    ASSERT_EQ(p.op.query(&p.info, 1, &d, cut, size, nullptr), OPMUX_OK);
    if (OPMUX_HAS(cut, opmux_cap, verdict)) {
      EXPECT_EQ(cut->verdict, OPMUX_YES);
    }
  });
}

TEST_F(Kit, RunsStayWithinTheRun) {
  RawError err;
  float value = 2, y[5] = {};
  const opmux_bind arg[] = {{reinterpret_cast<uintptr_t>(&value), 0, 4, nullptr},
                            {reinterpret_cast<uintptr_t>(y), 0, 20, nullptr}};
  opmux_run r{};
  r.arg = arg;
  r.n_arg = 2;
  r.kernel = p.prepare(fill.opd(), 1);
  every_size(r, [&](const opmux_run* cut, uint32_t size) {
    const bool whole = OPMUX_HAS(cut, opmux_run, kernel);
    EXPECT_EQ(p.queue.enqueue_many(p.line, cut, size, 1, err) == OPMUX_OK, whole) << err.text();
    opmux_commands c = nullptr;
    const opmux_status s = p.queue.record(p.line, cut, size, 1, &c, err);
    EXPECT_EQ(s == OPMUX_OK, whole) << err.text();
    if (s == OPMUX_OK) p.queue.release(c);
  });
  p.op.release(r.kernel);
}

TEST_F(Kit, CopiesStayWithinTheCopy) {
  char from[4] = "abc", to[4] = {};
  opmux_copy c{};
  c.src_host = from;
  c.dst_host = to;
  c.size_bytes = 4;
  every_size(c, [&](const opmux_copy* cut, uint32_t) {
    EXPECT_EQ(p.queue.copy(p.line, cut, 1, nullptr) == OPMUX_OK, OPMUX_HAS(cut, opmux_copy, dst_host));
  });
}

TEST_F(Kit, DeviceListAndErrorsStayWithinTheRecord) {
  every_size(opmux_devinfo{}, [&](opmux_devinfo* cut, uint32_t size) {
    uint32_t count = 0;
    EXPECT_EQ(p.dev.enumerate(p.plugin, cut, size, 1, &count, nullptr), OPMUX_OK);
    EXPECT_EQ(count, 1u);
  });
  char text[64];
  opmux_err e{};
  e.msg = text;
  e.msg_cap = sizeof(text);
  every_size(e, [&](opmux_err* cut, uint32_t) {
    opmux_dev d = nullptr;
    EXPECT_EQ(p.dev.open(p.plugin, 99, &d, cut), OPMUX_E_INVALID);
  });
}

TEST_F(Kit, EntryAndHostServicesStayWithinTheirSizes) {
  opmux_offer offer{};
  offer.minor = OPMUX_ABI_MINOR;
  opmux_answer full{};
  full.h.size = sizeof(full);
  every_size(offer, [&](const opmux_offer* cut, uint32_t) {
    RawPlugin::entry(PLUGIN_V0)(cut, &full);
    EXPECT_EQ(full.status == OPMUX_OK, OPMUX_HAS(cut, opmux_offer, minor));
  });
  offer.h.size = sizeof(offer);
  every_size(opmux_answer{}, [&](opmux_answer* cut, uint32_t) {
    RawPlugin::entry(PLUGIN_V0)(&offer, cut);
    if (OPMUX_HAS(cut, opmux_answer, minor)) {
      EXPECT_EQ(cut->minor, OPMUX_ABI_MINOR);
    }
  });
  opmux::kit::RawHost host;
  every_size(*host.api(), [&](const opmux_host_api* cut, uint32_t) {
    opmux_plugin other = nullptr;
    ASSERT_EQ(p.core.open(cut, &other, nullptr), OPMUX_OK);
    p.core.close(other);
  });
}

}  // namespace
