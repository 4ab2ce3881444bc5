// SPDX-License-Identifier: Apache-2.0
// Splits `rest` into the axes of y. Axes that are resized (entry[axis] is their first entry of `place`) give, in
// turn, how many elements counts[], the steps between them and where their weights
// start; `many` is the number of all combinations.
uint counts[8];
uint steps[8];
uint weights_of[8];
uint axes = 0u;
uint many = 1u;
bool outside = false;
GK_WALK(rest, P_rank, P_dims, {
  uint x_step = GK_CODE(GK_U32(P_xs) + gk_axis);
  uint entry = GK_CODE(GK_U32(P_entry) + gk_axis);
  y_at += gk_i * GK_CODE(GK_U32(P_ys) + gk_axis);
  if (entry == 0xffffffffu) {
    x_at += gk_i * x_step;
  } else {
    uint taken = place[B_place + 2u * (entry + gk_i) + 1u];
    if ((taken & 0x80000000u) != 0u) outside = true;
    x_at += place[B_place + 2u * (entry + gk_i)] * x_step;
    counts[axes] = taken & 0x7fffffffu;
    steps[axes] = x_step;
    weights_of[axes] = GK_CODE(GK_U32(P_weights) + gk_axis) + gk_i * GK_CODE(GK_U32(P_most) + gk_axis);
    many = many * counts[axes];
    ++axes;
  }
})
