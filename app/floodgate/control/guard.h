/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the router knows of its live traffic: a bounded window of sampled headers, on which a candidate rule is tried
 * with the matcher of the data plane before it may touch a packet (lib/policy, blast-radius). Control thread only.
 */
#ifndef FLOODGATE_GUARD_H
#define FLOODGATE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "policy/policy.h"

struct cfg_guard;
struct dataplane;
struct guard;
struct pkt_key;
struct vrf_set;
struct window;

struct guard *guard_create(struct dataplane *dp);
void guard_free(struct guard *guard);

/* Takes the limits and switches sampling on or off. */
void guard_configure(struct guard *guard, const struct cfg_guard *cfg);

/* Takes in what workers have sampled, and lets go of what is older than the window. Every so often, and before a
 * measurement. */
void guard_collect(struct guard *guard, mono_ms_t now);

/* The headers of the latest traffic, those that are not too old. */
const struct window *guard_window(const struct guard *guard);

/* What a candidate is measured by: of the traffic of which VRFs. guard_prepare fills it in; to outlive the judgement.
 */
struct guard_question {
    struct guard *guard;
    const struct vrf_set *vrfs; /* NULL: the default one */
};

/* Sets the candidate's limits and how it is measured. `guard` may be NULL. */
void guard_prepare(struct guard *guard, const struct vrf_set *vrfs, struct guard_question *question,
                   struct pol_candidate *candidate);

/* Puts a header into the window, as if it had been sampled at `now` from a port of that VRF. */
void guard_add(struct guard *guard, const struct pkt_key *key, uint16_t vrf, mono_ms_t now);

/* Whether both set the same limits to candidates. */
bool guard_equal(const struct cfg_guard *a, const struct cfg_guard *b);

#endif
