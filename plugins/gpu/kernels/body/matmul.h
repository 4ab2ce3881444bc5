// SPDX-License-Identifier: Apache-2.0
// c[.., i, j] = program(sum_k a[.., i, k] b[.., k, j]): any strides, any tails. A group makes one tile of one
// matrix (z: which matrix); shared memory is padded by one column against bank conflicts.
//@interface
#define GK_GROUP_SIZE ((GK_BM / GK_TM) * (GK_BN / GK_TN))
#define GK_BUFFERS(IN, OUT)                                                                        \
  IN(0, uint, code) OUT(1, float, c) IN(2, float, a) IN(3, float, b) IN(4, float, x0)              \
  IN(5, float, x1) IN(6, float, x2) IN(7, float, x3) IN(8, float, x4) IN(9, float, x5)             \
  IN(10, float, x6) IN(11, float, x7)
#define GK_SHARED(S) S(float, ta, GK_BK * (GK_BM + 1)) S(float, tb, GK_BK * (GK_BN + 1))
//@body
uint lane = GK_LANE;
uint tx = lane % GK_U32(GK_BN / GK_TN);
uint ty = lane / GK_U32(GK_BN / GK_TN);
uint row0 = GK_GROUP_Y * GK_U32(GK_BM);
uint col0 = GK_GROUP_X * GK_U32(GK_BN);
uint rows = GK_CODE(GK_AT_DIMS + 6);
uint cols = GK_CODE(GK_AT_DIMS + 7);
uint depth = GK_CODE(GK_AT_K);
uint operands = GK_CODE(GK_AT_OPERANDS);
uint a_row = GK_CODE(GK_AT_A + 6);
uint a_col = GK_CODE(GK_AT_A + 7);
uint b_row = GK_CODE(GK_AT_B + 6);
uint b_col = GK_CODE(GK_AT_B + 7);
uint a_at = p.base[GK_BIND_A];
uint b_at = p.base[GK_BIND_B];
uint c_at = p.base[GK_BIND_OUT];
uint at[GK_OPERANDS];
for (uint k = 0u; k < operands; ++k) at[k] = p.base[GK_U32(GK_BIND_OPERANDS) + k];
uint rest = p.first + GK_GROUP_Z;
for (uint left = GK_CODE(GK_AT_RANK); left > 2u; --left) {
  uint axis = 5u - (GK_CODE(GK_AT_RANK) - left);
  uint extent = GK_CODE(GK_U32(GK_AT_DIMS) + axis);
  uint i = rest % extent;
  rest = rest / extent;
  a_at += i * GK_CODE(GK_U32(GK_AT_A) + axis);
  b_at += i * GK_CODE(GK_U32(GK_AT_B) + axis);
  c_at += i * GK_CODE(GK_U32(GK_AT_OUT) + axis);
  for (uint k = 0u; k < operands; ++k) at[k] += i * GK_CODE(GK_U32(GK_AT_STRIDES) + 8u * k + axis);
}
float acc[GK_TM * GK_TN];
for (int e = 0; e < GK_TM * GK_TN; ++e) acc[e] = 0.0f;
for (uint k0 = 0u; k0 < depth; k0 += GK_U32(GK_BK)) {
  for (uint e = lane; e < GK_U32(GK_BM * GK_BK); e += GK_U32(GK_GROUP_SIZE)) {
    uint i = row0 + e / GK_U32(GK_BK);
    uint k = k0 + e % GK_U32(GK_BK);
    float v = 0.0f;
    if (i < rows && k < depth) v = a[a_at + i * a_row + k * a_col];
    ta[(e % GK_U32(GK_BK)) * GK_U32(GK_BM + 1) + e / GK_U32(GK_BK)] = v;
  }
  for (uint e = lane; e < GK_U32(GK_BN * GK_BK); e += GK_U32(GK_GROUP_SIZE)) {
    uint k = k0 + e / GK_U32(GK_BN);
    uint j = col0 + e % GK_U32(GK_BN);
    float v = 0.0f;
    if (j < cols && k < depth) v = b[b_at + k * b_row + j * b_col];
    tb[(e / GK_U32(GK_BN)) * GK_U32(GK_BN + 1) + e % GK_U32(GK_BN)] = v;
  }
  GK_BARRIER();
  for (uint k = 0u; k < GK_U32(GK_BK); ++k) {
    float ra[GK_TM];
    float rb[GK_TN];
    for (int i = 0; i < GK_TM; ++i) ra[i] = ta[k * GK_U32(GK_BM + 1) + ty * GK_U32(GK_TM) + GK_U32(i)];
    for (int j = 0; j < GK_TN; ++j) rb[j] = tb[k * GK_U32(GK_BN + 1) + tx * GK_U32(GK_TN) + GK_U32(j)];
    for (int i = 0; i < GK_TM; ++i) {
      for (int j = 0; j < GK_TN; ++j) acc[i * GK_TN + j] = gk_mad(ra[i], rb[j], acc[i * GK_TN + j]);
    }
  }
  GK_BARRIER();
}
// A copy, so that the accumulators above are indexed by constants only and stay in registers.
float sums[GK_TM * GK_TN];
for (int e = 0; e < GK_TM * GK_TN; ++e) sums[e] = acc[e];
uint insns = GK_CODE(GK_AT_INSNS);
uint result = GK_CODE(GK_AT_RESULT);
float r[GK_REGISTERS];
#define GK_OPERAND_AT(k)                                         \
  (at[k] + row * GK_CODE(GK_U32(GK_AT_STRIDES + 6) + 8u * (k)) + \
   col * GK_CODE(GK_U32(GK_AT_STRIDES + 7) + 8u * (k)))
for (uint e = 0u; e < GK_U32(GK_TM * GK_TN); ++e) {
  uint row = row0 + ty * GK_U32(GK_TM) + e / GK_U32(GK_TN);
  uint col = col0 + tx * GK_U32(GK_TN) + e % GK_U32(GK_TN);
  if (row < rows && col < cols) {
    r[0] = sums[e];
    //@include body/program.h
    c[c_at + row * GK_CODE(GK_AT_OUT + 6) + col * GK_CODE(GK_AT_OUT + 7)] = r[result];
  }
}
#undef GK_OPERAND_AT
