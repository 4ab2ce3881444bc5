// SPDX-License-Identifier: Apache-2.0
// Layers that go step by step: `first` is the stage of a dispatch. Stage 0 takes the state in, then come `phases`
// stages a step (two where a GRU resets before its product), the last gives the state out. Steps are serial by
// nature; in one, `width` lanes add up the gates of a hidden unit of an entry of a direction. The state, unrounded:
// h before and after a step in turn, then c, or the update gate and the reset h, `count` values each.
//@group 128
//@in x w r bias lengths initial_h initial_c p_hole
//@rw state
//@out y y_h y_c
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params brain width count phases kind gates hidden inputs steps batch reversed before forget clip[3] with_b with_h with_c
//@params with_p with_y_h with_y_c l_words l_step acts[6] alpha[18] beta[18]
//@params xs[3] ws[3] rs[3] bs[2] hs[3] cs[3] ps[2] ys[4] yhs[3] ycs[3]
//@use values.h
//@body
#define GK_JOIN(a, b) ((a) + (b))
#define GK_AT3(s, i, j, k) ((i) * GK_CODE(s) + (j) * GK_CODE(s + 1) + (k) * GK_CODE(s + 2))
// Activation j of the direction, in place.
#define GK_ACTIVATE(v, j)                                                          \
  {                                                                                \
    uint gk_at = 3u * d + (j);                                                     \
    uint gk_f = GK_CODE(P_acts + gk_at);                                           \
    T_sum gk_a = GK_REAL(P_alpha + 3u * gk_at);                                    \
    T_sum gk_b = GK_REAL(P_beta + 3u * gk_at);                                     \
    if (clip > TO_sum(0) && gk_fabs(v) > clip) v = v < TO_sum(0) ? -clip : clip;   \
    if (gk_f == 1u) v = GK_TANH(v);                                                \
    else if (gk_f == 2u) v = GK_SIGMOID(v);                                        \
    else if (gk_f == 3u) v = v < TO_sum(0) ? TO_sum(0) : v;                        \
    else if (gk_f == 4u) v = gk_a * v + gk_b;                                      \
    else if (gk_f == 5u) v = v < TO_sum(0) ? gk_a * v : v;                         \
    else if (gk_f == 6u) v = v <= gk_a ? TO_sum(0) : v;                            \
    else if (gk_f == 7u) v = gk_a * GK_TANH(gk_b * v);                             \
    else if (gk_f == 8u) {                                                         \
      v = gk_a * v + gk_b;                                                         \
      v = v < TO_sum(0) ? TO_sum(0) : (v > TO_sum(1) ? TO_sum(1) : v);             \
    } else if (gk_f == 9u) v = v < TO_sum(0) ? gk_a * GK_EXPM1(v) : v;             \
    else if (gk_f == 10u) v = v / (TO_sum(1) + gk_fabs(v));                        \
    else v = GK_LOG1P(GK_EXP(-gk_fabs(v))) + (v < TO_sum(0) ? TO_sum(0) : v);      \
  }
uint width = GK_CODE(P_width);
uint lane = GK_LANE % width;
uint unit = (GK_GROUP_X * GK_U32(GK_GROUP_SIZE) + GK_LANE) / width;
uint count = GK_CODE(P_count);
bool mine = unit < count;
uint hidden = GK_CODE(P_hidden);
uint batch = GK_CODE(P_batch);
uint u = unit % hidden;
uint b = unit / hidden % batch;
uint d = unit / hidden / batch;
uint kind = GK_CODE(P_kind);
uint gates = GK_CODE(P_gates);
uint steps = GK_CODE(P_steps);
uint phases = GK_CODE(P_phases);
uint stage = p.first;
bool begin = stage == 0u;
bool end = stage == steps * phases + 1u;
T_sum clip = GK_REAL(P_clip);
if (begin && mine && lane == 0u) {
  T_sum h0 = TO_sum(0);
  T_sum c0 = TO_sum(0);
  if (GK_CODE(P_with_h) != 0u) h0 = GK_GET(LD_initial_h(B_initial_h + GK_AT3(P_hs, d, b, u)));
  if (GK_CODE(P_with_c) != 0u) c0 = GK_GET(LD_initial_c(B_initial_c + GK_AT3(P_cs, d, b, u)));
  ST_state(B_state + unit, h0);
  if (kind == 3u) ST_state(B_state + 2u * count + unit, c0);
}
if (end && mine && lane == 0u) {
  T_sum h1 = LD_state(B_state + (steps % 2u) * count + unit);
  if (GK_CODE(P_with_y_h) != 0u) ST_y_h(B_y_h + GK_AT3(P_yhs, d, b, u), GK_PUT(h1));
  if (GK_CODE(P_with_y_c) != 0u) {
    T_sum c1 = LD_state(B_state + 2u * count + unit);
    ST_y_c(B_y_c + GK_AT3(P_ycs, d, b, u), GK_PUT(c1));
  }
}
uint number = begin || end ? 0u : (stage - 1u) / phases;
uint phase = begin || end ? 0u : (stage - 1u) % phases;
uint h_in = B_state + (number % 2u) * count;
uint h_out = B_state + ((number + 1u) % 2u) * count;
uint own_h = (d * batch + b) * hidden;
uint many = steps;
if (mine && GK_CODE(P_l_words) != 0u) {
  many = GK_LOW(LD_lengths, B_lengths, b * GK_CODE(P_l_step), GK_CODE(P_l_words));
  if (many > steps) many = steps;
}
bool running = mine && number < many;
bool backward = d == 1u || GK_CODE(P_reversed) != 0u;
uint t = running && backward ? many - 1u - number : number;
// Which sums: gates in turn; of a GRU's last gate the parts of x and h apart where h is reset behind its product.
bool split = kind == 2u && GK_CODE(P_before) != 0u;
uint sums = begin || end ? 0u : (kind == 1u ? 1u : (kind == 3u || split ? 4u : (phase == 0u ? 2u : 1u)));
T_sum total[4];
for (uint q = 0u; q < 4u; ++q) total[q] = TO_sum(0);
for (uint q = 0u; q < sums; ++q) {
  uint gate = phase == 1u ? 2u : (split && q == 3u ? 2u : q);
  bool of_x = !(split && q == 3u);
  bool of_h = !(split && q == 2u);
  uint source = (phase == 1u ? B_state + 3u * count : h_in) + own_h;
  uint line = gate * hidden + u;
  T_sum own = TO_sum(0);
  if (running && of_x) {
    for (uint k = lane; k < GK_CODE(P_inputs); k += width)
      own = own + GK_GET(LD_x(B_x + GK_AT3(P_xs, t, b, k))) * GK_GET(LD_w(B_w + GK_AT3(P_ws, d, line, k)));
  }
  if (running && of_h) {
    for (uint k = lane; k < hidden; k += width)
      own = own + LD_state(source + k) * GK_GET(LD_r(B_r + GK_AT3(P_rs, d, line, k)));
  }
  //@include row.h
  if (running && GK_CODE(P_with_b) != 0u) {
    uint b_at = B_bias + d * GK_CODE(P_bs);
    if (of_x) own = own + GK_GET(LD_bias(b_at + line * GK_CODE(P_bs + 1)));
    if (of_h) own = own + GK_GET(LD_bias(b_at + (gates * hidden + line) * GK_CODE(P_bs + 1)));
  }
  total[q] = own;
}
if (!begin && !end && mine && lane == 0u) {
  T_sum old = LD_state(h_in + unit);
  T_sum next = old;
  bool last = phase + 1u == phases;
  if (running && kind == 1u) {
    next = total[0];
    GK_ACTIVATE(next, 0u)
  }
  if (running && kind == 2u) {
    T_sum update = total[0];
    T_sum fresh = total[0];
    if (phase == 0u) {
      GK_ACTIVATE(update, 0u)
      T_sum reset = total[1];
      GK_ACTIVATE(reset, 0u)
      if (split) {
        fresh = total[2] + reset * total[3];
      } else {
        ST_state(B_state + 2u * count + unit, update);
        ST_state(B_state + 3u * count + unit, reset * old);
      }
    } else {
      update = LD_state(B_state + 2u * count + unit);
    }
    if (last) {
      GK_ACTIVATE(fresh, 1u)
      next = (TO_sum(1) - update) * fresh + update * old;
    }
  }
  if (running && kind == 3u) {
    T_sum cell = LD_state(B_state + 2u * count + unit);
    T_sum into = total[0], out_of = total[1], kept = total[2], fresh = total[3];
    uint p_at = B_p_hole + d * GK_CODE(P_ps);
    // Absent they are 0, which times infinity is NaN.
    T_sum hole[3];
    for (uint q = 0u; q < 3u; ++q) {
      hole[q] = TO_sum(0);
      if (GK_CODE(P_with_p) != 0u) hole[q] = GK_GET(LD_p_hole(p_at + (q * hidden + u) * GK_CODE(P_ps + 1)));
    }
    into = into + hole[0] * cell;
    kept = kept + hole[2] * cell;
    GK_ACTIVATE(into, 0u)
    GK_ACTIVATE(kept, 0u)
    if (GK_CODE(P_forget) != 0u) kept = TO_sum(1) - into;
    GK_ACTIVATE(fresh, 1u)
    cell = kept * cell + into * fresh;
    out_of = out_of + hole[1] * cell;
    GK_ACTIVATE(out_of, 0u)
    ST_state(B_state + 2u * count + unit, cell);
    GK_ACTIVATE(cell, 2u)
    next = out_of * cell;
  }
  if (last) {
    ST_state(h_out + unit, next);
    T_sum given = running ? next : TO_sum(0);
    uint y_at = B_y + GK_AT3(P_ys, t, d, b) + u * GK_CODE(P_ys + 3);
    ST_y(y_at, GK_PUT(given));
  }
}
