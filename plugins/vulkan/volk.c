/* SPDX-License-Identifier: Apache-2.0
 * The one unit with the functions of volk, which loads Vulkan at run time: no link against its loader. */
#define VOLK_IMPLEMENTATION
#include <volk.h>
