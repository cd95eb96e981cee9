/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stays of a peer whose session is lost: graceful restart as the receiving speaker (RFC 4724 4.2) and long-lived
 * stale routes (RFC 9494), and what a route refresh did not bring again (RFC 7313).
 *
 * A family whose rules stay goes through: RESTARTING (they are in force as `stale`, the peer may come back), for some
 * peers LONG_LIVED (any other path is preferred to them), and, once the session is up again, RESYNCING until its
 * End-of-RIB, when what was not announced again goes.
 */
#ifndef FLOODGATE_GRACEFUL_H
#define FLOODGATE_GRACEFUL_H

#include <stdbool.h>
#include <stdint.h>

#include "bgp/session.h"

struct graceful;
struct peer;

struct graceful *graceful_create(struct peer *peer); /* NULL: no memory */
void graceful_free(struct graceful *graceful);

/* The session is down and keeps some families: their rules stay, all others of the peer go. */
void graceful_down(struct graceful *graceful, const struct bgp_session_info *info);
/* The session is up (again): what the peer did not preserve goes at once. */
void graceful_up(struct graceful *graceful, const struct bgp_session_info *info);
/* End-of-RIB: what is still stale in the family goes. */
void graceful_complete(struct graceful *graceful, uint32_t family);
/* The session is down and keeps nothing. */
void graceful_lost(struct graceful *graceful);
/* All goes, whatever the session is. */
void graceful_drop(struct graceful *graceful);
/* Nothing is to stay any longer, for the session ends for good. */
void graceful_forget(struct graceful *graceful);

/* BoRR, and at the `end` EoRR. */
void graceful_refresh(struct graceful *graceful, uint32_t family, bool end);

/* Whether nothing is kept and nothing still to be taken out. */
bool graceful_quiet(const struct graceful *graceful);

/* Families with stale rules; `*left_s` how long they may stay. */
uint32_t graceful_families(const struct graceful *graceful, uint32_t *left_s);

#endif
