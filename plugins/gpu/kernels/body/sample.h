// SPDX-License-Identifier: Apache-2.0
// A token drawn from each row of logits, in f64: a group a row, a lane a run of tokens beside each other, whose logits
// and weights it keeps in a workspace. The order of step 2 (falling logit, then rising index) is not made; the token
// at which a sum in that order reaches a goal is found bit by bit, first the key of its logit, then its index.
//@group 128
//@in logits marks temperature top_k top_p min_p penalty seed offset
//@rw work
//@out token probability
//@type sum
//@shared joined double GK_GROUP_SIZE
//@shared indices uint GK_GROUP_SIZE
//@faults
//@params brain rows tokens marked with_probability ls[2] ts prs
//@use values.h philox.h
//@body
#define GK_LOGIT(i) LD_work(B_work + work_at + (i))
#define GK_WEIGHT(i) LD_work(B_work + work_at + tokens + (i))
// Rises with the logit.
#define GK_KEY_OF(v) ((gk_bits64(v) >> 63u) != GK_U64(0) ? ~gk_bits64(v) : gk_bits64(v) | (GK_U64(1) << 63u))
#define GK_STAYS(key, i) ((key) > least_key || ((key) == least_key && (i) <= last_index))
uint lane = GK_LANE;
uint width = GK_U32(GK_GROUP_SIZE);
uint row = p.first + GK_GROUP_X;
bool mine = row < GK_CODE(P_rows);
uint tokens = GK_CODE(P_tokens);
double none = GK_F64(-GK_INF);
double zero = GK_F64(0);
double one = GK_F64(1);
double heat = GK_F64(LD_temperature(B_temperature));
double share_p = GK_F64(LD_top_p(B_top_p));
double least_p = GK_F64(LD_min_p(B_min_p));
double cost = GK_F64(LD_penalty(B_penalty));
uint first_k = LD_top_k(B_top_k * 2u);
uint first_k_high = LD_top_k(B_top_k * 2u + 1u);
bool sound = heat >= zero && heat < GK_F64(GK_INF) && share_p > zero && share_p <= one && least_p >= zero &&
             least_p <= one && cost > zero && cost < GK_F64(GK_INF) && (first_k_high >> 31u) == 0u;
if (first_k_high != 0u) first_k = 0u;
uint share = (tokens + width - 1u) / width;
uint begin = lane * share;
uint end = begin + share;
if (end > tokens) end = tokens;
if (!mine || !sound || begin > end) end = begin;
uint work_at = row * 2u * tokens;
// The logits, with what the history takes from them; what does not count is -infinity.
double best = none;
uint best_at = 0u;
uint alive = 0u;
for (uint i = begin; i < end; ++i) {
  double v = GK_GET(LD_logits(B_logits + row * GK_CODE(P_ls) + i * GK_CODE(P_ls + 1)));
  if (GK_CODE(P_marked) != 0u) {
    if (LD_marks(B_marks + row * tokens + i) != 0u) v = v > zero ? v / cost : v * cost;
  }
  if (!(v > none)) v = none;
  if ((gk_bits64(v) << 1u) == GK_U64(0)) v = zero;  // -0 comes with 0
  if (v > none) ++alive;
  if (v > best) {
    best = v;
    best_at = i;
  }
  ST_work(B_work + work_at + i, v);
}
joined[lane] = best;
indices[lane] = best_at;
for (uint half_width = width / 2u; half_width > 0u; half_width = half_width / 2u) {
  GK_BARRIER();
  if (lane < half_width && joined[lane + half_width] > joined[lane]) {
    joined[lane] = joined[lane + half_width];
    indices[lane] = indices[lane + half_width];
  }
}
GK_BARRIER();
best = joined[0];
best_at = indices[0];
GK_BARRIER();
if (lane == 0u && (!sound || (mine && best == none))) {
  GK_FAULT();
}
for (uint i = begin; i < end; ++i) {
  double v = GK_LOGIT(i);
  double w = v == best ? one : GK_EXP((v - best) / heat);
  if (v == none) w = zero;
  ST_work(B_work + work_at + tokens + i, w);
}
#define GK_JOIN(a, b) ((a) + (b))
double own = GK_F64(alive);
//@include row.h
double many = own;
// Which stay: keys above the least, and of those alike the first by index.
gk_ulong least_key = GK_U64(0);
uint last_index = 0xffffffffu;
for (uint cut = 0u; cut < 2u; ++cut) {
  bool by_count = cut == 0u;
  bool needed = by_count ? first_k > 0u && GK_F64(first_k) < many : share_p < one;
  if (needed) {
    double goal = GK_F64(first_k);
    if (!by_count) {
      own = zero;
      for (uint i = begin; i < end; ++i) {
        double v = GK_LOGIT(i);
        if (v > none && GK_STAYS(GK_KEY_OF(v), i)) own = own + GK_WEIGHT(i);
      }
      //@include row.h
      goal = share_p * own;
    }
    gk_ulong key = GK_U64(0);
    for (uint bit = 0u; bit < 64u; ++bit) {
      gk_ulong trial = key | (GK_U64(1) << (63u - bit));
      own = zero;
      for (uint i = begin; i < end; ++i) {
        double v = GK_LOGIT(i);
        gk_ulong of_v = GK_KEY_OF(v);
        if (v > none && of_v >= trial && GK_STAYS(of_v, i)) own = own + (by_count ? one : GK_WEIGHT(i));
      }
      //@include row.h
      if (own >= goal) key = trial;
    }
    uint index = 0u;
    for (uint bit = 0u; bit < 31u; ++bit) {
      uint trial = index | (1u << (30u - bit));
      own = zero;
      for (uint i = begin; i < end; ++i) {
        double v = GK_LOGIT(i);
        gk_ulong of_v = GK_KEY_OF(v);
        bool before = of_v > key || (of_v == key && i < trial);
        if (v > none && before && GK_STAYS(of_v, i)) own = own + (by_count ? one : GK_WEIGHT(i));
      }
      //@include row.h
      if (own < goal && trial < tokens) index = trial;
    }
    least_key = key;
    last_index = index;
  }
}
#undef GK_JOIN
// The sums of the lanes' tokens that stay, then of all before a lane.
own = zero;
uint last = 0u;
for (uint i = begin; i < end; ++i) {
  double v = GK_LOGIT(i);
  double w = GK_WEIGHT(i);
  if (v > none && w >= least_p && GK_STAYS(GK_KEY_OF(v), i)) {
    own = own + w;
    last = i + 1u;
  }
}
joined[lane] = own;
indices[lane] = last;
GK_BARRIER();
double before = zero;
double total = zero;
uint fallback = 0u;
for (uint j = 0u; j < width; ++j) {
  if (j == lane) before = total;
  total = total + joined[j];
  if (indices[j] > 0u) fallback = indices[j] - 1u;
}
GK_BARRIER();
GK_PHILOX(r0, r1, r2, r3, row / 2u)
double u = (row & 1u) != 0u ? GK_FRACTION53(r3, r2) : GK_FRACTION53(r1, r0);
double goal = u * total;
indices[lane] = last > 0u && before + own > goal ? lane : width;
GK_BARRIER();
uint chosen = width;
for (uint j = 0u; j < width; ++j) {
  if (indices[j] < chosen) chosen = indices[j];
}
bool greedy = heat == zero;
bool is_chosen = greedy ? best_at >= begin && best_at < end : (chosen == width ? fallback >= begin && fallback < end : lane == chosen);
if (mine && sound && is_chosen && begin < end) {
  uint token_at = greedy ? best_at : (chosen == width ? fallback : last - 1u);
  double w = greedy ? one : GK_WEIGHT(token_at);
  if (!greedy) {
    double run = before;
    for (uint i = begin; i < end && chosen < width; ++i) {
      double v = GK_LOGIT(i);
      double of_i = GK_WEIGHT(i);
      if (v > none && of_i >= least_p && GK_STAYS(GK_KEY_OF(v), i)) {
        run = run + of_i;
        if (run > goal) {
          token_at = i;
          w = of_i;
          break;
        }
      }
    }
    w = w / total;
  }
  ST_token(B_token + row * GK_CODE(P_ts), GK_I64(token_at));
  if (GK_CODE(P_with_probability) != 0u) ST_probability(B_probability + row * GK_CODE(P_prs), GK_F32(w));
}
