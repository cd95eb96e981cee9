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

/* peer_policy.c: what the peer's policy allows, and how many rules */
void pol_step_policy(const struct pol_candidate *candidate, struct pol_verdict *verdict);
void pol_step_max_rules(const struct pol_candidate *candidate, struct pol_verdict *verdict);

#endif
