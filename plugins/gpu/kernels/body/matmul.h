// SPDX-License-Identifier: Apache-2.0
// y[.., i, j] = program(sum_k a[.., i, k] b[.., k, j]): any strides, any tails. A group makes one tile of one
// matrix (z: which matrix). Strides of the program's views: those of the batch, at 6 the row, at 7 the column.
//@group 64
//@in a b
//@type sum
//@shared ta T_sum GK_BK * (GK_BM + 1)
//@shared tb T_sum GK_BK * (GK_BN + 1)
//@params rows cols depth a_row a_col b_row b_col rank dims[8] as[8] bs[8]
//@program
//@use tile.h
//@body
uint rows = GK_CODE(P_rows);
uint cols = GK_CODE(P_cols);
uint depth = GK_CODE(P_depth);
uint a_row = GK_CODE(P_a_row);
uint a_col = GK_CODE(P_a_col);
uint b_row = GK_CODE(P_b_row);
uint b_col = GK_CODE(P_b_col);
uint a_at = B_a;
uint b_at = B_b;
//@include operands.h
uint rest = p.first + GK_GROUP_Z;
uint whole = rest;
GK_WALK(whole, P_rank, P_dims, GK_STEP(a_at, P_as) GK_STEP(b_at, P_bs))
//@include steps.h
#define GK_LOAD_A(v, i, k) v = TO_sum(LD_a(a_at + (i) * a_row + (k) * a_col));
#define GK_LOAD_B(v, k, j) v = TO_sum(LD_b(b_at + (k) * b_row + (j) * b_col));
//@include tile.h
//@include tile_results.h
