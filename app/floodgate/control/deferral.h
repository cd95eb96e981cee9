/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After a restart of ours: when a peer is told that it has everything (RFC 4724 4.1).
 *
 * A peer with graceful restart has kept what the former run announced, and drops at our End-of-RIB what was not
 * announced again. So that mark waits until our own peers have told us everything: until the End-of-RIB of each
 * configured one, those left out that have no graceful restart or have restarted, too, or until `restart-deferral` has
 * passed. What is learned meanwhile is announced at once, for a rule against an attack is to bite: only what the RFC
 * calls the end of route selection waits, not its beginning. Control thread only.
 */
#ifndef FLOODGATE_DEFERRAL_H
#define FLOODGATE_DEFERRAL_H

#include <stdbool.h>
#include <stdint.h>

struct control;
struct deferral;
struct peer;

struct deferral *deferral_create(struct control *control); /* starts its time; NULL: no memory */
void deferral_free(struct deferral *deferral);

/* Whether the End-of-RIB of a family must not be sent to this peer yet: distribute_end_of_rib is called when it may. */
bool deferral_holds(const struct deferral *deferral, const struct peer *peer, uint32_t family);

/* A peer came up, went down, completed a family, or is no longer to come: taken down or out of the configuration. */
void deferral_check(struct deferral *deferral);

#endif
