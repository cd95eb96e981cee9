/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule table and its feed. What happens to a rule is decided in one place, rule_decide: verdict of the policy, then
 * the operator's word, then room in the data plane. The rest keeps the table in order and says what is in it.
 */
#include "control/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/build.h"
#include "base/idpool.h"
#include "control/judge.h"
#include "control/rejudge.h"
#include "control/rule_ids.h"
#include "dataplane/dataplane.h"
#include "flowspec/order.h"
#include "policy/policy.h"

#define RULE_NOTE_SIZE 256 /* octets of a reason beside an active rule */

struct rules {
    struct dataplane *dp;
    const struct log_hook *log;
    const struct judge *judge;
    struct rejudge *rejudge;
    rules_changed_fn changed; /* NULL: nobody listens */
    void *changed_ctx;
    struct ord_list list; /* IPv4 first, then RFC order */
    struct rule_ids *ids;
    uint32_t max_rules;
    uint32_t count[RULE_STATE_COUNT];
    uint32_t unplaced; /* rules whose `unplaced` is set */
    bool place_free;   /* a source has a place within its max-rules and rules that wait for it */
    bool refused;      /* the RIB has rules that got no id or no memory */
};

static const char *const STATE_NAMES[RULE_STATE_COUNT] = {
    [RULE_ACTIVE] = "active",       [RULE_REJECTED] = "rejected",           [RULE_HELD] = "held",
    [RULE_SUSPENDED] = "suspended", [RULE_NEVER_MATCHES] = "never-matches", [RULE_STALE] = "stale",
};

static const enum rule_state STATE_OF_VERDICT[] = {
    [POL_ACTIVE] = RULE_ACTIVE,
    [POL_REJECTED] = RULE_REJECTED,
    [POL_HELD] = RULE_HELD,
    [POL_NEVER_MATCHES] = RULE_NEVER_MATCHES,
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

static int compare(const struct ord_node *node, const void *key)
{
    const struct rule *rule = (const struct rule *)node; /* the node is its first member */

    return fs_rule_compare(rule->match, key);
}

static const char *source_text(const struct rule *rule)
{
    if (rule->source_name != NULL)
        return rule->source_name;
    return rule->source_kind == BGP_SOURCE_CONFIG ? "configuration" : "operator";
}

static unsigned family_index(const struct rule *rule)
{
    return rule->match->family == IP_V6;
}

/* Counts a rule in (+1) or out (-1) of its state, in the table's sums and its source's. */
static void tally(struct rules *rules, struct rule *rule, int by)
{
    rules->count[rule->state] += (uint32_t)by;
    rule->source->states[family_index(rule)][rule->state] += (uint64_t)by;
    rules->unplaced += rule->unplaced ? (uint32_t)by : 0;
    if (rule->over_limit)
        rule->source->over_limit += (uint32_t)by;
    else
        rule->source->placed += (uint32_t)by;
}

/* Puts the rule into force, or renews its program there. Returns NULL, or why it cannot be. */
static const char *rule_place(struct rules *rules, struct rule *rule, const struct act_program *program)
{
    /* its id is still leaving: on_released comes back here within milliseconds */
    if (rule_ids_clearing(rules->ids, rule->id))
        return NULL;
    switch (dataplane_rule_set(rules->dp, rule->id, rule->match, program)) {
    case 0:
        rule->in_force = true;
        return NULL;
    case -ENOMEM:
        return "memory: no room for the rule in the data plane";
    case -EEXIST:
        return "internal: an equal rule is in force under another id";
    default:
        return "internal: the data plane refused the rule";
    }
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
    bool refused = rule->state == RULE_REJECTED || rule->state == RULE_NEVER_MATCHES || rule->state == RULE_HELD;

    return rule->source_kind == BGP_SOURCE_CONFIG && refused && !rule->unplaced ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG;
}

static void tell_changed(const struct rules *rules, const struct rule *rule, bool gone)
{
    if (rules->changed != NULL)
        rules->changed(rules->changed_ctx, rule, gone);
}

static void rule_set_state(struct rules *rules, struct rule *rule, enum rule_state state, const char *reason)
{
    bool news = state != rule->state || strcmp(reason, rule->reason != NULL ? rule->reason : "") != 0;

    tally(rules, rule, -1);
    rule->state = state;
    rule->unplaced = state == RULE_REJECTED && strncmp(reason, "memory:", 7) == 0;
    rule->over_limit = state == RULE_REJECTED && strncmp(reason, "max-rules:", 10) == 0;
    tally(rules, rule, +1);
    if (!news)
        return;
    rule_set_reason(rule, reason);
    log_line(rules->log, news_level(rule), "rule %u (%s): %s%s%s", rule->id, source_text(rule), rule_state_name(state),
             reason[0] != '\0' ? ", " : "", reason);
    tell_changed(rules, rule, false);
}

/* What the policy says of the rule; `program` is what the data plane would run. */
static void rule_judge(const struct rules *rules, const struct rule *rule, struct act_program *program,
                       struct pol_verdict *verdict)
{
    const struct pol_origin origin = {
        .routes = rule->source->routes, .source = &rule->source->rib, .attrs = &rule->path->attrs};
    struct pol_candidate candidate = {
        .rule = rule->match,
        .actions = &rule->actions,
        .unsupported_action = act_build(&rule->actions, program),
        .policy = rule->source->policy,
        .origin = rule->source->routes != NULL ? &origin : NULL,
        .peer_rules = rule->source->placed - !rule->over_limit, /* this one not counted */
        .from_configuration = rule->source_kind == BGP_SOURCE_CONFIG,
    };

    judge_prepare(rules->judge, &candidate);
    pol_judge(&candidate, verdict);
}

/* Judges the rule as it is now and makes the data plane follow. */
static void rule_decide(struct rules *rules, struct rule *rule)
{
    struct act_program program;
    struct pol_verdict verdict;

    rule_judge(rules, rule, &program, &verdict);
    enum rule_state state = STATE_OF_VERDICT[verdict.state];
    const char *reason = verdict.reason;
    char note[RULE_NOTE_SIZE];
    if (state == RULE_ACTIVE && rule->suspended_by_operator) {
        state = RULE_SUSPENDED;
        reason = "operator: suspended until it is resumed";
    }
    if (state == RULE_ACTIVE) {
        const char *refusal = rule_place(rules, rule, &program);
        if (refusal != NULL) {
            state = RULE_REJECTED;
            reason = refusal;
        } else {
            judge_note(rules->judge, &rule->actions, note, sizeof note);
            reason = note;
        }
    }
    rule_set_state(rules, rule, state, reason);
    if (state != RULE_ACTIVE && rule->in_force) {
        rule->in_force = false;
        rule_ids_clear(rules->ids, rules->dp, rule->id);
    }
}

static bool note_same(const struct rules *rules, const struct rule *rule)
{
    char note[RULE_NOTE_SIZE];

    judge_note(rules->judge, &rule->actions, note, sizeof note);
    return strcmp(note, rule->reason != NULL ? rule->reason : "") == 0;
}

/* A rule in force that may stay so, or one refused for the same reason, is left alone: nothing of it changes. */
static void rule_judge_again(struct rules *rules, struct rule *rule)
{
    struct act_program program;
    struct pol_verdict verdict;

    rule_judge(rules, rule, &program, &verdict);
    bool same = verdict.state == POL_ACTIVE ? (rule->in_force && note_same(rules, rule)) || rule->suspended_by_operator
                                            : STATE_OF_VERDICT[verdict.state] == rule->state && rule->reason != NULL &&
                                                  strcmp(rule->reason, verdict.reason) == 0;
    if (!same || (verdict.state == POL_ACTIVE && rule->suspended_by_operator && rule->state != RULE_SUSPENDED))
        rule_decide(rules, rule);
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

void rules_judge_one(struct rules *rules, struct rule *rule)
{
    rule_judge_again(rules, rule);
}

void rules_judge_again(struct rules *rules, bool all)
{
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        if (all || rule->source->judge_again)
            rule_judge_again(rules, rule);
    }
}

/* The data plane let go of a rule that has meanwhile become active again. */
static void on_released(void *ctx, struct rule *rule)
{
    if (rule->state == RULE_ACTIVE && !rule->in_force)
        rule_decide(ctx, rule);
}

struct rules *rules_create(struct dataplane *dp, uint32_t max_rules, const struct log_hook *log)
{
    struct rules *rules = calloc(1, sizeof *rules);

    if (rules == NULL)
        return NULL;
    rules->ids = rule_ids_create(max_rules, on_released, rules);
    if (rules->ids == NULL) {
        free(rules);
        return NULL;
    }
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
    rule->since = time(NULL);
    return rule;
}

/* What the best path says. Returns whether the actions are other ones than before. */
static bool rule_take_path(struct rule *rule, const struct bgp_path *path)
{
    struct fs_actions before = rule->actions;

    rule->path = path;
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
    tally(rules, rule, +1);
    rule_decide(rules, rule);
}

/* The rule leaves its source: where others of it were beyond its max-rules, one of them can have the place. */
static void source_left(struct rules *rules, const struct rule *rule)
{
    if (!rule->over_limit && rule->source->over_limit > 0)
        rules->place_free = true;
}

static void rule_remove(struct rules *rules, struct rule *rule)
{
    log_line(rules->log, LOG_LEVEL_DEBUG, "rule %u (%s): withdrawn", rule->id, source_text(rule));
    tell_changed(rules, rule, true);
    tally(rules, rule, -1);
    source_left(rules, rule);
    ord_remove(&rules->list, &rule->node, rule->match);
    if (rules->rejudge != NULL)
        rejudge_remove(rules->rejudge, rule);
    rule_ids_give(rules->ids, rules->dp, rule->id, rule->in_force);
    rule_free(rule);
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
        tally(rules, rule, -1);
        if (&rule->source->rib != entry->best->source)
            source_left(rules, rule);
        bool other = rule_take_path(rule, entry->best);
        tally(rules, rule, +1);
        if (other) /* else only the path moved: the rule in force is the same */
            rule_decide(rules, rule);
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
    bool waiting = rules->unplaced > 0 || rules->place_free;

    rules->place_free = false;
    for (struct ord_node *node = waiting ? ord_first(&rules->list) : NULL; node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        if (rule->unplaced || rule->over_limit)
            rule_decide(rules, rule);
    }
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

bool rules_suspend(struct rules *rules, uint32_t id, char *why, size_t size)
{
    struct rule *rule = rule_ids_find(rules->ids, id);

    if (rule == NULL) {
        snprintf(why, size, "there is no rule %u", id);
        return false;
    }
    if (rule->state != RULE_ACTIVE) {
        snprintf(why, size, "rule %u is %s, not active", id, rule_state_name(rule->state));
        return false;
    }
    rule->suspended_by_operator = true;
    rule_decide(rules, rule);
    log_line(rules->log, LOG_LEVEL_NOTICE, "rule %u (%s): suspended by the operator", id, source_text(rule));
    return true;
}

bool rules_resume(struct rules *rules, uint32_t id, char *why, size_t size)
{
    struct rule *rule = rule_ids_find(rules->ids, id);

    if (rule == NULL) {
        snprintf(why, size, "there is no rule %u", id);
        return false;
    }
    if (!rule->suspended_by_operator) {
        snprintf(why, size, "rule %u is %s, not suspended", id, rule_state_name(rule->state));
        return false;
    }
    rule->suspended_by_operator = false;
    rule_decide(rules, rule);
    log_line(rules->log, LOG_LEVEL_NOTICE, "rule %u (%s): resumed by the operator, now %s", id, source_text(rule),
             rule_state_name(rule->state));
    return true;
}
