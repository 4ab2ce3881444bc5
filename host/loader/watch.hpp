// SPDX-License-Identifier: Apache-2.0
// Which plugin the threads of a run are inside of, for whoever waits for the run with a deadline.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace opmux {

class Route;

// Owned by a shared_ptr, since what hangs looks at it when it comes back.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  // The route whose call of this run began first and has not come back; null when none is under way.
  Route* oldest() const;

  // The watch of this thread, or null.
  static Watch* current();

  // This thread belongs to the run, from here to the end of the scope. A null watch changes nothing.
  class Scope {
   public:
    explicit Scope(Watch* watch);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    bool entered_ = false;
  };

  // This thread is inside the route's plugin until the end of the scope.
  class Inside {
   public:
    explicit Inside(Route& route);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Route* before_ = nullptr;
    uint64_t before_since_ = 0;
  };

 private:
  static constexpr uint32_t kThreads = 32;  // further ones are not watched

  struct Slot {
    std::atomic<bool> taken{false};
    std::atomic<Route*> route{nullptr};
    std::atomic<uint64_t> since_ns{0};
  };
  struct Mine {
    Watch* watch = nullptr;
    Slot* slot = nullptr;
  };

  static thread_local Mine mine_;
  std::array<Slot, kThreads> slots_;
};

}  // namespace opmux
