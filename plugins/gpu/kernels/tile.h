// SPDX-License-Identifier: Apache-2.0
// Tile of a product: GK_BM x GK_BN results a group, GK_TM x GK_TN a lane, GK_BK steps of k in shared memory.
#define GK_BM 32
#define GK_BN 32
#define GK_BK 8
#define GK_TM 4
#define GK_TN 4
