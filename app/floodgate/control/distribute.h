/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handing rules on: which rules each peer is told, and when (RFC 4271 9.1.3 and 9.2, RFC 4456).
 *
 * A peer is told the best path of every rule that is in force here and that its session, its kind and its filters
 * allow. Changes of one turn of the event loop leave together; a peer that does not read holds up nobody, for what
 * waits for it stays in the Adj-RIB-Out (bgp/adj_out.h) until its socket takes more. Control thread only.
 */
#ifndef FLOODGATE_DISTRIBUTE_H
#define FLOODGATE_DISTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct peer;
struct peer_out;
struct rule;

/* At most so many octets wait in the socket's buffer before more are made; a message may go beyond it. */
#define DISTRIBUTE_QUEUE_OCTETS (128u * 1024)

struct bgp_export;
struct bgp_session_info;
struct rule_source;

/* From whom a path is and to whom it goes, for lib/bgp/export.h. */
struct bgp_export distribute_export_of(const struct peer *peer, const struct rule_source *source, bool long_lived,
                                       const struct bgp_session_info *session);

/* Octets that wait in the buffers of the peer's connections. */
size_t distribute_octets_waiting(const struct peer *peer);

/* State, source or path of a rule is another one, or the rule goes (`gone`; it is read for the last time). */
void distribute_rule(struct control *control, const struct rule *rule, bool gone);

/* The session came up: everything that the peer shall know leaves, an End-of-RIB behind each family. */
void distribute_start(struct peer *peer);
/* The session is down. */
void distribute_stop(struct peer *peer);
/* What was held back after our start (control/deferral.h) is told to those that need not wait any more. */
void distribute_deferred(struct control *control);
/* The peer asks for a family again (RFC 2918). */
void distribute_refresh(struct peer *peer, uint32_t family);
/* What the peer may be told is decided by other words than before. */
void distribute_judge_again(struct peer *peer);
/* The peer's socket takes more. */
void distribute_writable(struct peer *peer);

/* Of one family: rules the peer knows, announcements and withdrawals that wait for it, rules larger than its messages.
 */
struct distribute_counts {
    uint64_t sent, queued, too_large;
};
void distribute_counts_get(const struct peer *peer, uint32_t family, struct distribute_counts *out);

#endif
