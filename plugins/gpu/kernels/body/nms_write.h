// SPDX-License-Identifier: Apache-2.0
// selected = rows of image, class and box, from the lists of nms_pick.h and the starts of nms_count.h; -1 behind
// the last. A lane a place of a list, and a row that may be behind the last.
//@group 128
//@in list starts
//@out selected
//@params lanes tasks classes n room ys[2]
//@body
#define GK_ROW(row, a, b, c)                                              \
  {                                                                       \
    uint y_at = B_selected + (row) * GK_CODE(P_ys);                       \
    ST_selected(y_at, a);                                                 \
    ST_selected(y_at + GK_CODE(P_ys + 1), b);                             \
    ST_selected(y_at + 2u * GK_CODE(P_ys + 1), c);                        \
  }
uint e = GK_ELEMENT;
uint n = GK_CODE(P_n);
uint tasks = GK_CODE(P_tasks);
if (e < GK_CODE(P_lanes)) {
  uint total = starts[B_starts + tasks];
  if (e >= total && e < GK_CODE(P_room)) GK_ROW(e, TO_selected(-1), TO_selected(-1), TO_selected(-1))
  uint task = n == 0u ? tasks : e / n;
  if (task < tasks) {
    uint k = e % n;
    uint list_at = B_list + task * (2u * n + 1u);
    uint row = starts[B_starts + task] + k;
    if (k < list[list_at] && row < GK_CODE(P_room))
      GK_ROW(row, TO_selected(task / GK_CODE(P_classes)), TO_selected(task % GK_CODE(P_classes)), TO_selected(list[list_at + 1u + k]))
  }
}
