// SPDX-License-Identifier: Apache-2.0
// Speculative sampling in f64: a group a row. All lanes make the decisions, which are serial; then each sums a run of
// tokens beside each other, and the one whose run passes the goal finds the token in it.
//@group 128
//@in draft q p_target seed offset
//@out token count
//@type sum
//@shared joined double GK_GROUP_SIZE
//@shared indices uint GK_GROUP_SIZE
//@faults
//@params brain drafted tokens words ds[2] qs[3] ps[3] ts[2] cs
//@use values.h philox.h
//@body
#define GK_Q_OF(i, t) GK_GET(LD_q(B_q + row * GK_CODE(P_qs) + (i) * GK_CODE(P_qs + 1) + (t) * GK_CODE(P_qs + 2)))
#define GK_P_OF(i, t) GK_GET(LD_p_target(B_p_target + row * GK_CODE(P_ps) + (i) * GK_CODE(P_ps + 1) + (t) * GK_CODE(P_ps + 2)))
#define GK_DRAFT(i) (row * GK_CODE(P_ds) + (i) * GK_CODE(P_ds + 1))
uint lane = GK_LANE;
uint width = GK_U32(GK_GROUP_SIZE);
uint row = p.first + GK_GROUP_X;
uint drafted = GK_CODE(P_drafted);
uint tokens = GK_CODE(P_tokens);
uint words = GK_CODE(P_words);
double zero = GK_F64(0);
bool sound = true;
for (uint i = 0u; i < drafted; ++i) {
  uint low = GK_LOW(LD_draft, B_draft, GK_DRAFT(i), words);
  if (GK_HIGH(LD_draft, B_draft, GK_DRAFT(i), words) != 0u || low >= tokens) sound = false;
}
uint accepted = 0u;
bool going = sound;
for (uint i = 0u; i < drafted && going; ++i) {
  uint t = GK_LOW(LD_draft, B_draft, GK_DRAFT(i), words);
  uint number = row * (2u * drafted + 2u) + i;
  GK_PHILOX(r0, r1, r2, r3, number / 2u)
  double u = (number & 1u) != 0u ? GK_FRACTION53(r3, r2) : GK_FRACTION53(r1, r0);
  double of_draft = GK_Q_OF(i, t);
  double of_target = GK_P_OF(i, t);
  going = u * of_draft < of_target;
  if (going) ++accepted;
}
uint number = row * (2u * drafted + 2u) + drafted + 1u + accepted;
GK_PHILOX(r0, r1, r2, r3, number / 2u)
double u = (number & 1u) != 0u ? GK_FRACTION53(r3, r2) : GK_FRACTION53(r1, r0);
uint share = (tokens + width - 1u) / width;
uint begin = lane * share;
uint end = begin + share;
if (end > tokens) end = tokens;
if (!sound || begin > end) end = begin;
bool found = false;
// First what the target has above the draft, then, where that is nothing, the target itself.
for (uint attempt = accepted < drafted ? 0u : 1u; attempt < 2u && !found; ++attempt) {
  double own = zero;
  uint last = 0u;
  for (uint i = begin; i < end; ++i) {
    double w = GK_P_OF(accepted, i);
    if (attempt == 0u) w = w - GK_Q_OF(accepted, i);
    if (w > zero) {
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
    if (indices[j] > 0u) {
      fallback = indices[j] - 1u;
      found = true;
    }
  }
  GK_BARRIER();
  double goal = u * total;
  indices[lane] = last > 0u && before + own > goal ? lane : width;
  GK_BARRIER();
  uint chosen = width;
  for (uint j = 0u; j < width; ++j) {
    if (indices[j] < chosen) chosen = indices[j];
  }
  GK_BARRIER();
  bool is_chosen = chosen == width ? fallback >= begin && fallback < end : lane == chosen;
  if (found && is_chosen) {
    uint drawn = chosen == width ? fallback : last - 1u;
    double run = before;
    for (uint i = begin; i < end && chosen < width; ++i) {
      double w = GK_P_OF(accepted, i);
      if (attempt == 0u) w = w - GK_Q_OF(accepted, i);
      if (w > zero) {
        run = run + w;
        if (run > goal) {
          drawn = i;
          break;
        }
      }
    }
    ST_token(B_token + row * GK_CODE(P_ts) + accepted * GK_CODE(P_ts + 1), GK_I64(drawn));
  }
}
if (lane == 0u && !(sound && found)) {
  GK_FAULT();
}
if (sound) {
  for (uint i = lane; i <= drafted; i += width) {
    uint at = B_token + row * GK_CODE(P_ts) + i * GK_CODE(P_ts + 1);
    if (i < accepted) ST_token(at, GK_I64(GK_LOW(LD_draft, B_draft, GK_DRAFT(i), words)));
    if (i > accepted) ST_token(at, GK_I64(-1));
  }
  if (lane == 0u) ST_count(B_count + row * GK_CODE(P_cs), GK_I64(accepted + 1u));
}
