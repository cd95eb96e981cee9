/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * May this rule take effect? An ordered list of steps, each a small pure function with its own reason word. The first
 * step that does not accept decides; `fgctl rule check` shows the verdict of each.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flowspec/actions.h"
#include "flowspec/rule.h"
#include "policy/blast.h"
#include "policy/feasibility.h"
#include "policy/peer_policy.h"

enum pol_state {
    POL_ACTIVE,
    POL_REJECTED,
    POL_HELD,
    POL_NEVER_MATCHES,
    POL_NOT_IMPORTED, /* nothing against it, and no VRF here wants it: for others alone */
};

#define POL_REASON_SIZE 640 /* a rule's components, or two rules and a packet */

struct pol_verdict {
    enum pol_state state;
    const char *step;             /* the step that decided; NULL when active */
    bool warning;                 /* active, and `reason` is what there is to say against it */
    char reason[POL_REASON_SIZE]; /* empty when active without a warning; else a stable word, then free text after ": "
                                   */
};

/* Traffic of one family that no rule may take away: by discarding it, limiting its rate or sending it elsewhere. */
struct pol_protect {
    const struct fs_rule *match;
    uint8_t unless_longer_than; /* rules of a longer destination or source prefix may; 0: none may */
    bool whole;                 /* unasked for: only from rules that take all of it, and not from the configuration's */
    unsigned line;              /* of the configuration, for the reason */
};

/* Of a rule with a route distinguisher (RFC 8955 8): the VRFs that import it. */
struct pol_vrfs {
    size_t importing;
    size_t feasible; /* those of them whose routes bear it out: it is enforced in these */
    bool trusted;    /* it needs no routes that bear it out: its source is taken at its word */
    const char *why; /* where there are none: why */
};

/* What the steps judge. */
struct pol_candidate {
    const struct fs_rule *rule;
    const struct fs_actions *actions;
    const char *unsupported_action; /* the data plane cannot carry this one out; NULL: it can do all of them */
    const struct pol_protect *protects;
    size_t protect_count;
    const struct pol_peer_policy *policy; /* of the peer; NULL: it has none */
    uint32_t peer_rules;                  /* other rules that take a place of the peer's max-rules */
    const struct pol_origin *origin;      /* NULL: not validated against unicast routes */
    const struct pol_vrfs *vrfs;          /* counts for a rule with a route distinguisher, instead of `origin` */
    uint32_t destination_rules;           /* those of them that have the same destination */
    uint32_t cost;                        /* of this rule, in the classifier's unit */
    uint64_t peer_cost;                   /* of the other rules */
    /* Whether the peer announces a prefix that covers this one; NULL: it announces none. */
    bool (*announces)(void *ctx, const struct ip_prefix *prefix);
    void *announces_ctx;
    const struct pol_guard *guard; /* NULL: nothing is measured */
    /* Fills in what the rule would take of the traffic seen lately. Called by the step that needs it. */
    void (*measure)(void *ctx, const struct fs_rule *rule, struct pol_blast *out);
    void *measure_ctx;
    bool senseless_passes;   /* a rule that no packet can match is let through with a warning */
    bool approved;           /* somebody has let it pass the guard */
    bool from_configuration; /* the rule is the file's, else a peer's or the operator's */
};

/* Whether matching packets are discarded, limited or sent elsewhere. A copy, a mark or a sample leaves them alone. */
bool pol_takes_away(const struct fs_actions *actions);

/* Whether that step (NULL: none) comes before the peer's number of rules is asked for: what it refuses takes no place.
 */
bool pol_step_before_place(const char *step);

/* Whether a refusal for this reason ends by itself once the peer has fewer rules. */
bool pol_waits_for_place(const char *reason);

/* One step's name and verdict; called for each step in order. */
typedef void (*pol_step_fn)(void *ctx, const char *step, const struct pol_verdict *verdict);

/* Runs the steps until one does not accept, and gives its verdict (POL_ACTIVE when all accept). */
void pol_judge(const struct pol_candidate *candidate, struct pol_verdict *verdict);

/* Runs every step and reports each; returns the verdict that pol_judge would give through `verdict`. */
void pol_judge_each(const struct pol_candidate *candidate, pol_step_fn report, void *ctx, struct pol_verdict *verdict);

#endif
