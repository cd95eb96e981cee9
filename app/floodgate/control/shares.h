/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The circuit breaker's scopes that counters do not tell: octets, each protocol, each destination, in each VRF by
 * itself, and each VRF's packets where there are several. What rules in force take of them is watched on the guard's
 * samples of live traffic, which are taken before any rule is asked, by the classifier in force; a rule that limits
 * counts with the part that it has dropped of what it matched. A scope that is over its limit for a whole window has
 * rules suspended until the rest is within it. Control thread only.
 */
#ifndef FLOODGATE_SHARES_H
#define FLOODGATE_SHARES_H

#include "base/clock.h"
#include "base/log.h"

#define SHARES_TICK_MS 1000 /* between measurements: one takes a millisecond or so */

struct cfg_guard;
struct dataplane;
struct guard;
struct rules;
struct shares;

struct shares *shares_create(struct dataplane *dp, struct rules *rules, const struct guard *guard,
                             const struct log_hook *log);
void shares_free(struct shares *shares);

/* `cfg` must outlive its use here. */
void shares_configure(struct shares *shares, const struct cfg_guard *cfg);

/* As often as one likes. Returns how many rules it suspended. */
unsigned shares_tick(struct shares *shares, mono_ms_t now);

#endif
