// SPDX-License-Identifier: Apache-2.0
// The common subset of OpenCL C and GLSL that kernel bodies are written in: what differs, by name. Indices
// are uint; helpers take scalars, since GLSL has no pointers; nothing narrows by itself.
#if defined(GK_GLSL)
#define GK_FN
#define GK_PRECISE precise
#define GK_F32(x) float(x)
#define GK_F64(x) double(x)
#define GK_I32(x) int(x)
#define GK_U32(x) uint(x)
#define GK_I64(x) int64_t(x)
#define GK_U64(x) uint64_t(x)
#define GK_AS_I8(x) int8_t(x)
#define GK_AS_U8(x) uint8_t(x)
#define GK_AS_I16(x) int16_t(x)
#define GK_AS_U16(x) uint16_t(x)
#define gk_long int64_t
#define gk_ulong uint64_t
#define gk_pair uvec2
#define GK_PAIR(x) uvec2(x)
#define GK_PAIR_OF(a, b) uvec2(a, b)
#define gk_two dvec2
#define GK_TWO(a, b) dvec2(a, b)
#define GK_TABLE(T, name, count, list) const T name[count] = T[count] list
#define GK_STRUCT(name, fields) struct name fields;
#define gk_bits(x) floatBitsToUint(x)
#define gk_float(x) uintBitsToFloat(x)
#define gk_bits64(x) packUint2x32(unpackDouble2x32(x))
#define gk_double(x) packDouble2x32(unpackUint2x32(x))
#define gk_mad(a, b, c) fma(a, b, c)
#define gk_rint(a) roundEven(a)
#define gk_fabs(a) abs(a)
#define GK_LANE gl_LocalInvocationIndex
#define GK_GROUP_X gl_WorkGroupID.x
#define GK_GROUP_Y gl_WorkGroupID.y
#define GK_GROUP_Z gl_WorkGroupID.z
#define GK_BARRIER() barrier()
#define GK_BARRIER_BUFFERS() \
  memoryBarrierBuffer();     \
  barrier()
#define GK_ATOMIC_MAX(b, i, v) atomicMax(b[i], v)
#define GK_ATOMIC_ADD(b, i, v) atomicAdd(b[i], v)
#define GK_ATOMIC_AND(b, i, v) atomicAnd(b[i], v)
#define GK_ATOMIC_OR(b, i, v) atomicOr(b[i], v)
#define GK_ATOMIC_EXCHANGE(b, i, v) atomicExchange(b[i], v)
uint gk_mul_high(uint a, uint b) {
  uint high, low;
  umulExtended(a, b, high, low);
  return high;
}
#else
#pragma OPENCL FP_CONTRACT OFF
#define GK_FN static inline
#define GK_PRECISE
#define GK_F32(x) ((float)(x))
#define GK_F64(x) ((double)(x))
#define GK_I32(x) ((int)(x))
#define GK_U32(x) ((uint)(x))
#define GK_I64(x) ((long)(x))
#define GK_U64(x) ((ulong)(x))
#define GK_AS_I8(x) ((char)(x))
#define GK_AS_U8(x) ((uchar)(x))
#define GK_AS_I16(x) ((short)(x))
#define GK_AS_U16(x) ((ushort)(x))
#define gk_long long
#define gk_ulong ulong
#define gk_pair uint2
#define GK_PAIR(x) ((uint2)(x))
#define GK_PAIR_OF(a, b) ((uint2)(a, b))
#define gk_two double2
#define GK_TWO(a, b) ((double2)(a, b))
#define GK_BRACES(...) {__VA_ARGS__}
#define GK_TABLE(T, name, count, list) __constant T name[count] = GK_BRACES list
#define GK_STRUCT(name, fields) typedef struct fields name;
#define gk_bits(x) as_uint((float)(x))
#define gk_float(x) as_float((uint)(x))
#define gk_bits64(x) as_ulong((double)(x))
#define gk_double(x) as_double((ulong)(x))
#if defined(FP_FAST_FMAF)
#define gk_mad(a, b, c) fma(a, b, c)
#else
#define gk_mad(a, b, c) ((a) * (b) + (c))
#endif
#define gk_rint(a) rint(a)
#define gk_fabs(a) fabs(a)
#define GK_LANE ((uint)get_local_id(0))
#define GK_GROUP_X ((uint)get_group_id(0))
#define GK_GROUP_Y ((uint)get_group_id(1))
#define GK_GROUP_Z ((uint)get_group_id(2))
#define GK_BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#define GK_BARRIER_BUFFERS() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define GK_ATOMIC_MAX(b, i, v) atomic_max(&b[i], v)
#define GK_ATOMIC_ADD(b, i, v) atomic_add(&b[i], v)
#define GK_ATOMIC_AND(b, i, v) atomic_and(&b[i], v)
#define GK_ATOMIC_OR(b, i, v) atomic_or(&b[i], v)
#define GK_ATOMIC_EXCHANGE(b, i, v) atomic_xchg(&b[i], v)
#define gk_mul_high(a, b) mul_hi(a, b)
#endif
// A word of the kernel's code; P_name is where the word `name` lies.
#define GK_CODE(i) code[p.base[0] + GK_U32(i)]
// Element i of words of elements of 2 or 4 bits, the low ones first; each lane changes its own bits only.
#define GK_PART_MASK(bits) ((1u << (bits)) - 1u)
#define GK_PART_SHIFT(i, bits) (((i) % (32u / (bits))) * (bits))
#define GK_PART(b, i, bits) ((b[(i) / (32u / (bits))] >> GK_PART_SHIFT(i, bits)) & GK_PART_MASK(bits))
#define GK_PUT_PART(b, i, bits, v)                                                          \
  (GK_ATOMIC_AND(b, (i) / (32u / (bits)), ~(GK_PART_MASK(bits) << GK_PART_SHIFT(i, bits))), \
   GK_ATOMIC_OR(b, (i) / (32u / (bits)), (v) << GK_PART_SHIFT(i, bits)))
// The element of the whole dispatch that this lane makes.
#define GK_ELEMENT ((p.first + GK_GROUP_X) * GK_U32(GK_GROUP_SIZE) + GK_LANE)
// NaN of any type of float; of an integer never.
#define GK_ISNAN(v) (!((v) == (v)))

// Splits `rest`, row-major, over the axes whose count lies at P_rank and whose extents from P_dims on, the
// last first; adds the steps of one, two or three operands to their positions.
#define GK_WALK(rest, rank, dims, STEPS)              \
  for (uint gk_axis = GK_CODE(rank); gk_axis > 0u;) { \
    --gk_axis;                                        \
    uint gk_extent = GK_CODE(GK_U32(dims) + gk_axis); \
    uint gk_i = rest % gk_extent;                     \
    rest = rest / gk_extent;                          \
    STEPS                                             \
  }
#define GK_STEP(at, strides) at += gk_i * GK_CODE(GK_U32(strides) + gk_axis);
