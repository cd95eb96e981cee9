/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bounded window of headers of the traffic, each with the VRF that it came in by, and what a rule would take of it:
 * of the traffic of the VRFs that the rule is for, and of no other. No clock: time is passed in.
 */
#ifndef FLOODGATE_WINDOW_H
#define FLOODGATE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "dataplane/vrf_set.h"
#include "packet/key.h"
#include "policy/blast.h"

#define WINDOW_SIZE       4096 /* headers, the latest */
#define WINDOW_PART_LEAST 20   /* a protocol or a destination counts when it has at least 1/20 of the packets */

struct fs_rule;
struct window;

struct window *window_create(void); /* NULL when memory is short */
void window_free(struct window *window);

/* A header that came in by a port of that VRF (0: the default one) at `now`; times do not fall. The oldest one goes
 * when there is no room. */
void window_add(struct window *window, const struct pkt_key *key, uint16_t vrf, mono_ms_t now);

/* Lets go of what came in before. */
void window_drop_before(struct window *window, mono_ms_t since);

size_t window_count(const struct window *window);

/* Whether what it holds came in by the default VRF alone. */
bool window_is_plain(const struct window *window);

/* Calls `visit` for each header, oldest first. */
void window_each(const struct window *window, void (*visit)(void *ctx, const struct pkt_key *key, uint16_t vrf),
                 void *ctx);

/*
 * What the rule takes of the traffic of `vrfs` (NULL: of the default VRF). Destinations are looked at where a limit of
 * `max_destination` per cent may be broken; 0: there is none.
 */
void window_measure(const struct window *window, const struct fs_rule *rule, const struct vrf_set *vrfs,
                    double max_destination, struct pol_blast *out);

#endif
