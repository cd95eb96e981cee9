/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the daemon's log lines go: stderr, one line each, with time and level. */
#ifndef FLOODGATE_LOG_H
#define FLOODGATE_LOG_H

#include <stdio.h>

#include "base/log.h"

/* Writes lines up to `*max_level` (kept by the caller, as ctx of the hook). */
struct log_hook log_to_stderr(enum log_level *max_level);

/*
 * A stream whose lines become log lines ("dpdk: ...") at the level info; for
 * rte_openlog_stream. NULL when memory is short. `hook` must outlive the stream.
 */
FILE *log_dpdk_stream(const struct log_hook *hook);

#endif
