// SPDX-License-Identifier: Apache-2.0
// A layer that makes a plugin's n-th call fail, so that what follows can be tested on any device.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace opmux::fault {

enum class Kind : uint8_t {
  kAlloc,    // an allocation says that there is no memory
  kLaunch,   // enqueue or replay says that the launch failed
  kLost,     // any call finds the device lost, and so do all until it is opened anew
  kCorrupt,  // a copy writes wrong bytes and says so
  kHang,     // any call does not come back until release()
};
inline constexpr uint32_t kKinds = 5;

struct Point {
  std::string plugin;
  Kind kind = Kind::kLost;
  uint64_t nth = 1;    // of the calls that this kind can strike, from 1
  uint64_t times = 1;  // so many successive ones
};

// "slow:hang:17" or "cpu:alloc:1:3"; kinds: alloc, launch, lost, corrupt, hang. Throws Error.
Point parse(std::string_view text);
const char* name(Kind kind);

// Plugins that are loaded from now on are under the layer. [mt] as all of these.
void enable();
// Counts from 0, and strikes at this point.
void arm(const Point& point);
// Counts from 0, and does not strike. Hanging calls go on hanging.
void disarm();
// Calls of the plugin that the kind could have struck, since arm() or disarm().
uint64_t calls(std::string_view plugin, Kind kind);
// Calls that were struck since then.
uint64_t struck();
uint32_t hanging();
// Lets hanging calls come back; they find the device lost. Returns when they have.
void release();

}  // namespace opmux::fault
