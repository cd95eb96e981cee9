/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sampling: workers put heads of packets into rings (sampling/tap.h); a timer on the control thread's event base takes
 * them out, so many a turn, and sends them to an sFlow collector; a thread of its own (spool/) writes them into pcapng
 * files. All functions here belong to the control thread.
 */
#ifndef FLOODGATE_SAMPLING_H
#define FLOODGATE_SAMPLING_H

#include <sched.h>
#include <stdint.h>

#include "base/log.h"

struct cfg;
struct dataplane;
struct event_base;
struct rules;
struct sampling;

struct sampling_conf {
    struct event_base *base;
    const struct cfg *cfg; /* its section `sampling` must be set */
    struct dataplane *dp;  /* not polling yet; its workers get their rings */
    const char *version;
    const cpu_set_t *helper_cpus; /* where the thread that writes files may run; NULL: where this one may */
    const struct log_hook *log;
};

/* NULL after a line in the log. */
struct sampling *sampling_start(const struct sampling_conf *conf);

/* After sampling_drain, with no worker polling. NULL does nothing. */
void sampling_stop(struct sampling *sampling);

/* Whose rules the comments tell; NULL: none any more. */
void sampling_rules_by(struct sampling *sampling, const struct rules *rules);

/* Takes and writes everything that is in the rings. NULL does nothing. */
void sampling_drain(struct sampling *sampling);

struct sampling_counts {
    uint64_t taken;                 /* by workers, into their rings, and not lost behind them */
    uint64_t lost;                  /* found no room there, or waiting for the disk */
    uint64_t written, write_errors; /* packets in files */
    uint64_t exported;              /* samples in datagrams that were sent */
    uint64_t datagrams, send_errors;
    const char *file; /* being filled, or NULL */
};
/* `sampling` NULL: all 0. */
void sampling_counts_get(struct sampling *sampling, struct sampling_counts *out);

#endif
