// SPDX-License-Identifier: Apache-2.0
// Reports pages of a table [sequences, columns] that hold keys and are not below `pages`.
//@group 128
//@in table k_len
//@faults
//@params columns count page pages t_words k_words k_step ts[2]
//@use values.h
//@body
uint at = GK_ELEMENT;
if (at < GK_CODE(P_count)) {
  uint b = at / GK_CODE(P_columns);
  uint m = at % GK_CODE(P_columns);
  uint keys = GK_LOW(LD_k_len, B_k_len, b * GK_CODE(P_k_step), GK_CODE(P_k_words));
  uint t_at = b * GK_CODE(P_ts) + m * GK_CODE(P_ts + 1);
  uint number = GK_LOW(LD_table, B_table, t_at, GK_CODE(P_t_words));
  bool outside = GK_HIGH(LD_table, B_table, t_at, GK_CODE(P_t_words)) != 0u || number >= GK_CODE(P_pages);
  if (outside && m * GK_CODE(P_page) < keys) {
    GK_FAULT();
  }
}
