/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decisions on rules that the policy accepts: the operator's, the circuit breaker's, and those that time makes. Each is
 * a mark on the rule; rule_steer says what the marks mean together, in one place. Each is in the journal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "control/decisions.h"
#include "control/internal.h"
#include "control/journal.h"
#include "control/rules_internal.h"
#include "dataplane/dataplane.h"
#include "flowspec/text.h"

#define RULE_TEXT 1024

void rule_record(const struct rules *rules, const struct rule *rule, const char *event, const char *step,
                 const char *by)
{
    const char *reason = rule->reason != NULL ? rule->reason : "";
    char text[RULE_TEXT], word[32];
    struct strbuf out = sb_init(text, sizeof text);

    if (rules->journal == NULL)
        return;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(reason, ":"), reason);
    fs_rule_format(rule->match, &rule->actions, &out);
    journal_add(rules->journal, &(struct journal_entry){.rule = rule->id,
                                                        .event = event,
                                                        .peer = rule_source_text(rule),
                                                        .state = rule_state_name(rule->state),
                                                        .step = step != NULL ? step : word,
                                                        .by = by,
                                                        .text = text,
                                                        .reason = reason});
}

bool rule_is_dry_run(const struct rule *rule)
{
    bool by_policy =
        rule->source->policy != NULL && rule->source->policy->dry_run && rule->promoted_for != rule->source->rib.number;

    return rule->dry_run || by_policy;
}

void rule_steer(const struct rule *rule, enum rule_state *state, const char **reason)
{
    if (rule->expired == RULE_LAPSED && *state == RULE_HELD) {
        *state = RULE_REJECTED;
        *reason = "lapsed: it was held, and nobody approved it in time; announced anew with other actions it is "
                  "judged again";
    }
    bool imported = *state != RULE_NOT_IMPORTED;
    if (*state != RULE_ACTIVE && imported)
        return;
    if (rule->expired == RULE_TOO_OLD || rule->expired == RULE_IDLE) {
        *state = RULE_REJECTED;
        *reason = rule->expired == RULE_TOO_OLD
                      ? "max-age: it has been here longer than its peer's policy allows"
                      : "idle-age: no packet matched it for as long as its peer's policy allows";
    } else if (rule->source->killed) {
        *state = RULE_SUSPENDED;
        *reason = "kill-switch: none of this peer's rules is enforced until it is off";
    } else if (rule->suspended_by_operator) {
        *state = RULE_SUSPENDED;
        *reason = "operator: suspended until it is resumed";
    } else if (rule->tripped != NULL) {
        *state = RULE_SUSPENDED;
        *reason = rule->tripped;
    } else if (rule_is_dry_run(rule) && !imported) {
        *state = RULE_REJECTED; /* nowhere to be counted, and nobody else is to enforce it */
        *reason = "dry-run: no VRF here imports it, and it is not handed on until it is promoted";
    } else if (rule_is_dry_run(rule)) {
        *state = RULE_DRY_RUN;
        *reason = "dry-run: counted, not enforced until it is promoted";
    } else if (imported && (rule->marks & (BGP_PATH_STALE | BGP_PATH_LONG_LIVED)) != 0) {
        *state = RULE_STALE; /* enforced, and says that its peer's session is gone */
        *reason = (rule->marks & BGP_PATH_LONG_LIVED) != 0
                      ? "long-lived-stale: the peer's session is lost; any other source of the rule is preferred"
                      : "graceful-restart: the peer's session is lost; the rule is kept while it may come back";
    }
}

void rule_tell_held(struct rules *rules, const struct rule *rule)
{
    uint64_t held_back;

    if (!log_limit_pass(&rules->held_lines, control_now(), &held_back))
        return;
    if (held_back > 0)
        log_line(rules->log, LOG_LEVEL_WARNING, "%llu more rules are held: `fgctl rules --state held`",
                 (unsigned long long)held_back);
    log_line(rules->log, LOG_LEVEL_WARNING, "rule %u (%s) is held until `fgctl rule approve %u`, or lapses: %s",
             rule->id, rule_source_text(rule), rule->id, rule->reason != NULL ? rule->reason : "");
}

static struct rule *find(struct rules *rules, uint32_t id, char *why, size_t size)
{
    struct rule *rule = rule_ids_find(rules->ids, id);

    if (rule == NULL)
        snprintf(why, size, "there is no rule %u", id);
    return rule;
}

static void tell(const struct rules *rules, const struct rule *rule, const char *what, const char *event,
                 const char *by)
{
    log_line(rules->log, LOG_LEVEL_NOTICE, "rule %u (%s): %s by the operator, now %s", rule->id, rule_source_text(rule),
             what, rule_state_name(rule->state));
    rule_record(rules, rule, event, "operator", by);
}

bool rules_suspend(struct rules *rules, uint32_t id, const char *by, char *why, size_t size)
{
    struct rule *rule = find(rules, id, why, size);

    if (rule == NULL)
        return false;
    if (!rule_state_handed_on(rule->state) && rule->state != RULE_DRY_RUN) {
        snprintf(why, size, "rule %u is %s, not active", id, rule_state_name(rule->state));
        return false;
    }
    rule->suspended_by_operator = true;
    rule_decide(rules, rule);
    tell(rules, rule, "suspended", "suspend", by);
    return true;
}

bool rules_resume(struct rules *rules, uint32_t id, const char *by, char *why, size_t size)
{
    struct rule *rule = find(rules, id, why, size);

    if (rule == NULL)
        return false;
    if (!rule->suspended_by_operator && rule->tripped == NULL && dataplane_bypassed(rules->dp)) {
        snprintf(why, size, "rule %u is not enforced for the kill-switch is on: `kill-switch off`", id);
        return false;
    }
    if (!rule->suspended_by_operator && rule->tripped == NULL) {
        snprintf(why, size, "rule %u is %s, not suspended", id, rule_state_name(rule->state));
        return false;
    }
    rule->suspended_by_operator = false;
    free(rule->tripped);
    rule->tripped = NULL;
    rule->approved_for = rule->source->rib.number; /* by somebody who knows what it takes */
    rule_decide(rules, rule);
    tell(rules, rule, "resumed", "resume", by);
    return true;
}

bool rules_approve(struct rules *rules, uint32_t id, const char *by, char *why, size_t size)
{
    struct rule *rule = find(rules, id, why, size);

    if (rule == NULL)
        return false;
    if (rule->delayed) {
        snprintf(why, size, "rule %u waits its turn (max-changes): it needs no approval", id);
        return false;
    }
    if (rule->state != RULE_HELD && rule->expired != RULE_LAPSED) {
        snprintf(why, size, "rule %u is %s, not held: there is nothing to approve", id, rule_state_name(rule->state));
        return false;
    }
    rule->approved_for = rule->source->rib.number;
    rule->expired = RULE_FRESH;
    rule_decide(rules, rule);
    tell(rules, rule, "approved", "approve", by);
    return true;
}

bool rules_dry_run(struct rules *rules, uint32_t id, const char *by, char *why, size_t size)
{
    struct rule *rule = find(rules, id, why, size);

    if (rule == NULL)
        return false;
    if (rule_is_dry_run(rule)) {
        snprintf(why, size, "rule %u is in dry-run already", id);
        return false;
    }
    rule->dry_run = true;
    rule->promoted_for = 0;
    rule_decide(rules, rule);
    tell(rules, rule, "put into dry-run", "dry-run", by);
    return true;
}

bool rules_promote(struct rules *rules, uint32_t id, const char *by, char *why, size_t size)
{
    struct rule *rule = find(rules, id, why, size);

    if (rule == NULL)
        return false;
    if (!rule_is_dry_run(rule)) {
        snprintf(why, size, "rule %u is %s, not in dry-run: there is nothing to promote", id,
                 rule_state_name(rule->state));
        return false;
    }
    rule->dry_run = false;
    rule->promoted_for = rule->source->rib.number;
    rule->measured = false; /* nothing was taken so far */
    rule_decide(rules, rule);
    tell(rules, rule, "promoted", "promote", by);
    return true;
}

bool rules_kill(struct rules *rules, struct rule_source *source, bool on, const char *by)
{
    if (source->killed == on)
        return false;
    source->killed = on;
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        if (rule->source != source)
            continue;
        if (on && rule->in_force)
            rule_pace_forget(rules, rule); /* what is in force while its change waits must not wait, too */
        if (!rule->delayed)
            rule_decide(rules, rule);
    }
    log_line(rules->log, on ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, "kill-switch of peer %s is %s", source->name,
             on ? "ON: none of its rules is enforced" : "off: its rules are enforced again");
    journal_add(
        rules->journal,
        &(struct journal_entry){
            .event = "kill-switch", .peer = source->name, .state = on ? "on" : "off", .step = "operator", .by = by});
    return true;
}

void rules_trip(struct rules *rules, uint32_t id, const char *reason)
{
    struct rule *rule = rule_ids_find(rules->ids, id);
    char *copy = rule != NULL ? strdup(reason) : NULL;

    if (copy == NULL)
        return;
    free(rule->tripped);
    rule->tripped = copy;
    rule->approved_for = 0;
    rule_decide(rules, rule);
    log_line(rules->log, LOG_LEVEL_ERROR, "rule %u (%s) SUSPENDED: %s", id, rule_source_text(rule), reason);
    rule_record(rules, rule, "breaker", "breaker", "router");
}

void rules_expire(struct rules *rules, uint32_t id, enum rule_expiry why)
{
    struct rule *rule = rule_ids_find(rules->ids, id);

    if (rule == NULL || rule->expired == why)
        return;
    rule->expired = why;
    rule_decide(rules, rule);
    log_line(rules->log, LOG_LEVEL_INFO, "rule %u (%s): %s", id, rule_source_text(rule),
             rule->reason != NULL ? rule->reason : rule_state_name(rule->state));
}

/* What stands of the rule, each as the event that made it so. */
static size_t record_rule(const struct rules *rules, const struct rule *rule)
{
    const struct {
        bool stands;
        const char *event;
    } marks[] = {{rule_is_approved(rule), "approve"},
                 {rule->promoted_for == rule->source->rib.number, "promote"},
                 {rule->dry_run, "dry-run"},
                 {rule->tripped != NULL, "breaker"},
                 {rule->suspended_by_operator, "suspend"}};
    size_t count = 0;

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (!marks[i].stands)
            continue;
        rule_record(rules, rule, marks[i].event, "kept", "router");
        count++;
    }
    return count;
}

size_t rules_record_decisions(const struct rules *rules)
{
    size_t count = 0;

    for (const struct rule *rule = rules_next(rules, NULL); rule != NULL; rule = rules_next(rules, rule))
        count += record_rule(rules, rule);
    return count;
}

void rule_remember(struct rules *rules, struct rule *rule)
{
    if (rules->decisions == NULL || !decisions_apply(rules->decisions, rule, rule_source_text(rule)))
        return;
    log_line(rules->log, LOG_LEVEL_NOTICE, "rule %u (%s): what was decided about it before holds again: %s", rule->id,
             rule_source_text(rule),
             rule->suspended_by_operator ? "suspended by the operator"
             : rule->tripped != NULL     ? "suspended by the circuit breaker"
             : rule_is_dry_run(rule)     ? "in dry-run"
             : rule->promoted_for != 0   ? "promoted"
             : rule->approved_for != 0   ? "approved"
                                         : "nothing");
    record_rule(rules, rule);
}

void rule_keep_decisions(struct rules *rules, struct rule *rule)
{
    if (rules->decisions != NULL && decisions_keep(rules->decisions, rule, rule_source_text(rule), control_now()))
        rule_record(rules, rule, "withdrawn", "", "router");
}
