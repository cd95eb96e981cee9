/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much one peer may have of the router: rules, rules for one destination, and what they cost the classifier. A rule
 * beyond it waits for a place, so each reason begins with the key's name: whoever keeps the rules asks for that.
 */
#include <string.h>

#include "policy/steps.h"

void pol_step_max_rules(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    const struct pol_peer_policy *policy = candidate->policy;

    if (policy == NULL)
        return;
    if (policy->max_rules > 0 && candidate->peer_rules >= policy->max_rules)
        pol_refuse(verdict, POL_REJECTED, "max-rules: the peer has its %u rules, the most that policy %s allows",
                   policy->max_rules, policy->name);
    else if (policy->max_rules_per_destination > 0 && candidate->destination_rules >= policy->max_rules_per_destination)
        pol_refuse(verdict, POL_REJECTED,
                   "max-rules-per-destination: the peer has its %u rules for this destination, the most that policy "
                   "%s allows",
                   policy->max_rules_per_destination, policy->name);
}

void pol_step_cost(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    const struct pol_peer_policy *policy = candidate->policy;

    if (policy != NULL && policy->cost_budget > 0 && candidate->peer_cost + candidate->cost > policy->cost_budget)
        pol_refuse(verdict, POL_REJECTED,
                   "cost-budget: the rule costs %u, and the peer's other rules %llu of the %u that policy %s allows",
                   candidate->cost, (unsigned long long)candidate->peer_cost, policy->cost_budget, policy->name);
}

bool pol_waits_for_place(const char *reason)
{
    static const char *const WORDS[] = {"max-rules:", "max-rules-per-destination:", "cost-budget:"};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strncmp(reason, WORDS[i], strlen(WORDS[i])) == 0)
            return true;
    return false;
}
