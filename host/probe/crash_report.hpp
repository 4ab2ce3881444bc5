// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace opmux::probe {

// Installs handlers for the signals of a crash. They write one line, the signal and the library whose code
// ran, to the pipe and let the signal take its course.
void report_crashes(int pipe_fd);

}  // namespace opmux::probe
