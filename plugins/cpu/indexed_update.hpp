// SPDX-License-Identifier: Apache-2.0
// y = x with updates joined in at coordinates that an index tensor holds: the common engine of
// scatter_elements and scatter_nd.
#ifndef OPMUX_CPU_INDEXED_UPDATE_HPP
#define OPMUX_CPU_INDEXED_UPDATE_HPP

#include "cpu/coordinate.hpp"
#include "cpu/kernels/update.hpp"
#include "cpu/loops.hpp"
#include "cpu/strided_copy.hpp"
#include "cpu/tiles.hpp"

namespace opmux::cpu {

// An update has a place in the order, in which updates of one place must come, and a line: updates of
// different lines never meet. y is the steps of output y through the lines, in elements.
struct ScatterSteps {
  const char* name;
  uint32_t reduction;
  opmux_tdesc order = {};  // dims, and strides of index; row-major
  int64_t order_updates[OPMUX_MAX_RANK] = {};
  opmux_tdesc lines = {};  // dims, and strides of index
  int64_t lines_y[OPMUX_MAX_RANK] = {}, lines_updates[OPMUX_MAX_RANK] = {};
  Coordinate coordinate = {};               // dims of y
  uint32_t axis[OPMUX_MAX_RANK] = {};       // of y, for each number of the coordinate
  uint32_t line_axis[OPMUX_MAX_RANK] = {};  // of y, for each dim of the lines
};

class IndexedUpdate {
 public:
  IndexedUpdate(const opmux_opd& d, ScatterSteps steps);
  // Operands x, index, updates; y.
  opmux_status run(const kit_call* call, opmux_err* err) const;
  uint64_t workspace() const { return wide_ ? static_cast<uint64_t>(count_) * sizeof(float) : 0; }

 private:
  static constexpr int64_t kPiece = 512;  // elements of a line row that are taken together

  struct Data {
    char* y;
    const char *index, *updates;
    FirstFault* bad;
  };
  void start(const kit_call* call) const;
  void finish(const kit_call* call) const;
  void item(const Data& data, uint64_t i) const;
  void piece(const Data& data, uint64_t row, int64_t first, int64_t n, uint64_t part) const;
  bool locate(const Data& data, int64_t at, uint64_t part, int64_t& offset, uint64_t position) const;

  const char* name_;
  bool in_place_, wide_ = false;  // wide_: reduced in the workspace, in f32
  int64_t count_, y_bytes_, u_bytes_;
  StridedCopy copy_;
  Loops all_;    // 0: workspace, 1: x, 2: y
  Loops order_;  // 0: index, 1: updates
  Loops lines_;  // 0: y or workspace, 1: index, 2: updates
  Coordinate coordinate_;
  uint32_t outer_ = 0, order_outer_ = 0;
  int64_t n_ = 1, n_order_ = 1, order_count_ = 0;
  uint64_t pieces_ = 1, parts_ = 1, items_ = 0, grain_ = 1;
  LoadFn load_ = nullptr;
  StoreFn store_ = nullptr;
  UpdateFn update_ = nullptr;
};

}  // namespace opmux::cpu
#endif
