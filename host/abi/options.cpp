// SPDX-License-Identifier: Apache-2.0
#include "host/abi/options.hpp"

#include <sstream>

#include "host/platform/error.hpp"
#include "host/platform/log.hpp"
#include "host/platform/thread_pool.hpp"

namespace opmux {

LoaderOptions loader_options(const opmux_context_desc* desc) {
  LoaderOptions options;
  if (!desc) return options;
  if (desc->h.size < sizeof(opmux_hdr))
    fail(OPMUX_E_INVALID, "opmux_context_desc: h.size is {}", desc->h.size);
  if (OPMUX_HAS(desc, opmux_context_desc, plugin_path) && desc->plugin_path) {
    std::istringstream paths(desc->plugin_path);
    for (std::string p; std::getline(paths, p, ':');) {
      if (p.empty() || p[0] != '/') fail(OPMUX_E_INVALID, "plugin path '{}' is not absolute", p);
      options.plugins.push_back(p);
    }
  }
  if (OPMUX_HAS(desc, opmux_context_desc, threads) && desc->threads && !threads::configure(desc->threads)) {
    fail(OPMUX_E_INVALID, "{} threads are wanted, but the process already runs with {}", desc->threads,
         threads::concurrency());
  }
  if (OPMUX_HAS(desc, opmux_context_desc, log_user) && desc->log) {
    log::set_sink([call = desc->log, user = desc->log_user](log::Level level, std::string_view where,
                                                            std::string_view text) {
      call(user, static_cast<uint32_t>(level), {where.data(), where.size()}, {text.data(), text.size()});
    });
  }
  return options;
}

}  // namespace opmux
