/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One pass over the rules of a file: UPDATE bodies, as few as fit, one after the other. Rules that share family and
 * actions share UPDATEs; withdrawals only need the family in common.
 */
#ifndef FGINJECT_ANNOUNCE_H
#define FGINJECT_ANNOUNCE_H

#include "bgp/update.h"
#include "rules.h"

struct announce {
    const struct rule_file *file;
    struct bgp_update_attrs attrs;
    uint32_t families; /* what to send of */
    bool withdraw;
    bool legacy_ipv6_offset;
    size_t update_max;     /* octets of a body */
    unsigned rules_max;    /* in one UPDATE */
    size_t next;           /* item */
    size_t rules, updates; /* in what was built so far */
    size_t too_long;       /* rules that fit no UPDATE */
    struct bgp_builder builder;
};

/* The next body, in builder.body; its length, or 0 when all is done. */
size_t announce_next(struct announce *announce);

#endif
