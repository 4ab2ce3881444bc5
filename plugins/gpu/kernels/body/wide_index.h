// SPDX-License-Identifier: Apache-2.0
// Numbers of 32 or 64 bits (`words` of them) at word `at` of a buffer of words: the low word to `low`, and whether
// the number is in [0, n) to `inside`. from_end: a negative one counts from n first.
#define GK_INDEX(low, inside, buffer, at, words, n, from_end) \
  uint low = buffer[at]; \
  bool inside; \
  { \
    uint gk_high = (low & 0x80000000u) != 0u ? 0xffffffffu : 0u; \
    if (words > 1u) gk_high = buffer[(at) + 1u]; \
    inside = gk_high == 0u && low < (n); \
    if ((from_end) && gk_high == 0xffffffffu && (low & 0x80000000u) != 0u && 0u - low <= (n)) { \
      low = low + (n); \
      inside = true; \
    } \
  }
