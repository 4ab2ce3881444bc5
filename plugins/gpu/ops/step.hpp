// SPDX-License-Identifier: Apache-2.0
// What the host sides of operators share: checks of operands, and the making of one step of a plan.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "gpu/plan.hpp"
#include "gpu/program.hpp"
#include "kit/op.h"
#include "kit/view.hpp"

namespace opmux::gpu {

// Indices are 32 bits wide and groups overshoot, so counts of elements stay below this.
inline constexpr int64_t kMaxElements = int64_t{1} << 31;

// Bytes that a view may reach. The offset of a range is rounded down, so a range may be longer than the view
// by less than 256 bytes.
uint64_t binding_limit(const opmux_devinfo& info);
int64_t elements(const opmux_tdesc& t);
inline bool is_present(const opmux_tdesc& t) { return t.dtype != OPMUX_NONE; }
bool has_in(const opmux_opd& d, uint32_t i);  // of the operator's own
bool has_out(const opmux_opd& d, uint32_t o);

// Every operand: a type that kernels know and the device has, no layout, no output that
// overlaps itself, counts and a reach that indices of 32 bits and one binding hold.
bool check_operands(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap);
// The same for operands that are only moved: any type of 1, 2, 4 or 8 bytes.
bool check_moved(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                 std::initializer_list<uint32_t> read);
// The same where operands in `coded` may have any type of code_format, in values.hpp.
bool check_coded(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                 std::initializer_list<uint32_t> coded);
// Has the device f64, which positions are computed in?
bool check_doubles(const opmux_devinfo& info, opmux_cap& cap);
// Does one binding hold so many bytes of the workspace?
bool check_workspace(const opmux_devinfo& info, uint64_t bytes, opmux_cap& cap);
// Refuses outputs in place of inputs.
bool check_apart(const opmux_opd& d, opmux_cap& cap);

// Do kernels know the type that operand `arg` asks for, and has the device it?
bool check_dtype(const opmux_devinfo& info, uint32_t arg, uint32_t dtype, opmux_cap& cap);
// Does every element of both lie where that of the other does, if they share memory?
bool same_places(const opmux_tdesc& a, const opmux_tdesc& b);
// In place of input `i` only, and only where every element lies where it did.
bool check_in_place(const opmux_opd& d, uint32_t i, opmux_cap& cap);

// YES with a model's cost. PoCL and lavapipe set what CPUs reach with such kernels.
bool say_yes(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, uint64_t workspace = 0);

class StepMaker {
 public:
  explicit StepMaker(const char* kernel) { step_.source.file = &kernel_file(kernel); }

  Source& source() { return step_.source; }
  void type(const std::string& name, uint32_t dtype) { step_.source.types[name] = dtype; }
  void define(const std::string& name, const std::string& value) { step_.source.defines[name] = value; }

  // Operand `arg` at the buffer `name`, as elements of `dtype` (OPMUX_NONE: its own).
  void bind(const std::string& name, const opmux_opd& d, uint32_t arg, uint32_t dtype = OPMUX_NONE);
  // Operands bound from here on begin so many bytes behind their element 0.
  void shift(uint32_t arg, int64_t bytes) { shifts_[arg] = bytes; }
  // As bytes, also where elements have fewer than 8 bits.
  void bind_bytes(const std::string& name, const opmux_opd& d, uint32_t arg);
  // Bytes of the workspace.
  void workspace(const std::string& name, uint64_t offset, uint64_t bytes, uint32_t dtype);
  // A buffer that this run does not touch; also one that has been bound.
  void unused(const std::string& name, uint32_t dtype);

  // The program of a slot, or none, from a value of type `dtype0`; binds its operands and result. first: the
  // inputs of the program start there, after v0 for an epilogue. False: cap says why not.
  bool program(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap);
  bool epilogue(const opmux_devinfo& info, const opmux_opd& d, uint32_t dtype0, opmux_cap& cap);

  // Does the device have this type of the kernel, which operand `arg` asks for?
  bool check_type(const opmux_devinfo& info, const std::string& name, uint32_t arg, opmux_cap& cap) const;
  // Does the device bind so many buffers? False: cap says why not.
  bool fits(const opmux_devinfo& info, opmux_cap& cap) const;

  void set(const std::string& name, uint64_t value, uint32_t at = 0);
  void set_float(const std::string& name, float value);
  // Extents into `dims`, their number into `rank`, and the strides of the operands of the walk in turn.
  struct Strides {
    std::string name;
    uint32_t at = 0;
  };
  void walk(const kit::Walk& w, const std::string& rank, const std::string& dims,
            const std::vector<Strides>& strides);
  // The same over the shape of output 0 with the strides of the program's operands and results behind.
  void program_walk(const opmux_opd& d, std::vector<std::array<int64_t, 8>> own,
                    const std::vector<Strides>& names);

  // One lane for each of `count` elements.
  void elements(const opmux_devinfo& info, uint64_t count);
  // One group for each of `count`.
  void groups(const opmux_devinfo& info, uint64_t count);
  void dispatch(const Dispatch& d) { step_.dispatches.push_back(d); }

  Step take();

 private:
  uint32_t first_program_arg(const opmux_opd& d) const;
  void use(const std::string& name, const opmux_opd& d, uint32_t arg, uint32_t bits);
  struct Use {
    std::string name;
    BindingUse use;
  };
  Step step_;
  std::vector<Use> uses_;
  std::map<std::string, std::vector<uint32_t>> words_;
  std::map<uint32_t, int64_t> shifts_;
};

}  // namespace opmux::gpu
