// SPDX-License-Identifier: Apache-2.0
// y[.., i, j] = program(sum_k (a - a_zero) a_scale (b - b_zero) b_scale): matmul whose tiles are made plain as they
// are read.
//@group 64
//@in a b a_scale a_zero b_scale b_zero
//@type sum
//@shared ta T_sum GK_BK * (GK_BM + 1)
//@shared tb T_sum GK_BK * (GK_BN + 1)
//@params brain rows cols depth a_format b_format as_format az_format bs_format bz_format a_group b_group coded table[16]
//@params rank dims[8] as[8] bs[8] ass[8] azs[8] bss[8] bzs[8]
//@program
//@use values.h codes.h tile.h
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
//@include tile.h
//@include tile_results.h
