// SPDX-License-Identifier: Apache-2.0
// Fills inputs as their schemas say.
#pragma once

#include "kit/schema/cases.hpp"
#include "tests/conformance/image.hpp"

namespace opmux::cts {

// Which values `mixed` and its like take: ordinary ones, or special ones of floats strewn in.
enum class Flavour { kOrdinary, kNan, kInfinity, kZeros, kSubnormal, kHuge };
inline constexpr const char* kFlavourName[] = {"ordinary", "nan", "infinity", "zeros", "subnormal", "huge"};

// Fills all inputs of d. 8-byte values of HOST_SCALAR operands go to `params`, in operand order.
void fill_inputs(const opmux_opd& d, std::span<const schema::Values> domain, Flavour flavour, Image& image,
                 std::vector<uint64_t>& params, Random& random);

// Puts a value that is outside the domain of input i into one of its elements; false where it has none.
bool put_outside(const opmux_opd& d, const schema::Values& v, uint32_t i, Image& image,
                 std::vector<uint64_t>& params, Random& random);

}  // namespace opmux::cts
