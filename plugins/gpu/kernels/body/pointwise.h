// SPDX-License-Identifier: Apache-2.0
// Results = program(operands) for every element of the results; operands broadcast by stride 0.
//@group 128
//@params rank dims[8]
//@program
//@body
uint rest = GK_ELEMENT;
//@include operands.h
//@include steps.h
// What is left of the index after all axes is 0 inside of the results.
if (rest == 0u) {
#define GK_X(k) xat[k]
#define GK_Y(k) yat[k]
  //@program
}
