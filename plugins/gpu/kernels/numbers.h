// SPDX-License-Identifier: Apache-2.0
// Element i of a buffer of f32, or of f64 where `wide` is not 0, that is bound as words; b its base in
// elements.
#define GK_NUMBER(buffer, b, i, wide)                                                    \
  ((wide) != 0u ? gk_from_words(buffer[2u * ((b) + (i))], buffer[2u * ((b) + (i)) + 1u]) \
                : GK_F64(gk_float(buffer[(b) + (i)])))
GK_FN double gk_from_words(uint low, uint high) { return gk_double(GK_U64(low) | (GK_U64(high) << 32u)); }
