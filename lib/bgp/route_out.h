/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adj-RIB-Out of unicast and VPN routes for one session: RFC 4271 3.2 and 9.2, RFC 7911 (several paths of a prefix).
 *
 * No copy of the table: of each prefix (with ADD-PATH: of each path) eight octets hold a fingerprint of what the peer
 * was told, and one bit says whether there may be something to say; what is said is read from the RIB at the moment
 * when it leaves. So a prefix that changes a hundred times while a peer does not read costs that peer one message, and
 * a full table costs a session some 20 MB. A route that looks from outside as it was last told, whatever became of it
 * here, is not told again. Withdrawals leave before announcements; announcements are sorted by attribute set and packed
 * as full as the session allows.
 *
 * Control thread only.
 */
#ifndef BGP_ROUTE_OUT_H
#define BGP_ROUTE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "bgp/unicast_rib.h"

struct bgp_route_out;

/* As negotiated and configured. */
struct bgp_route_out_conf {
    uint32_t families; /* of routes that the peer is told */
    uint32_t add_path; /* of them, those of which it is told every path, not only the best */
    bool four_octet_as;
    size_t update_max;            /* octets of an UPDATE body at the most */
    struct siphash_key print_key; /* random: who announces routes must not be able to make two sets look the same */
};

/* The words by which it is decided what the peer is told, and when to ask. */
struct bgp_route_out_ops {
    /* Whether it is told this path of the route at all. */
    bool (*allowed)(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *path);
    /* The attributes as they are sent, next hop and label included; once for all routes of a message. */
    void (*attributes)(void *ctx, uint32_t family, const struct bgp_unicast_path *path, struct bgp_attrs *out);
    /* Something waits that did not when bgp_route_out_next had nothing to say. The RIB is being changed: only note it.
     */
    void (*waits)(void *ctx);
};

/* NULL when memory is short. Nothing is told before a walk but what changes from now on. */
struct bgp_route_out *bgp_route_out_open(struct bgp_unicast *rib, const struct bgp_route_out_conf *conf,
                                         const struct bgp_route_out_ops *ops, void *ctx);
void bgp_route_out_close(struct bgp_route_out *out); /* before the RIB goes; NULL is fine */

/*
 * Looks at every route of these families, a slice whenever bgp_route_out_next has nothing else to do: says what the
 * peer does not know, takes back what it is not to know; `again`: says everything (RFC 2918). Ends a walk under way.
 */
void bgp_route_out_walk(struct bgp_route_out *out, uint32_t families, bool again);

enum bgp_route_out_kind {
    BGP_ROUTE_OUT_NOTHING, /* all is said */
    BGP_ROUTE_OUT_UPDATE,
    BGP_ROUTE_OUT_MORE, /* a slice of the walk had nothing to say: ask again, when it suits */
};
/* The next message: `*body` is valid until the next call for any session. Whoever asks must send it. */
enum bgp_route_out_kind bgp_route_out_next(struct bgp_route_out *out, struct bgp_builder *builder);

bool bgp_route_out_empty(const struct bgp_route_out *out); /* nothing waits, no walk is under way */

/* Of one family: what the peer knows. */
size_t bgp_route_out_count(const struct bgp_route_out *out, uint32_t family);
size_t bgp_route_out_queued(const struct bgp_route_out *out);      /* announcements that wait, about */
uint64_t bgp_route_out_too_large(const struct bgp_route_out *out); /* routes that fit into no message */
size_t bgp_route_out_memory(const struct bgp_route_out *out);      /* octets */
/* Memory ran short since it was opened: something was not said. Only a new session mends that. */
bool bgp_route_out_short(const struct bgp_route_out *out);

#endif
