/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of validation that have files of their own. Each leaves the verdict alone when it accepts. Private to
 * lib/policy.
 */
#ifndef POLICY_STEPS_H
#define POLICY_STEPS_H

#include "policy/policy.h"

/* Sets the state and the reason. A reason too long is cut, and says so with dots at its end. */
__attribute__((format(printf, 3, 4))) void pol_refuse(struct pol_verdict *verdict, enum pol_state state,
                                                      const char *fmt, ...);

/* sense.c: a rule that no packet can match */
void pol_step_sense(const struct pol_candidate *candidate, struct pol_verdict *verdict);

/* protect.c: a rule that takes protected traffic away */
void pol_step_protect(const struct pol_candidate *candidate, struct pol_verdict *verdict);

/* feasibility.c: a rule that the unicast routes do not bear out */
void pol_step_feasibility(const struct pol_candidate *candidate, struct pol_verdict *verdict);

/* peer_policy.c: what the peer's policy allows */
void pol_step_policy(const struct pol_candidate *candidate, struct pol_verdict *verdict);
bool pol_check_actions(const struct pol_peer_policy *policy, const struct fs_actions *actions,
                       struct pol_verdict *verdict); /* peer_actions.c; false when it refused */
bool pol_target_equal(const struct fs_route_target *a, const struct fs_route_target *b);

/* peer_counts.c: how many rules, and what they cost */
void pol_step_max_rules(const struct pol_candidate *candidate, struct pol_verdict *verdict);
void pol_step_cost(const struct pol_candidate *candidate, struct pol_verdict *verdict);

/* blast.c: how much of the traffic seen lately it would take away */
void pol_step_blast_radius(const struct pol_candidate *candidate, struct pol_verdict *verdict);

#endif
