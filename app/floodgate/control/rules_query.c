/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to the rule table. None of them changes it. */
#include <string.h>

#include "control/rules_internal.h"
#include "flowspec/order.h"

const struct rule *rules_next(const struct rules *rules, const struct rule *rule)
{
    return (const struct rule *)(rule == NULL ? ord_first(&rules->list) : ord_next(&rule->node));
}

const struct rule *rules_after(const struct rules *rules, const struct fs_rule *match)
{
    const struct rule *rule = (const struct rule *)ord_find(&rules->list, match);

    if (rule != NULL && fs_rule_compare(rule->match, match) == 0)
        rule = rules_next(rules, rule);
    return rule;
}

const struct rule *rules_find(const struct rules *rules, uint32_t id)
{
    return rule_ids_find(rules->ids, id);
}

uint32_t rules_rank(const struct rules *rules, const struct rule *rule)
{
    uint32_t rank = 0;

    for (const struct rule *at = rules_next(rules, NULL); at != NULL && at != rule; at = rules_next(rules, at))
        if (at->match->family == rule->match->family)
            rank++;
    return rank;
}

void rules_count(const struct rules *rules, uint32_t count[RULE_STATE_COUNT])
{
    memcpy(count, rules->count, sizeof rules->count);
}
