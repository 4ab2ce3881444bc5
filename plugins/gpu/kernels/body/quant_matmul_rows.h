// SPDX-License-Identifier: Apache-2.0
// quant_matmul for few rows, where reading b is what takes time: `width` lanes beside each other along k, or, with
// `across`, lanes beside each other along the columns, add up a column for up to GK_ROWS rows at once.
//@group 128
//@in a b a_scale a_zero b_scale b_zero
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params brain rows cols depth a_format b_format as_format az_format bs_format bz_format a_group b_group coded table[16]
//@params rank dims[8] as[8] bs[8] ass[8] azs[8] bss[8] bzs[8]
//@params width across
//@program
//@use values.h codes.h
//@body
uint rows = GK_CODE(P_rows);
uint cols = GK_CODE(P_cols);
uint depth = GK_CODE(P_depth);
//@include quant_load.h
//@include operands.h
uint rest = p.first + GK_GROUP_Z;
uint whole = rest;
GK_WALK(whole, P_rank, P_dims, GK_STEP(a_at, P_as) GK_STEP(b_at, P_bs) GK_STEP(as_at, P_ass) GK_STEP(az_at, P_azs) GK_STEP(bs_at, P_bss) GK_STEP(bz_at, P_bzs))
//@include steps.h
uint width = GK_CODE(P_width);
uint many = GK_U32(GK_GROUP_SIZE) / width;
bool across = GK_CODE(P_across) != 0u;
uint part = across ? GK_LANE / many : GK_LANE % width;
uint own = across ? GK_LANE % many : GK_LANE / width;
uint col = GK_GROUP_X * many + own;
uint row0 = GK_GROUP_Y * GK_U32(GK_ROWS);
T_sum acc[GK_ROWS];
for (int r = 0; r < GK_ROWS; ++r) acc[r] = TO_sum(0);
for (uint k = part; k < depth && col < cols; k += width) {
  T_sum vb = TO_sum(0);
  GK_LOAD_B(vb, k, col)
  for (int r = 0; r < GK_ROWS; ++r) {
    uint i = row0 + GK_U32(r);
    if (i < rows) {
      T_sum va = TO_sum(0);
      GK_LOAD_A(va, i, k)
      acc[r] = GK_MAD(va, vb, acc[r]);
    }
  }
}
#define GK_X(k) (xat[k] + row * GK_CODE(P_xs + 8 * (k) + 6) + col * GK_CODE(P_xs + 8 * (k) + 7))
#define GK_Y(k) (yat[k] + row * GK_CODE(P_ys + 8 * (k) + 6) + col * GK_CODE(P_ys + 8 * (k) + 7))
uint slot = own * width + part;
for (int r = 0; r < GK_ROWS; ++r) {
  uint row = row0 + GK_U32(r);
  joined[slot] = acc[r];
  for (uint half_width = width / 2u; half_width > 0u; half_width = half_width / 2u) {
    GK_BARRIER();
    if (part < half_width) joined[slot] = TO_sum(joined[slot] + joined[slot + half_width]);
  }
  GK_BARRIER();
  if (part == 0u && row < rows && col < cols) {
    T_sum v0 = joined[slot];
    //@program
  }
  GK_BARRIER();
}
