/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule table and its feed. What happens to a rule is decided in one place, rule_decide: verdict of the policy, then
 * the operator's word, then room in the data plane. The rest keeps the table in order and says what is in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/build.h"
#include "base/idpool.h"
#include "classifier/classifier.h"
#include "control/guard.h"
#include "control/internal.h"
#include "control/judge.h"
#include "control/redirect.h"
#include "control/rejudge.h"
#include "control/rules_internal.h"
#include "control/vrf_import.h"
#include "dataplane/dataplane.h"
#include "flowspec/order.h"

static const enum rule_state STATE_OF_VERDICT[] = {
    [POL_ACTIVE] = RULE_ACTIVE,
    [POL_REJECTED] = RULE_REJECTED,
    [POL_HELD] = RULE_HELD,
    [POL_NEVER_MATCHES] = RULE_NEVER_MATCHES,
    [POL_NOT_IMPORTED] = RULE_NOT_IMPORTED,
};

static int compare(const struct ord_node *node, const void *key)
{
    const struct rule *rule = (const struct rule *)node; /* the node is its first member */

    return fs_rule_compare(rule->match, key);
}

const char *rule_source_text(const struct rule *rule)
{
    if (rule->source_name != NULL)
        return rule->source_name;
    return rule->source_kind == BGP_SOURCE_CONFIG ? "configuration" : "operator";
}

static unsigned family_index(const struct rule *rule)
{
    return rule->match->family == IP_V6;
}

/* Only where the policy asks how many there are; what was counted is counted out again whatever it asks by then. */
static void tally_destination(struct rules *rules, struct rule *rule, int by)
{
    const struct pol_peer_policy *policy = rule->source->policy;

    if (by < 0 && rule->counted) {
        destination_count_drop(rules->destinations, rule->source->rib.number, rule->match);
        rule->counted = false;
    } else if (by > 0 && rule_has_place(rule) && policy != NULL && policy->max_rules_per_destination > 0) {
        rule->counted = destination_count_add(rules->destinations, rule->source->rib.number, rule->match);
    }
}

/* Counts a rule in (+1) or out (-1) of its state, in the table's sums and its source's. */
static void tally(struct rules *rules, struct rule *rule, int by)
{
    rules->count[rule->state] += (uint32_t)by;
    rule->source->states[family_index(rule)][rule->state] += (uint64_t)by;
    rules->unplaced += rule->unplaced ? (uint32_t)by : 0;
    if (rule->over_limit) {
        rule->source->over_limit += (uint32_t)by;
    } else if (rule_has_place(rule)) {
        rule->source->placed += (uint32_t)by;
        rule->source->cost += (uint64_t)(int64_t)by * rule->cost;
    }
    tally_destination(rules, rule, by);
}

/* The program in force has other redirects now, or there is none any more: the old next hops go back. */
static void redirects_set(struct rules *rules, struct rule *rule, uint16_t vrf, struct act_ways *ways)
{
    struct act_ways *before = rule->ways;

    rule->vrf = vrf;
    rule->ways = ways;
    redirect_release(rules->dp, before);
}

static const char *place_refused(const struct rules *rules, const struct rule *rule, int error)
{
    switch (error) {
    case -ENOMEM:
        if (rules->unplaced == 0) /* of many one line: the others wait with it */
            log_line(
                rules->log, LOG_LEVEL_ERROR,
                "the data plane's memory for rules is full (dataplane.rules-memory): rule %u (%s), and others that "
                "find no room, are not enforced; they are tried again",
                rule->id, rule_source_text(rule));
        return "memory: no room for the rule in the data plane (dataplane.rules-memory)";
    case -EEXIST:
        return "internal: an equal rule is in force under another id";
    default:
        return "internal: the data plane refused the rule";
    }
}

/* Takes over the VRFs that the rule is in force in. */
static void vrfs_set(struct rule *rule, struct vrf_set *vrfs)
{
    free(rule->vrfs);
    rule->vrfs = vrfs;
}

/*
 * Puts the rule into force, or renews its program there; `*vrfs` is taken over then. Returns NULL, or why it cannot be.
 */
static const char *rule_place(struct rules *rules, struct rule *rule, struct act_program *program,
                              struct vrf_set **vrfs)
{
    /* its id is still leaving: on_released comes back here within milliseconds */
    if (rule_ids_clearing(rules->ids, rule->id))
        return NULL;
    if (!redirect_resolve(rules->dp, judge_cfg(rules->judge), &rule->actions, *vrfs, program))
        return place_refused(rules, rule, -ENOMEM);
    int error = dataplane_rule_set(rules->dp, rule->id, rule->match, program, *vrfs);
    if (error < 0) {
        redirect_release(rules->dp, program->ways);
        return place_refused(rules, rule, error);
    }
    redirects_set(rules, rule, program->vrf, program->ways);
    vrfs_set(rule, *vrfs);
    *vrfs = NULL;
    rule->in_force = true;
    return NULL;
}

static void rule_set_reason(struct rule *rule, const char *reason)
{
    free(rule->reason);
    rule->reason = reason[0] != '\0' ? strdup(reason) : NULL;
}

/*
 * Peers' rules come and go by the thousand, and who adds one by hand is told at once. A rule of the file that is not
 * enforced would go unnoticed; where memory is short, another line says so for all.
 */
static enum log_level news_level(const struct rule *rule)
{
    bool refused = rule->warned || rule->state == RULE_REJECTED || rule->state == RULE_NEVER_MATCHES ||
                   rule->state == RULE_HELD || rule->state == RULE_NOT_IMPORTED;

    return rule->source_kind == BGP_SOURCE_CONFIG && refused && !rule->unplaced ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG;
}

static void tell_changed(const struct rules *rules, const struct rule *rule, bool gone)
{
    if (rules->changed != NULL)
        rules->changed(rules->changed_ctx, rule, gone);
}

void rule_set_state(struct rules *rules, struct rule *rule, enum rule_state state, const char *step, const char *reason)
{
    bool had_place = rule_has_place(rule), refused = state == RULE_REJECTED || state == RULE_NEVER_MATCHES;
    bool news = state != rule->state || strcmp(reason, rule->reason != NULL ? rule->reason : "") != 0;

    tally(rules, rule, -1);
    rule->state = state;
    rule->unplaced = state == RULE_REJECTED && strncmp(reason, "memory:", 7) == 0;
    rule->over_limit = state == RULE_REJECTED && pol_waits_for_place(reason);
    rule->outside = refused && pol_step_before_place(step);
    tally(rules, rule, +1);
    if (had_place && !rule_has_place(rule) && rule->source->over_limit > 0)
        rules->place_free = true;
    if (!news)
        return;
    rule->state_ms = control_now();
    rule_set_reason(rule, reason);
    rule_record(rules, rule, "verdict", step, "router");
    if (state == RULE_HELD && !rule->delayed)
        rule_tell_held(rules, rule);
    else
        log_line(rules->log, news_level(rule), "rule %u (%s): %s%s%s", rule->id, rule_source_text(rule),
                 rule_state_name(state), reason[0] != '\0' ? ", " : "", reason);
    tell_changed(rules, rule, false);
}

/* What is counted and not enforced goes on to the next rule that matches, as if this one were not there. */
static const struct act_program DRY_RUN_PROGRAM = {.go_on = true};

/* What is to become of a rule, and why. */
struct decision {
    struct act_program program; /* what the data plane would run */
    struct vrf_verdict vrf;     /* of a rule with a route distinguisher */
    struct pol_verdict verdict;
    enum rule_state state;
    bool warned;      /* the reason is the guard's warning */
    const char *step; /* NULL: the word of the reason */
    const char *reason;
};

/* What of an active rule has no effect now. */
static void rule_note(const struct rules *rules, const struct rule *rule, char *note, size_t size)
{
    judge_note(rules->judge, &rule->actions, note, size);
    if (note[0] == '\0' && rule->in_force)
        rule_redirect_note(rules, rule, note, size);
}

static void rule_judge(const struct rules *rules, const struct rule *rule, struct decision *out)
{
    bool vpn = rule->match->has_rd;
    const struct pol_origin origin = {
        .routes = rule->source->routes, .source = &rule->source->rib, .attrs = &rule->path->attrs};
    bool counted = rule_has_place(rule); /* this one is not among the others */
    struct guard_question question;
    struct pol_candidate candidate = {
        .rule = rule->match,
        .actions = &rule->actions,
        .unsupported_action = act_build(&rule->actions, &out->program),
        .policy = rule->source->policy,
        .announces = judge_source_announces,
        .announces_ctx = rule->source,
        .origin = rule->source->routes != NULL ? &origin : NULL,
        .vrfs = vpn ? &out->vrf.count : NULL,
        .peer_rules = rule->source->placed - counted,
        .cost = rule->cost,
        .peer_cost = rule->source->cost - (counted ? rule->cost : 0),
        .from_configuration = rule->source_kind == BGP_SOURCE_CONFIG,
        .approved = rule_is_approved(rule),
    };

    if (candidate.policy != NULL && candidate.policy->max_rules_per_destination > 0)
        candidate.destination_rules =
            destination_count_get(rules->destinations, rule->source->rib.number, rule->match) - rule->counted;
    out->vrf.vrfs = NULL;
    if (vpn && !vrf_judge(judge_cfg(rules->judge), rule->match, rule->source, &rule->path->attrs, &out->vrf))
        candidate.vrfs = NULL; /* memory is short */
    judge_prepare(rules->judge, &candidate);
    bool elsewhere = rule->in_force && !vrf_set_equal(out->vrf.vrfs, rule->vrfs); /* it takes other traffic then */
    if ((!rule->measured || elsewhere) && rule->tripped == NULL && !rule_is_dry_run(rule)) /* those take nothing */
        guard_prepare(rules->guard, out->vrf.vrfs, &question, &candidate);
    pol_judge(&candidate, &out->verdict);
    out->state = STATE_OF_VERDICT[out->verdict.state];
    out->reason = out->verdict.reason;
    if (rule->warned && rule->reason != NULL && rule->measured && out->state == RULE_ACTIVE)
        out->reason = rule->reason; /* as it was let through */
    else if (out->state == RULE_ACTIVE && !out->verdict.warning)
        rule_note(rules, rule, out->verdict.reason, sizeof out->verdict.reason);
    rule_steer(rule, &out->state, &out->reason);
    out->warned = out->state != RULE_STALE && (out->verdict.warning || out->reason == rule->reason);
    out->step = out->verdict.step;
    if (out->state == RULE_DRY_RUN)
        out->program = DRY_RUN_PROGRAM;
}

static bool wants_place(enum rule_state state)
{
    return state == RULE_ACTIVE || state == RULE_STALE || state == RULE_DRY_RUN;
}

static void rule_follow(struct rules *rules, struct rule *rule, struct decision *decision)
{
    if (wants_place(decision->state)) {
        const char *refusal = rule_place(rules, rule, &decision->program, &decision->vrf.vrfs);
        if (refusal != NULL) {
            decision->state = RULE_REJECTED;
            decision->step = NULL;
            decision->reason = refusal;
        } else if (decision->reason[0] == '\0' && decision->state == RULE_ACTIVE) {
            rule_redirect_note(rules, rule, decision->verdict.reason, sizeof decision->verdict.reason);
            decision->reason = decision->verdict.reason;
        }
    }
    rule->measured = rule_state_enforced(decision->state);
    rule->warned = rule->measured && decision->warned;
    rule_set_state(rules, rule, decision->state, decision->step, decision->reason);
    if (!wants_place(decision->state) && rule->in_force) {
        rule->in_force = false;
        rule_ids_clear(rules->ids, rules->dp, rule->id);
        redirects_set(rules, rule, 0, NULL);
        vrfs_set(rule, NULL);
    }
}

void rule_decide(struct rules *rules, struct rule *rule)
{
    struct decision decision;

    if (rule->source->departs)
        return;
    rule_judge(rules, rule, &decision);
    rule_follow(rules, rule, &decision);
    free(decision.vrf.vrfs);
}

/* A rule whose state and reason stay as they are is left alone: nothing of it changes in the data plane. */
static void rule_judge_again(struct rules *rules, struct rule *rule)
{
    struct decision decision;

    if (rule->source->departs || (rule->delayed && !rule->in_force))
        return; /* it goes, or is judged when its turn comes */
    rule_judge(rules, rule, &decision);
    if (rule->delayed && wants_place(decision.state))
        return; /* what is in force stays until then, unless it may not be any more */
    rule_pace_forget(rules, rule);
    if (decision.state != rule->state || wants_place(decision.state) != rule->in_force ||
        (rule->in_force && !vrf_set_equal(decision.vrf.vrfs, rule->vrfs)) ||
        strcmp(decision.reason, rule->reason != NULL ? rule->reason : "") != 0)
        rule_follow(rules, rule, &decision);
    free(decision.vrf.vrfs);
}

void rules_measure_again(struct rules *rules)
{
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node))
        ((struct rule *)node)->measured = false;
}

void rules_judge_one(struct rules *rules, struct rule *rule)
{
    rule_judge_again(rules, rule);
}

void rules_judge_again(struct rules *rules, bool all)
{
    mono_ms_t now = control_now();

    /* the new policies count other things */
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        if (rule->source->judge_again) {
            tally(rules, rule, -1);
            tally(rules, rule, +1);
        }
    }
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        if (rule->source->judge_again)
            rules_age_again(rules, rule, now);
        if ((all || rule->source->judge_again) && rule->delayed && rule->in_force) {
            rule_pace_forget(rules, rule); /* the program in force is not what is judged */
            rule_decide(rules, rule);
        } else if (all || rule->source->judge_again) {
            rule_judge_again(rules, rule);
        }
    }
}

/* The data plane let go of a rule that has meanwhile become active again. */
static void on_released(void *ctx, struct rule *rule)
{
    if (wants_place(rule->state) && !rule->in_force)
        rule_decide(ctx, rule);
}

struct rules *rules_create(struct dataplane *dp, uint32_t max_rules, const struct log_hook *log)
{
    struct rules *rules = calloc(1, sizeof *rules);

    if (rules == NULL)
        return NULL;
    rules->ids = rule_ids_create(max_rules, on_released, rules);
    rules->destinations = destination_count_create();
    if (rules->ids == NULL || rules->destinations == NULL) {
        if (rules->ids != NULL)
            rule_ids_close(rules->ids);
        destination_count_free(rules->destinations);
        free(rules);
        return NULL;
    }
    TAILQ_INIT(&rules->delayed);
    ord_init(&rules->list, compare);
    rules->dp = dp;
    rules->log = log;
    rules->max_rules = max_rules;
    return rules;
}

static void rule_free(struct rule *rule)
{
    fs_rule_free((struct fs_rule *)(uintptr_t)rule->match); /* const for everybody else */
    free(rule->reason);
    free(rule->tripped);
    free(rule->vrfs);
    free(rule->ways);
    free(rule);
}

void rules_free(struct rules *rules)
{
    if (rules == NULL)
        return;
    struct ord_node *next;
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = next) {
        next = ord_next(node);
        rule_free((struct rule *)node);
    }
    rule_ids_close(rules->ids);
    destination_count_free(rules->destinations);
    free(rules);
}

static struct rule *rule_create(struct rules *rules, const struct bgp_rib_entry *entry)
{
    uint8_t levels = ord_draw_levels(&rules->list);
    struct rule *rule = calloc(1, sizeof *rule + levels * sizeof rule->links[0]);

    if (rule == NULL)
        return NULL;
    rule->match = fs_rule_dup(entry->rule);
    rule->id = rule->match != NULL ? rule_ids_take(rules->ids, rule) : ID_NONE;
    if (rule->id == ID_NONE && rule->match != NULL && rule_ids_leaving(rules->ids)) {
        /* full, but rules are on their way out: a controller that swaps one for another must not wait for a retry */
        dataplane_settle(rules->dp);
        rule->id = rule_ids_take(rules->ids, rule);
    }
    if (rule->id != ID_NONE && dataplane_rule_open(rules->dp, rule->id) < 0) {
        rule_ids_give(rules->ids, rules->dp, rule->id, false);
        rule->id = ID_NONE;
    }
    if (rule->id == ID_NONE) {
        rule_free(rule);
        return NULL;
    }
    rule->node.levels = levels;
    rule->node.up = rule->links;
    rule->family = entry->family;
    rule->state = RULE_REJECTED; /* until it is judged, a moment later */
    rule->outside = true;
    rule->cost = cls_rule_cost(rule->match);
    rule->since = time(NULL);
    rule->since_ms = rule->state_ms = rule->base_ms = control_now();
    if (rule->id > rules->highest_id)
        rules->highest_id = rule->id;
    return rule;
}

/* What the best path says. Returns whether the actions are other ones than before. */
static bool rule_take_path(struct rule *rule, const struct bgp_path *path)
{
    struct fs_actions before = rule->actions;

    rule->path = path;
    rule->marks = path->marks;
    rule->source = (struct rule_source *)(uintptr_t)path->source; /* the first member of its source */
    rule->source_kind = path->source->kind;
    rule->source_name = rule->source->name;
    fs_actions_decode(path->attrs.ext_comms, path->attrs.ext_comms_len, path->attrs.ext_comms6,
                      path->attrs.ext_comms6_len, &rule->actions);
    if (rule->actions.redirect_ip_set && rule->actions.redirect_ip.family == IP_NONE)
        rule->actions.redirect_ip = path->attrs.next_hop; /* the Simpson form names no address itself */
    return !fs_actions_equal(&before, &rule->actions);
}

/* A full table stays full for a while, and each rule of a burst meets it: one line, until something went in again. */
static void log_refused(struct rules *rules)
{
    if (!rules->refused)
        log_line(rules->log, LOG_LEVEL_WARNING,
                 rule_ids_room(rules->ids)
                     ? "no memory for another rule: more than %zu rules cannot be kept"
                     : "dataplane.max-rules reached: rules beyond %zu are not enforced and not shown",
                 rules->list.count);
    rules->refused = true;
}

static void rule_insert(struct rules *rules, struct bgp_rib_entry *entry)
{
    struct rule *rule = rule_create(rules, entry);

    if (rule == NULL) {
        log_refused(rules);
        return;
    }
    rule_take_path(rule, entry->best);
    entry->owner = rule;
    ord_insert(&rules->list, &rule->node, rule->match);
    if (rules->rejudge != NULL && !rejudge_add(rules->rejudge, rule))
        log_line(rules->log, LOG_LEVEL_WARNING,
                 "no memory to follow the routes of rule %u: it is judged once, as things are now", rule->id);
    rule_remember(rules, rule);
    tally(rules, rule, +1);
    if (rule_pace(rules, rule, control_now()))
        rule_decide(rules, rule);
}

/* The rule leaves its source: where others of it were beyond its max-rules, one of them can have the place. */
static void source_left(struct rules *rules, const struct rule *rule)
{
    if (rule_has_place(rule) && rule->source->over_limit > 0)
        rules->place_free = true;
}

static void rule_remove(struct rules *rules, struct rule *rule)
{
    log_line(rules->log, LOG_LEVEL_DEBUG, "rule %u (%s): withdrawn", rule->id, rule_source_text(rule));
    tell_changed(rules, rule, true);
    rule_keep_decisions(rules, rule);
    rule_pace_forget(rules, rule);
    tally(rules, rule, -1);
    source_left(rules, rule);
    ord_remove(&rules->list, &rule->node, rule->match);
    if (rules->rejudge != NULL)
        rejudge_remove(rules->rejudge, rule);
    rule_ids_give(rules->ids, rules->dp, rule->id, rule->in_force);
    redirects_set(rules, rule, 0, NULL);
    rule_free(rule);
}

/* Other actions make another rule of it: what was decided about the old ones does not hold for these. */
static void rule_renew(struct rules *rules, struct rule *rule)
{
    rule->approved_for = 0;
    rule->measured = false;
    rule->expired = RULE_FRESH;
    if (rule_pace(rules, rule, control_now()))
        rule_decide(rules, rule);
}

void rules_best_changed(struct rules *rules, struct bgp_rib_entry *entry, bool withdrawn)
{
    struct rule *rule = entry->owner;

    if (withdrawn) {
        entry->owner = NULL;
        if (rule != NULL)
            rule_remove(rules, rule);
    } else if (rule == NULL) {
        rule_insert(rules, entry);
    } else {
        bool moves = &rule->source->rib != entry->best->source;
        tally(rules, rule, -1);
        if (moves)
            source_left(rules, rule);
        bool other = rule_take_path(rule, entry->best);
        if (moves) { /* another peer's rule has its own time */
            rule->expired = RULE_FRESH;
            rule->since_ms = control_now();
        }
        tally(rules, rule, +1);
        if (other) /* else only the path moved: the rule in force is the same */
            rule_renew(rules, rule);
        else /* but what this source may announce can be something else, or its attributes bear the rule out or not */
            rule_judge_again(rules, rule);
        tell_changed(rules, rule, false); /* attributes that mean nothing here are handed on, too */
    }
}

bool rules_want_retry(const struct rules *rules)
{
    return rules->unplaced > 0 || rules->place_free || (rules->refused && rule_ids_room(rules->ids));
}

void rules_retry(struct rules *rules, struct bgp_rib *rib)
{
    bool full = rules->unplaced > 0, waiting = full || rules->place_free;

    rules->place_free = false;
    for (struct ord_node *node = waiting ? ord_first(&rules->list) : NULL; node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        if ((rule->unplaced || rule->over_limit) && !rule->delayed)
            rule_decide(rules, rule);
    }
    if (full && rules->unplaced == 0)
        log_line(rules->log, LOG_LEVEL_NOTICE, "the data plane has memory for every rule again");
    if (!rules->refused)
        return;
    struct bgp_rib_entry *entry = bgp_rib_next(rib, NULL);
    for (; entry != NULL && rule_ids_room(rules->ids); entry = bgp_rib_next(rib, entry))
        if (entry->owner == NULL)
            rule_insert(rules, entry);
    if (entry == NULL) {
        rules->refused = false;
        log_line(rules->log, LOG_LEVEL_NOTICE, "every rule has its place again");
    }
}
