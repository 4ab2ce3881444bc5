// SPDX-License-Identifier: Apache-2.0
#include "host/router/links.hpp"

#include <time.h>

#include <algorithm>

#include "host/loader/watch.hpp"
#include "host/memory/pool.hpp"
#include "host/platform/clock.hpp"
#include "host/platform/deadline.hpp"
#include "host/platform/error.hpp"
#include "host/platform/json.hpp"
#include "host/platform/log.hpp"
#include "host/queue/queue.hpp"

namespace opmux {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kSpace = "opmux.links.1";
constexpr uint64_t kSizes[] = {uint64_t{4} << 10, uint64_t{256} << 10, uint64_t{4} << 20};
constexpr int kTimes = 7, kLeastTimes = 2;
constexpr uint64_t kEnoughNs = 20'000'000;  // a size and direction, once kLeastTimes are done

std::string now_text() {
  const time_t now = time(nullptr);
  tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// The first copy maps and warms up; it does not count.
template <class Copy>
uint64_t least_ns(Copy copy) {
  copy();
  uint64_t least = ~uint64_t{0}, total = 0;
  for (int k = 0; k < kTimes && (k < kLeastTimes || total < kEnoughNs); ++k) {
    const uint64_t begin = now_ns();
    copy();
    const uint64_t took = std::max<uint64_t>(now_ns() - begin, 1);
    least = std::min(least, took);
    total += took;
  }
  return least;
}

// Whose links: another build, driver or card is another key.
std::string key_of(const Route& route) {
  const opmux_devinfo& i = route.info();
  return json_text({{"plugin", route.plugin().name()},
                    {"version", route.plugin().version()},
                    {"build", route.plugin().build_id()},
                    {"index", i.index},
                    {"device", i.name},
                    {"driver", i.driver},
                    {"pci", i.pci}});
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

placement::Link fit_link(const std::vector<LinkSample>& samples, uint64_t LinkSample::* time_ns) {
  const LinkSample &a = samples.front(), &b = samples.back();
  const auto size = static_cast<double>(a.size_bytes), time = static_cast<double>(a.*time_ns);
  placement::Link out{true, 0, time / size};
  if (samples.size() == 1) return out;
  const double slope = (static_cast<double>(b.*time_ns) - time) / (static_cast<double>(b.size_bytes) - size);
  out.ns_per_byte = std::max(0.0, slope);
  out.latency_ns = std::max(0.0, time - out.ns_per_byte * size);
  return out;
}

std::string LinkTimes::json() const {
  ordered_json list = ordered_json::array();
  for (const LinkSample& s : samples) list.push_back({s.size_bytes, s.up_ns, s.down_ns});
  return json_text({{"date", date}, {"driver", driver}, {"samples", list}});
}

LinkTimes LinkTimes::from_json(std::string_view text) {
  const auto j = ordered_json::parse(text, nullptr, false);
  if (!j.is_object() || !j.contains("date") || !j.contains("driver") || !j.contains("samples"))
    fail(OPMUX_E_INVALID, "it has no date, driver or samples");
  if (!j["date"].is_string() || !j["driver"].is_string() || !j["samples"].is_array())
    fail(OPMUX_E_INVALID, "its date, driver or samples are of another type");
  LinkTimes out{j["date"], j["driver"], {}, {}, {}};
  for (const auto& s : j["samples"]) {
    if (!s.is_array() || s.size() != 3 || !std::all_of(s.begin(), s.end(), [](const auto& n) {
          return n.is_number_unsigned() && n.template get<uint64_t>() > 0;
        }))
      fail(OPMUX_E_INVALID, "sample {} is not three positive numbers", out.samples.size());
    const uint64_t size = s[0];
    if (!out.samples.empty() && size <= out.samples.back().size_bytes)
      fail(OPMUX_E_INVALID, "sample {} has {} bytes, no more than the one before", out.samples.size(), size);
    out.samples.push_back({size, s[1], s[2]});
  }
  if (out.samples.empty()) fail(OPMUX_E_INVALID, "it has no samples");
  out.up = fit_link(out.samples, &LinkSample::up_ns);
  out.down = fit_link(out.samples, &LinkSample::down_ns);
  return out;
}

LinkTimes measure_links(Route& route) {
  LinkTimes out{now_text(), route.info().driver, {}, {}, {}};
  Queue queue(route);
  Pool pool(route, {.raw_block_bytes = kSizes[0]});  // so that it asks for no more than a size
  std::vector<std::byte> bytes(std::end(kSizes)[-1], std::byte{1});
  for (uint64_t size : kSizes) {
    Block block;
    try {
      block = pool.allocate(size);
    } catch (const Error& e) {
      if (e.code() != OPMUX_E_OUT_OF_MEMORY || out.samples.empty()) throw;
      break;  // the sizes that fit will do
    }
    LinkSample s{size, 0, 0};
    s.up_ns = least_ns([&] {
      queue.upload(block, 0, bytes.data(), size);
      queue.finish();
    });
    s.down_ns = least_ns([&] {
      queue.download(block, 0, bytes.data(), size);
      queue.finish();
    });
    out.samples.push_back(s);
  }
  out.up = fit_link(out.samples, &LinkSample::up_ns);
  out.down = fit_link(out.samples, &LinkSample::down_ns);
  return out;
}

bool Links::load(const Route& route, LinkTimes& times) {
  std::vector<std::byte> value;
  if (!disk_ || !disk_->get(kSpace, bytes_of(key_of(route)), value)) return false;
  try {
    times = LinkTimes::from_json({reinterpret_cast<const char*>(value.data()), value.size()});
    if (times.driver == route.info().driver) return true;
    log::warning("router", "links of {} are measured anew: they are of driver '{}'", route.alias(),
                 times.driver);
  } catch (const Error& e) {
    log::warning("router", "links of {} are measured anew: {}", route.alias(), e.text());
  }
  return false;
}

LinkTimes Links::measure(Route& route) const {
  const auto times = std::make_shared<LinkTimes>();
  // The route is referred to, not owned: abandon keeps it.
  const auto watch = Watch::current() ? Watch::current()->shared_from_this() : nullptr;
  const auto measure = [times, watch, &route] {
    const Watch::Scope scope(watch.get());
    *times = measure_links(route);
  };
  if (run_within(deadline_ns_, measure)) return *times;
  const std::string reason =
      fmt::format("a copy has not come back after {} ms", deadline_ns_ / uint64_t{1'000'000});
  route.abandon(reason);
  fail(OPMUX_E_TIMEOUT, "{}: {}", route.name(), reason);
}

LinkTimes Links::of(Route& route) {
  if (route.disabled()) route.dev();  // throws the reason
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    auto& place = entries_[&route];
    if (!place) place = std::make_shared<Entry>();
    entry = place;
  }
  const std::lock_guard lock(entry->mutex);
  if (entry->known) return entry->times;
  LinkTimes times;
  if (!load(route, times)) {
    times = measure(route);
    log::info("router", "links of {}: up {:.1f} us + {:.3f} ns a byte, down {:.1f} us + {:.3f} ns a byte",
              route.alias(), times.up.latency_ns / 1e3, times.up.ns_per_byte, times.down.latency_ns / 1e3,
              times.down.ns_per_byte);
    if (disk_) disk_->put(kSpace, bytes_of(key_of(route)), bytes_of(times.json()));
  }
  entry->known = true;
  return entry->times = std::move(times);
}

}  // namespace opmux
