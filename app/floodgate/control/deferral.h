/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After a restart of ours: when peers are told what was learned, and that they have everything (RFC 4724 4.1).
 *
 * Route selection for others waits, for each family, until our own peers have told us everything: until the End-of-RIB
 * of each, those left out that have no graceful restart or have restarted, too, or until `restart-deferral` has passed.
 * Only the handing on waits. Rules are enforced here from the moment they come, for an attack does not wait, and routes
 * go into forwarding, which kept nothing that could be wrong meanwhile. What originates here is told at once, too:
 * no path that is still to come can be preferred to it.
 *
 * For whom it waits depends on what it would break:
 * - A peer with graceful restart has kept what the former run announced, and would replace it by what is not settled
 *   yet. It waits for every configured peer, those that have not come yet included.
 * - Any other peer has lost all of that, and a rule against an attack is to reach it. It waits only while a peer that
 * is here is still telling, which takes moments, and not for one that may never come.
 * - Peers of a `range` are waited for while they are here and telling; who of them is to come, nobody knows.
 *
 * What has been released once for a session is not held back again: that would withdraw it. Control thread only.
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

/* The families of which a peer must not be told yet what was learned, nor that it has everything. */
uint32_t deferral_families(const struct deferral *deferral, const struct peer *peer);

/*
 * A peer came up, went down, completed a family, or is no longer to come: taken down or out of the configuration.
 * distribute_deferred is called where others need not wait any more.
 */
void deferral_check(struct deferral *deferral);

#endif
