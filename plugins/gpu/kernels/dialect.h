// SPDX-License-Identifier: Apache-2.0
// The common subset of OpenCL C and GLSL that kernel bodies are written in: what differs, by name. Indices
// are uint; helpers take scalars, since GLSL has no pointers; nothing narrows by itself.
#if defined(GK_GLSL)
#define GK_FN
#define GK_PRECISE precise
#define GK_F32(x) float(x)
#define GK_I32(x) int(x)
#define GK_U32(x) uint(x)
#define gk_bits(x) floatBitsToUint(x)
#define gk_float(x) uintBitsToFloat(x)
#define gk_mad(a, b, c) fma(a, b, c)
#define gk_rint(a) roundEven(a)
#define gk_fabs(a) abs(a)
#define GK_LANE gl_LocalInvocationIndex
#define GK_GROUP_X gl_WorkGroupID.x
#define GK_GROUP_Y gl_WorkGroupID.y
#define GK_GROUP_Z gl_WorkGroupID.z
#define GK_BARRIER() barrier()
#define GK_B_IN(i, t, n) \
  layout(std430, set = 0, binding = i) readonly buffer GkB_##n { t n[]; };
#define GK_B_OUT(i, t, n) \
  layout(std430, set = 0, binding = i) writeonly buffer GkB_##n { t n[]; };
#define GK_S_ARRAY(t, n, c) shared t n[c];
#else
#pragma OPENCL FP_CONTRACT OFF
#define GK_FN static inline
#define GK_PRECISE
#define GK_F32(x) ((float)(x))
#define GK_I32(x) ((int)(x))
#define GK_U32(x) ((uint)(x))
#define gk_bits(x) as_uint((float)(x))
#define gk_float(x) as_float((uint)(x))
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
#define GK_B_IN(i, t, n) __global const t *n,
#define GK_B_OUT(i, t, n) __global t *n,
#define GK_S_ARRAY(t, n, c) __local t n[c];
#endif
// A word of the kernel's code.
#define GK_CODE(i) code[p.base[GK_BIND_CODE] + GK_U32(i)]
// Element offsets of the bindings and the first group of this launch.
#define GK_PARAMS         \
  uint base[GK_BINDINGS]; \
  uint first;
