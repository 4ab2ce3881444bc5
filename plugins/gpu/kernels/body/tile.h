// SPDX-License-Identifier: Apache-2.0
// One tile of a product: acc[] = sum over k of a(row, k) b(k, column) as GK_LOAD_A and GK_LOAD_B give them, a group GK_BM x GK_BN results, a
// lane GK_TM x GK_TN of them. Shared memory is padded by one column against bank conflicts.
uint lane = GK_LANE;
uint tx = lane % GK_U32(GK_BN / GK_TN);
uint ty = lane / GK_U32(GK_BN / GK_TN);
#if !defined(GK_ROW0)
#define GK_ROW0 (GK_GROUP_Y * GK_U32(GK_BM))
#endif
uint row0 = GK_ROW0;
uint col0 = GK_GROUP_X * GK_U32(GK_BN);
T_sum acc[GK_TM * GK_TN];
for (int e = 0; e < GK_TM * GK_TN; ++e) acc[e] = TO_sum(0);
for (uint k0 = 0u; k0 < depth; k0 += GK_U32(GK_BK)) {
  for (uint e = lane; e < GK_U32(GK_BM * GK_BK); e += GK_U32(GK_GROUP_SIZE)) {
    uint i = row0 + e / GK_U32(GK_BK);
    uint k = k0 + e % GK_U32(GK_BK);
    T_sum v = TO_sum(0);
    if (i < rows && k < depth) GK_LOAD_A(v, i, k)
    ta[(e % GK_U32(GK_BK)) * GK_U32(GK_BM + 1) + e / GK_U32(GK_BK)] = v;
  }
  for (uint e = lane; e < GK_U32(GK_BN * GK_BK); e += GK_U32(GK_GROUP_SIZE)) {
    uint k = k0 + e / GK_U32(GK_BN);
    uint j = col0 + e % GK_U32(GK_BN);
    T_sum v = TO_sum(0);
    if (j < cols && k < depth) GK_LOAD_B(v, k, j)
    tb[(e / GK_U32(GK_BN)) * GK_U32(GK_BN + 1) + e % GK_U32(GK_BN)] = v;
  }
  GK_BARRIER();
  for (uint k = 0u; k < GK_U32(GK_BK); ++k) {
    T_sum ra[GK_TM];
    T_sum rb[GK_TN];
    for (int i = 0; i < GK_TM; ++i) ra[i] = ta[k * GK_U32(GK_BM + 1) + ty * GK_U32(GK_TM) + GK_U32(i)];
    for (int j = 0; j < GK_TN; ++j) rb[j] = tb[k * GK_U32(GK_BN + 1) + tx * GK_U32(GK_TN) + GK_U32(j)];
    for (int i = 0; i < GK_TM; ++i) {
      for (int j = 0; j < GK_TN; ++j) acc[i * GK_TN + j] = GK_MAD(ra[i], rb[j], acc[i * GK_TN + j]);
    }
  }
  GK_BARRIER();
}
// A copy, so that the accumulators above are indexed by constants only and stay in registers.
T_sum sums[GK_TM * GK_TN];
for (int e = 0; e < GK_TM * GK_TN; ++e) sums[e] = acc[e];
