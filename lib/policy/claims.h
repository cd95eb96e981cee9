/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claims on one packet: components of one rule or of two that are all to match it. Private to lib/policy.
 */
#ifndef POLICY_CLAIMS_H
#define POLICY_CLAIMS_H

#include "policy/packet.h"

#define POL_RULES_MAX  2
#define POL_CLAIMS_MAX (POL_RULES_MAX * FS_COMPONENTS_MAX)

struct pol_claim {
    const struct fs_rule *rule;
    const struct fs_component *component;
    bool denied; /* the packet must not satisfy it; never of a prefix */
};

struct pol_claims {
    uint8_t family;
    unsigned count;
    struct pol_claim at[POL_CLAIMS_MAX];
};

/* Adds every component of the rule. */
void pol_claims_add(struct pol_claims *claims, const struct fs_rule *rule);

/* Whether a packet satisfies all of them; `packet` is then one. Exact. */
bool pol_claims_meet(const struct pol_claims *claims, struct pol_packet *packet);

#endif
