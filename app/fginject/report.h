/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What fginject says: results on stdout, each line out at once so that scripts can wait for it; the log on stderr.
 */
#ifndef FGINJECT_REPORT_H
#define FGINJECT_REPORT_H

#include "bgp/session.h"

#include "announce.h"
#include "options.h"

/* "connected to ..." and "peer capabilities: ...". */
void report_peer(const struct options *options, const struct bgp_session_info *info);

/* "sent 10 rules in 2 UPDATEs, 0.012 s, 833 rules/s"; says as well which rules were left out. */
void report_pass(const struct announce *announce, double seconds);

/* Counts rules of families that the peer does not take, names them on stderr, and returns how many. */
size_t report_not_taken(const struct rule_file *file, uint32_t families);

/* The log hook's writer; `ctx` is the options. */
void report_log(void *ctx, enum log_level level, const char *fmt, va_list args);

#endif
