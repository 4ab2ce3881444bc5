// SPDX-License-Identifier: Apache-2.0
// The numbers of boxes of all classes (list, `stride` apart) become, in starts, how many come before each, and
// count is their sum. One group: each lane adds up a run of classes, one lane the runs. More boxes than there is
// room for are reported.
//@group 256
//@in list
//@out count
//@rw starts
//@shared sums uint GK_GROUP_SIZE
//@faults
//@params tasks stride room
//@body
uint lane = GK_LANE;
uint tasks = GK_CODE(P_tasks);
uint run = (tasks + GK_U32(GK_GROUP_SIZE) - 1u) / GK_U32(GK_GROUP_SIZE);
uint first = lane * run < tasks ? lane * run : tasks;
uint end = first + run < tasks ? first + run : tasks;
uint own = 0u;
for (uint t = first; t < end; ++t) own += list[B_list + t * GK_CODE(P_stride)];
sums[lane] = own;
GK_BARRIER();
uint before = 0u;
for (uint i = 0u; i < lane; ++i) before += sums[i];
for (uint t = first; t < end; ++t) {
  starts[B_starts + t] = before;
  before += list[B_list + t * GK_CODE(P_stride)];
}
if (lane == GK_U32(GK_GROUP_SIZE) - 1u) {
  starts[B_starts + tasks] = before;
  ST_count(B_count, TO_count(before));
  if (before > GK_CODE(P_room)) {
    GK_FAULT();
  }
}
