/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one peer may announce, as the operator wrote it. Plain data; names and prefixes are the caller's.
 */
#ifndef POLICY_PEER_POLICY_H
#define POLICY_PEER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "flowspec/actions.h"

/* What becomes of a rule that would take more traffic than the guard allows. */
enum pol_breach {
    POL_BREACH_DEFAULT, /* of a policy: as the guard says */
    POL_BREACH_HOLD,
    POL_BREACH_REJECT,
    POL_BREACH_WARN,
    POL_BREACH_IGNORE, /* of a policy: its peers' rules are not measured */
};

struct pol_peer_policy {
    const char *name;
    const struct ip_prefix *destinations; /* a rule's destination is within one of them; none: anywhere */
    size_t destination_count;
    bool from_routes;        /* or within a prefix that the peer announces */
    uint8_t min_length_ipv4; /* of a rule's destination, bits */
    uint8_t min_length_ipv6;
    uint8_t min_source_ipv4; /* of a rule's source */
    uint8_t min_source_ipv6;
    uint32_t required, forbidden; /* components, as bits of enum fs_type */
    uint32_t actions;             /* POL_ACTION_* allowed; 0: all */
    float min_rate_bytes_per_s;   /* of a limit that is no discard; 0: no limit, and so are all below */
    float min_rate_packets_per_s;
    const struct fs_route_target *redirect_targets; /* of `redirect`; none: all */
    size_t redirect_target_count;
    const struct ip_prefix *redirect_addresses; /* of `redirect-ip`; none: all */
    size_t redirect_address_count;
    uint32_t max_rules;
    uint32_t max_rules_per_destination;
    uint32_t cost_budget;       /* of all its rules together, in the classifier's unit */
    uint32_t max_changes_per_s; /* the feed's to obey: more of them wait */
    uint32_t max_age_s, idle_age_s;
    bool dry_run; /* its rules are counted, not enforced, until promoted */
    enum pol_breach on_breach;
};

#define POL_ACTION_ACCEPT      0x01u /* no action at all */
#define POL_ACTION_DISCARD     0x02u
#define POL_ACTION_RATE_LIMIT  0x04u
#define POL_ACTION_MARK        0x08u
#define POL_ACTION_REDIRECT    0x10u
#define POL_ACTION_REDIRECT_IP 0x20u
#define POL_ACTION_SAMPLE      0x40u
#define POL_ACTION_CONTINUE    0x80u

/* The bit of an action's name in rule text ("discard", "rate-limit", ...); 0: no such action. */
uint32_t pol_action_bit(const char *name);

/* Whether both allow the same in the same words, so that no verdict changes from one to the other. NULL: no policy. */
bool pol_peer_policy_equal(const struct pol_peer_policy *a, const struct pol_peer_policy *b);

#endif
