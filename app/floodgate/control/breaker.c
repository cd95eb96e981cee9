/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/breaker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "control/rules.h"
#include "control/shares.h"
#include "control/suspects.h"
#include "dataplane/dataplane.h"
#include "policy/policy.h"

#define SNAPSHOTS     64    /* of the window: the oldest is what the share is counted from */
#define IDS_PER_TICK  20000 /* a million rules take some seconds: ages are in seconds, too */
#define PACKETS_LEAST 100   /* fewer in the window say nothing */

struct snapshot {
    mono_ms_t at;
    uint64_t packets, dropped;
};

struct breaker {
    struct dataplane *dp;
    struct rules *rules;
    const struct log_hook *log;
    const struct cfg_guard *cfg;
    struct snapshot ring[SNAPSHOTS];
    unsigned first, count;
    uint32_t next_id;
    struct shares *shares; /* of octets, protocols and destinations, in the guard's samples */
    struct breaker_info info;
};

struct breaker *breaker_create(struct dataplane *dp, struct rules *rules, struct guard *guard,
                               const struct log_hook *log)
{
    struct breaker *breaker = calloc(1, sizeof *breaker);

    if (breaker == NULL)
        return NULL;
    breaker->dp = dp;
    breaker->rules = rules;
    breaker->log = log;
    breaker->shares = guard != NULL ? shares_create(dp, rules, guard, log) : NULL;
    if (guard == NULL || breaker->shares != NULL)
        return breaker;
    free(breaker);
    return NULL;
}

void breaker_free(struct breaker *breaker)
{
    if (breaker != NULL)
        shares_free(breaker->shares);
    free(breaker);
}

void breaker_configure(struct breaker *breaker, const struct cfg_guard *cfg)
{
    breaker->cfg = cfg;
    breaker->count = 0;
    if (breaker->shares != NULL)
        shares_configure(breaker->shares, cfg);
}

static struct snapshot take_snapshot(const struct breaker *breaker, mono_ms_t now)
{
    struct cnt_port_sum sum;

    dataplane_flowspec_counters(breaker->dp, &sum);
    return (struct snapshot){.at = now,
                             .packets = sum.rx_packets,
                             .dropped = sum.drops[CNT_DROP_FLOWSPEC_DISCARD] + sum.drops[CNT_DROP_FLOWSPEC_RATE_LIMIT]};
}

/* Keeps a snapshot each 1/32 of the window, so that the ring holds two windows' worth; the oldest goes as it ages. */
static void keep_snapshot(struct breaker *breaker, const struct snapshot *now, mono_ms_t window_ms)
{
    const struct snapshot *last =
        breaker->count > 0 ? &breaker->ring[(breaker->first + breaker->count - 1) % SNAPSHOTS] : NULL;

    if (last != NULL && now->at - last->at < window_ms * 2 / SNAPSHOTS)
        return;
    if (breaker->count == SNAPSHOTS) {
        breaker->first = (breaker->first + 1) % SNAPSHOTS;
        breaker->count--;
    }
    breaker->ring[(breaker->first + breaker->count++) % SNAPSHOTS] = *now;
    /* the oldest that is as old as the window stays, older ones go */
    while (breaker->count > 1 && now->at - breaker->ring[(breaker->first + 1) % SNAPSHOTS].at >= window_ms) {
        breaker->first = (breaker->first + 1) % SNAPSHOTS;
        breaker->count--;
    }
}

/* What the rule has dropped since its base, packets per second; the base follows when it is as old as the window. */
static double follow_rule(const struct breaker *breaker, struct rule *rule, mono_ms_t now)
{
    struct cnt_rule_sum sum;

    dataplane_rule_counters(breaker->dp, rule->id, &sum);
    double seconds = (double)(now - rule->base_ms + 1) / MONO_MS_PER_S;
    double per_s = (double)(sum.dropped_packets - rule->base_packets) / seconds;
    if (now - rule->base_ms < (mono_ms_t)breaker->cfg->window_s * MONO_MS_PER_S)
        return per_s;
    rule->base_packets = sum.dropped_packets;
    rule->base_ms = now;
    return per_s;
}

/* All rules in force that drop something. */
static void find_suspects(struct breaker *breaker, mono_ms_t now, struct suspects *out)
{
    for (const struct rule *rule = rules_next(breaker->rules, NULL); rule != NULL;
         rule = rules_next(breaker->rules, rule)) {
        if (!rule_state_enforced(rule->state))
            continue;
        double per_s = follow_rule(breaker, (struct rule *)(uintptr_t)rule, now);
        if (per_s > 0 && !suspects_add(out, rule, per_s))
            break;
    }
    suspects_sort(out);
}

/* Suspends rules until what the others drop is within the limit. */
static void trip(struct breaker *breaker, const struct snapshot *from, const struct snapshot *now)
{
    const struct cfg_guard *cfg = breaker->cfg;
    double seconds = (double)(now->at - from->at) / MONO_MS_PER_S;
    double all = (double)(now->packets - from->packets) / seconds,
           dropped = (double)(now->dropped - from->dropped) / seconds;
    char reason[POL_REASON_SIZE];
    struct suspects found = {0};

    find_suspects(breaker, now->at, &found);
    for (size_t i = 0; i < found.count && 100 * dropped > cfg->max_drop_share * all; i++) {
        snprintf(reason, sizeof reason,
                 "breaker: rules dropped %.1f %% of all packets for %u s, more than max-drop-share %g %%; this one, "
                 "among the newest, %.0f packets/s; `rule resume` enforces it again",
                 100 * (double)(now->dropped - from->dropped) / (double)(now->packets - from->packets), cfg->window_s,
                 cfg->max_drop_share, found.list[i].amount);
        rules_trip(breaker->rules, found.list[i].id, reason);
        breaker->info.trips++;
        dropped -= found.list[i].amount;
    }
    if (100 * dropped > cfg->max_drop_share * all)
        log_line(
            breaker->log, LOG_LEVEL_ERROR,
            "breaker: rules drop %.1f %% of all packets, more than max-drop-share %g %%, and none is left to suspend: "
            "what drops was approved or resumed by the operator",
            100 * dropped / all, cfg->max_drop_share);
    suspects_free(&found);
    breaker->count = 0; /* what is in the window was dropped by rules that are suspended now */
}

static void watch(struct breaker *breaker, mono_ms_t now_ms)
{
    mono_ms_t window_ms = (mono_ms_t)breaker->cfg->window_s * MONO_MS_PER_S;
    struct snapshot now = take_snapshot(breaker, now_ms);

    keep_snapshot(breaker, &now, window_ms);
    const struct snapshot *from = &breaker->ring[breaker->first];
    uint64_t packets = now.packets - from->packets, dropped = now.dropped - from->dropped;
    if (dropped > packets) { /* workers went on between the reading of the one and of the other */
        now.dropped = from->dropped + packets;
        dropped = packets;
    }
    breaker->info.packet_share = packets > 0 ? 100 * (double)dropped / (double)packets : 0;
    if (now.at - from->at < window_ms || packets < PACKETS_LEAST ||
        breaker->info.packet_share <= breaker->cfg->max_drop_share)
        return;
    trip(breaker, from, &now);
}

/* A rule that has just come into force was not idle before. */
static mono_ms_t idle_ms(const struct breaker *breaker, const struct rule *rule, mono_ms_t now)
{
    mono_ms_t idle = rules_idle_ms(breaker->rules, rule, now);

    return idle < now - rule->state_ms ? idle : now - rule->state_ms;
}

/* One rule: has its time come? */
static void age(struct breaker *breaker, const struct rule *rule, mono_ms_t now)
{
    const struct pol_peer_policy *policy = rule->source->policy;
    bool runs = rule_state_enforced(rule->state) || rule->state == RULE_DRY_RUN;

    if (rule->state == RULE_HELD && !rule->delayed && breaker->cfg->set &&
        now - rule->state_ms >= (mono_ms_t)breaker->cfg->hold_time_s * MONO_MS_PER_S)
        rules_expire(breaker->rules, rule->id, RULE_LAPSED);
    else if ((runs || rule->state == RULE_NOT_IMPORTED) && policy != NULL && policy->max_age_s > 0 &&
             now - rule->since_ms >= (mono_ms_t)policy->max_age_s * MONO_MS_PER_S)
        rules_expire(breaker->rules, rule->id, RULE_TOO_OLD);
    else if (runs && policy != NULL && policy->idle_age_s > 0 &&
             idle_ms(breaker, rule, now) >= (mono_ms_t)policy->idle_age_s * MONO_MS_PER_S)
        rules_expire(breaker->rules, rule->id, RULE_IDLE);
}

/* Ids stay with their rules, so a sweep by id may rest between any two. */
static void sweep(struct breaker *breaker, mono_ms_t now)
{
    uint32_t highest = rules_highest_id(breaker->rules);

    for (unsigned i = 0; i < IDS_PER_TICK; i++) {
        if (++breaker->next_id > highest) {
            breaker->next_id = 0;
            return;
        }
        const struct rule *rule = rules_find(breaker->rules, breaker->next_id);
        if (rule == NULL)
            continue;
        if (rule_state_enforced(rule->state) && breaker->cfg->set && breaker->cfg->breaker)
            follow_rule(breaker, (struct rule *)(uintptr_t)rule, now);
        age(breaker, rule, now);
    }
}

void breaker_tick(struct breaker *breaker, mono_ms_t now)
{
    if (breaker->cfg == NULL)
        return;
    if (breaker->cfg->set && breaker->cfg->breaker) {
        watch(breaker, now);
        if (breaker->shares != NULL)
            breaker->info.trips += shares_tick(breaker->shares, now);
    }
    sweep(breaker, now);
}

void breaker_info_get(const struct breaker *breaker, struct breaker_info *out)
{
    *out = breaker->info;
}
