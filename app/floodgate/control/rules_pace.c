/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `max-changes`: a source that makes more changes a second than its policy allows has the rest of them delayed, in
 * their order; none is lost, and withdrawals never wait. A rule that is in force stays as it is until its turn.
 */
#include <stdio.h>

#include "control/rules_internal.h"

/* As many changes as a second brings are free at any moment; a fresh source has them, too. */
static bool take_change(struct rule_source *source, mono_ms_t now)
{
    double rate = source->policy->max_changes_per_s;

    if (source->changes_at == 0)
        source->changes = rate;
    else
        source->changes += rate * (double)(now - source->changes_at) / MONO_MS_PER_S;
    source->changes_at = now;
    if (source->changes > rate)
        source->changes = rate;
    if (source->changes < 1)
        return false;
    source->changes--;
    return true;
}

static bool is_paced(const struct rule *rule)
{
    return rule->source->policy != NULL && rule->source->policy->max_changes_per_s > 0;
}

bool rule_pace(struct rules *rules, struct rule *rule, mono_ms_t now)
{
    char reason[160];

    if (!is_paced(rule)) {
        rule_pace_forget(rules, rule);
        return true;
    }
    if (rule->delayed)
        return false; /* its turn comes */
    if (take_change(rule->source, now))
        return true;
    rule->delayed = true;
    TAILQ_INSERT_TAIL(&rules->delayed, rule, turn);
    rules->delayed_count++;
    snprintf(reason, sizeof reason, "max-changes: waits its turn, policy %s allows %u changes a second",
             rule->source->policy->name, rule->source->policy->max_changes_per_s);
    rule_set_state(rules, rule, rule->in_force ? rule->state : RULE_HELD, "max-changes", reason);
    return false;
}

void rule_pace_forget(struct rules *rules, struct rule *rule)
{
    if (!rule->delayed)
        return;
    rule->delayed = false;
    TAILQ_REMOVE(&rules->delayed, rule, turn);
    rules->delayed_count--;
}

void rules_pace_tick(struct rules *rules, mono_ms_t now)
{
    struct rule *next;

    for (struct rule *rule = TAILQ_FIRST(&rules->delayed); rule != NULL; rule = next) {
        next = TAILQ_NEXT(rule, turn);
        if (is_paced(rule) && !take_change(rule->source, now))
            continue;
        rule_pace_forget(rules, rule);
        rule_decide(rules, rule);
        if (rules->changed != NULL) /* whatever it was told while it waited, peers were not */
            rules->changed(rules->changed_ctx, rule, false);
    }
}

size_t rules_delayed(const struct rules *rules)
{
    return rules->delayed_count;
}
