// SPDX-License-Identifier: Apache-2.0
// y = program(x0, x1, ...) for every element of the output; operands broadcast by stride 0.
//@interface
#define GK_GROUP_SIZE GK_POINTWISE_GROUP
#define GK_BUFFERS(IN, OUT)                                                                      \
  IN(0, uint, code) OUT(1, float, y) IN(4, float, x0) IN(5, float, x1) IN(6, float, x2)          \
  IN(7, float, x3) IN(8, float, x4) IN(9, float, x5) IN(10, float, x6) IN(11, float, x7)
#define GK_SHARED(S)
//@body
uint operands = GK_CODE(GK_AT_OPERANDS);
uint rest = (p.first + GK_GROUP_X) * GK_U32(GK_GROUP_SIZE) + GK_LANE;
uint y_at = p.base[GK_BIND_OUT];
uint at[GK_OPERANDS];
for (uint k = 0u; k < operands; ++k) at[k] = p.base[GK_U32(GK_BIND_OPERANDS) + k];
for (uint left = GK_CODE(GK_AT_RANK); left > 0u; --left) {
  uint axis = 7u - (GK_CODE(GK_AT_RANK) - left);
  uint extent = GK_CODE(GK_U32(GK_AT_DIMS) + axis);
  uint i = rest % extent;
  rest = rest / extent;
  y_at += i * GK_CODE(GK_U32(GK_AT_OUT) + axis);
  for (uint k = 0u; k < operands; ++k) at[k] += i * GK_CODE(GK_U32(GK_AT_STRIDES) + 8u * k + axis);
}
uint insns = GK_CODE(GK_AT_INSNS);
uint result = GK_CODE(GK_AT_RESULT);
float r[GK_REGISTERS];
// What is left of the index after all axes is 0 inside of the output.
if (rest == 0u) {
  r[0] = 0.0f;
#define GK_OPERAND_AT(k) at[k]
  //@include body/program.h
#undef GK_OPERAND_AT
  y[y_at] = r[result];
}
