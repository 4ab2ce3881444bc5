/* SPDX-License-Identifier: Apache-2.0
 * The compiler's own _Float16, which g++ 12 has in C only. */
#include <stdint.h>
#include <string.h>

double oracle_f16_to_double(uint16_t bits);
uint16_t oracle_double_to_f16(double x);

double oracle_f16_to_double(uint16_t bits) {
  __extension__ _Float16 h;
  memcpy(&h, &bits, sizeof h);
  return (double)h;
}
uint16_t oracle_double_to_f16(double x) {
  __extension__ _Float16 h = x;
  uint16_t bits;
  memcpy(&bits, &h, sizeof bits);
  return bits;
}
