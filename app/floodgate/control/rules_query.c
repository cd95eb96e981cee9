/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of the rule table, and who has to do with it: nothing here changes a rule. */
#include <string.h>

#include "control/rules_internal.h"
#include "flowspec/order.h"

static const char *const STATE_NAMES[RULE_STATE_COUNT] = {
    [RULE_ACTIVE] = "active",       [RULE_REJECTED] = "rejected",           [RULE_HELD] = "held",
    [RULE_SUSPENDED] = "suspended", [RULE_NEVER_MATCHES] = "never-matches", [RULE_STALE] = "stale",
    [RULE_DRY_RUN] = "dry-run",     [RULE_NOT_IMPORTED] = "not-imported",
};

const char *rule_state_name(enum rule_state state)
{
    return STATE_NAMES[state];
}

bool rule_state_parse(const char *name, enum rule_state *out)
{
    for (unsigned i = 0; i < RULE_STATE_COUNT; i++) {
        if (strcmp(name, STATE_NAMES[i]) == 0) {
            *out = (enum rule_state)i;
            return true;
        }
    }
    return false;
}

void rules_guard_by(struct rules *rules, struct guard *guard)
{
    rules->guard = guard;
}

void rules_remember_in(struct rules *rules, struct decisions *decisions)
{
    rules->decisions = decisions;
}

void rules_journal_to(struct rules *rules, struct journal *journal)
{
    rules->journal = journal;
}

uint32_t rules_highest_id(const struct rules *rules)
{
    return rules->highest_id;
}

void rules_tell(struct rules *rules, rules_changed_fn changed, void *ctx)
{
    rules->changed = changed;
    rules->changed_ctx = ctx;
}

void rules_judge_by(struct rules *rules, const struct judge *judge)
{
    rules->judge = judge;
}

void rules_index_by(struct rules *rules, struct rejudge *rejudge)
{
    rules->rejudge = rejudge;
}

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
