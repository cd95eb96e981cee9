/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The circuit breaker: what rules drop is watched on live counters. When they have dropped more than the guard allows
 * for its whole window, rules are suspended until the rest is within the limit: newest first, of the same age the
 * widest first. What passes the guard by (a rule that was small when it came) is caught here by its effect.
 *
 * The same sweep over the rules in force retires those that are too old or idle, and held rules that nobody approves.
 * Control thread only.
 */
#ifndef FLOODGATE_BREAKER_H
#define FLOODGATE_BREAKER_H

#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"

#define BREAKER_TICK_MS 250

struct breaker;
struct cfg_guard;
struct dataplane;
struct guard;
struct rules;

/* `guard`: whose samples the shares of octets, protocols and destinations are watched in; NULL: only packets are. */
struct breaker *breaker_create(struct dataplane *dp, struct rules *rules, struct guard *guard,
                               const struct log_hook *log);
void breaker_free(struct breaker *breaker);

/* `cfg` must outlive its use here. */
void breaker_configure(struct breaker *breaker, const struct cfg_guard *cfg);

/* Every BREAKER_TICK_MS, about. */
void breaker_tick(struct breaker *breaker, mono_ms_t now);

struct breaker_info {
    uint64_t trips;      /* rules it suspended since the start */
    double packet_share; /* per cent of the packets of the window that rules dropped */
};
void breaker_info_get(const struct breaker *breaker, struct breaker_info *out);

#endif
