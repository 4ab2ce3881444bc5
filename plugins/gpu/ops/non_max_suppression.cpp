// SPDX-License-Identifier: Apache-2.0
// non_max_suppression: boxes are picked class by class, then counted, then written in order.
#include <algorithm>

#include "gpu/ops/ops.hpp"

namespace opmux::gpu {
namespace {

struct Lists {
  uint64_t tasks, n, room;

  explicit Lists(const opmux_opd& d)
      : tasks(static_cast<uint64_t>(d.in[1].dim[0] * d.in[1].dim[1])),
        n(static_cast<uint64_t>(d.in[1].dim[2])),
        room(static_cast<uint64_t>(d.out[0].dim[0])) {}
  uint64_t stride() const { return 2 * n + 1; }
  uint64_t list_bytes() const { return (tasks * stride() * 4 + 255) & ~uint64_t{255}; }
  uint64_t start_bytes() const { return (tasks + 1) * 4; }
};

void bind_threshold(StepMaker& s, const opmux_opd& d, uint32_t arg, const char* name) {
  if (!has_in(d, arg)) return s.unused(name, OPMUX_U32);
  s.bind(name, d, arg, OPMUX_U32);
  s.set(std::string("has_") + name, 1);
  s.set(std::string(name) + "_wide", d.in[arg].dtype == OPMUX_F64);
}

Step pick(const opmux_devinfo& info, const opmux_opd& d, const Lists& l) {
  StepMaker s("nms_pick");
  s.source().doubles = true;
  s.bind("boxes", d, 0);
  s.bind("scores", d, 1);
  s.bind("max_output", d, 2);
  bind_threshold(s, d, 3, "iou");
  bind_threshold(s, d, 4, "score");
  s.workspace("list", 0, l.list_bytes(), OPMUX_U32);
  s.set("classes", static_cast<uint64_t>(d.in[1].dim[1]));
  s.set("n", l.n);
  s.set("center", reinterpret_cast<const opmux_op_non_max_suppression&>(d).center);
  for (uint32_t i = 0; i < 3; ++i) {
    s.set("bs", static_cast<uint64_t>(d.in[0].stride[i]), i);
    s.set("ss", static_cast<uint64_t>(d.in[1].stride[i]), i);
  }
  s.groups(info, l.tasks);
  return s.take();
}

Step count(const opmux_devinfo& info, const opmux_opd& d, const Lists& l) {
  StepMaker s("nms_count");
  s.workspace("list", 0, l.list_bytes(), OPMUX_U32);
  s.workspace("starts", l.list_bytes(), l.start_bytes(), OPMUX_U32);
  s.bind("count", d, d.n_in + 1);
  s.set("tasks", l.tasks);
  s.set("stride", l.stride());
  s.set("room", l.room);
  s.groups(info, 1);
  return s.take();
}

Step write(const opmux_devinfo& info, const opmux_opd& d, const Lists& l) {
  StepMaker s("nms_write");
  s.workspace("list", 0, l.list_bytes(), OPMUX_U32);
  s.workspace("starts", l.list_bytes(), l.start_bytes(), OPMUX_U32);
  s.bind("selected", d, d.n_in);
  const uint64_t lanes = std::max(l.tasks * l.n, l.room);
  s.set("lanes", lanes);
  s.set("tasks", l.tasks);
  s.set("classes", std::max<uint64_t>(static_cast<uint64_t>(d.in[1].dim[1]), 1));
  s.set("n", l.n);
  s.set("room", l.room);
  for (uint32_t i = 0; i < 2; ++i) s.set("ys", static_cast<uint64_t>(d.out[0].stride[i]), i);
  s.elements(info, lanes);
  return s.take();
}

}  // namespace

bool plan_non_max_suppression(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                              KernelPlan* plan) {
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_doubles(info, cap)) return false;
  const Lists l(d);
  if (!check_workspace(info, std::max(l.list_bytes(), l.start_bytes()), cap)) return false;
  const uint64_t workspace = l.list_bytes() + l.start_bytes();
  say_yes(info, d, cap, workspace);
  if (!plan) return true;
  plan->workspace = workspace;
  plan->faulty_arg = d.n_in;
  plan->steps.push_back(pick(info, d, l));
  plan->steps.push_back(count(info, d, l));
  plan->steps.push_back(write(info, d, l));
  return true;
}

}  // namespace opmux::gpu
