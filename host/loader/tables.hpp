// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "opmux/plugin.h"

namespace opmux {

// The host's own full-size copy of a plugin's tables. Every entry can be called: one that the plugin's
// (perhaps older, shorter) table lacks answers OPMUX_E_UNSUPPORTED with a sentence. Layers are spliced in
// here.
struct Tables {
  opmux_core_api core;
  opmux_dev_api dev;
  opmux_mem_api mem;
  opmux_queue_api queue;
  opmux_op_api op;

  // Which optional entries the plugin really has; the host uses a default of its own for the rest.
  struct Present {
    bool record = false;  // record, replay and release
    bool map = false, import_host = false;
    bool pack = false;       // packed_size and pack
    bool timelines = false;  // tl_* and queue.signal, queue.wait
  } present;
};

// Copies CORE. Throws Error when the table is no CORE table.
void copy_core(const opmux_core_api* source, Tables& out);

// Fetches and copies the other mandatory tables through out.core; throws Error naming the one that is missing
// or bad. Nothing is read beyond the size that each table states.
void copy_tables(Tables& out);

}  // namespace opmux
