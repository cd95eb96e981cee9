/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adj-RIB-Out: what each peer has been told, and what it has still to be told (RFC 4271 3.2, 9.2).
 *
 * The owner says what a peer shall know of a rule (bgp_out_set); whatever was said before and has not left yet is
 * forgotten, so a rule that changes a hundred times while a peer does not read costs that peer one message, and the
 * queue is never longer than the table. bgp_out_next makes one message after the other of it: withdrawals first, then
 * announcements in the order in which their attribute sets came up, those that share a set packed as full as the
 * session allows. Nothing is sent that the peer knows already, and only what was announced is withdrawn.
 *
 * Control thread only.
 */
#ifndef BGP_ADJ_OUT_H
#define BGP_ADJ_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/update.h"

struct bgp_adj_out; /* what all peers share: rules and attribute sets, each held once */
struct bgp_out;     /* one session's */

/* As negotiated. */
struct bgp_out_conf {
    bool four_octet_as;
    bool legacy_ipv6_offset;
    uint32_t add_path; /* families whose rules are sent with a path id: one path each, the best, which was judged */
    size_t update_max; /* octets of an UPDATE body at the most */
};

/* NULL when memory is short. */
struct bgp_adj_out *bgp_adj_out_create(void);
void bgp_adj_out_free(struct bgp_adj_out *shared); /* closes what is open */

/* For a session that came up; NULL when memory is short. Closing forgets: the peer does, too. */
struct bgp_out *bgp_out_open(struct bgp_adj_out *shared, const struct bgp_out_conf *conf);
void bgp_out_close(struct bgp_out *out); /* NULL is fine */

/*
 * The peer shall know `rule` with these attributes (as bgp_attrs_export made them; copied, as `rule` is), or not know
 * it (NULL). `again`: send it even if the peer knows it so (RFC 2918). 0, or -ENOMEM: then nothing changed.
 */
int bgp_out_set(struct bgp_out *out, uint32_t family, const struct fs_rule *rule, const struct bgp_attrs *attrs,
                bool again);

/* What bgp_out_next shall come to once all that is queued now has left. */
enum bgp_out_kind { BGP_OUT_NOTHING, BGP_OUT_UPDATE, BGP_OUT_END_OF_RIB, BGP_OUT_END_OF_REFRESH };
/* 0 or -ENOMEM. `kind`: one of the last two. */
int bgp_out_mark(struct bgp_out *out, uint32_t family, enum bgp_out_kind kind);

struct bgp_out_message {
    uint32_t family;
    const uint8_t *body; /* of BGP_OUT_UPDATE; valid until the next call for any peer */
    size_t len;
};
/* The next message; whoever asks must send it. */
enum bgp_out_kind bgp_out_next(struct bgp_out *out, struct bgp_out_message *message);

bool bgp_out_empty(const struct bgp_out *out); /* nothing waits */

struct bgp_out_counts {
    uint64_t announced; /* rules the peer knows now */
    uint64_t queued;    /* announcements and withdrawals that wait */
    uint64_t too_large; /* rules that fit into no message of this session, since it came up */
};
void bgp_out_counts_get(const struct bgp_out *out, uint32_t family, struct bgp_out_counts *counts);

#endif
