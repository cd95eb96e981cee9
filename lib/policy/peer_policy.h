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

struct pol_peer_policy {
    const char *name;
    const struct ip_prefix *destinations; /* a rule's destination is within one of them; none: anywhere */
    size_t destination_count;
    uint8_t min_length_ipv4; /* of a rule's destination, bits */
    uint8_t min_length_ipv6;
    uint32_t actions;   /* POL_ACTION_* allowed; 0: all */
    uint32_t max_rules; /* 0: no limit */
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
