// SPDX-License-Identifier: Apache-2.0
// How fast bytes go between the host's memory and a route's, measured.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/loader/blob_cache.hpp"
#include "host/loader/route.hpp"
#include "host/router/placement.hpp"

namespace opmux {

// Least times of a copy of so many bytes, from the call until it is known to be done.
struct LinkSample {
  uint64_t size_bytes = 0;
  uint64_t up_ns = 0, down_ns = 0;
};

struct LinkTimes {
  std::string date;                 // UTC, ISO 8601
  std::string driver;               // that was measured
  std::vector<LinkSample> samples;  // sizes ascending
  placement::Link up, down;         // fitted to the samples

  std::string json() const;
  // Throws Error with the reason when the text is no such entry or its numbers make no sense.
  static LinkTimes from_json(std::string_view text);
};

// The line through the shortest and the longest copy; no part of it is negative.
placement::Link fit_link(const std::vector<LinkSample>& samples, uint64_t LinkSample::* time_ns);

// Measures on the route's own memory, up to 4 MiB: some milliseconds on a usual card. Throws Error when it
// cannot allocate or copy.
LinkTimes measure_links(Route& route);

// Links of the routes of one registry, from this process, the disk, or measured now. [mt]
class Links {
 public:
  static constexpr uint64_t kDeadlineNs = 5'000'000'000;  // of one route's measurement

  // disk may be null.
  explicit Links(std::shared_ptr<BlobCache> disk, uint64_t deadline_ns = kDeadlineNs)
      : disk_(std::move(disk)), deadline_ns_(deadline_ns) {}
  // Throws as measure_links. A route whose measurement does not end in time is abandoned: OPMUX_E_TIMEOUT,
  // and OPMUX_E_DEVICE_LOST from then on.
  LinkTimes of(Route& route);

 private:
  bool load(const Route& route, LinkTimes& times);
  LinkTimes measure(Route& route) const;

  std::shared_ptr<BlobCache> disk_;
  uint64_t deadline_ns_;
  struct Entry {
    std::mutex mutex;  // held while it is measured
    bool known = false;
    LinkTimes times;
  };
  std::mutex mutex_;  // of the map
  std::map<const Route*, std::shared_ptr<Entry>> entries_;
};

}  // namespace opmux
