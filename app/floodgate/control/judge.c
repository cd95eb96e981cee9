/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/unicast_rib.h"
#include "control/rules.h"
#include "flowspec/nlri.h"
#include "flowspec/text.h"

/*
 * BGP is protected without being told against what took whole networks down: a rule that takes all packets of one
 * direction of it, from everywhere or nearly so. A rule for one of one's networks is a blackhole that somebody wants,
 * and the rule of a length or of a flag is not BGP's end. In whole packets: fragments of it are nobody's business.
 */
static const char *const BGP_MATCHES[] = {
    "match protocol tcp destination-port 179 fragment !first-fragment",
    "match protocol tcp source-port 179 fragment !first-fragment",
    "match family ipv6 protocol tcp destination-port 179 fragment !first-fragment",
    "match family ipv6 protocol tcp source-port 179 fragment !first-fragment",
};
#define BGP_MATCH_COUNT      (sizeof BGP_MATCHES / sizeof BGP_MATCHES[0])
#define BGP_UNLESS_LONGER_V4 16
#define BGP_UNLESS_LONGER_V6 32

struct judge {
    const struct cfg *cfg;
    bool samples; /* there is somewhere for them to go */
    struct pol_peer_policy *policies;
    size_t policy_count;
    size_t protect_count;
    struct fs_rule **owned; /* rules made here: the other family's, and BGP's */
    size_t owned_count;
    struct pol_protect protects[];
};

static void judge_add(struct judge *judge, const struct fs_rule *match, unsigned longer_v4, unsigned longer_v6,
                      const struct cfg_rule *from)
{
    judge->protects[judge->protect_count++] = (struct pol_protect){
        .match = match,
        .unless_longer_than = (uint8_t)(match->family == IP_V6 ? longer_v6 : longer_v4),
        .whole = from == NULL,
        .line = from != NULL ? from->line : 0,
    };
}

/* A match that names no family, neither by a prefix nor in words, means both. */
static bool of_both_families(const struct cfg_rule *entry)
{
    return entry->rule->family == IP_V4 && !entry->rule->has_rd && strstr(entry->text, "family ") == NULL &&
           fs_rule_component(entry->rule, FS_DESTINATION) == NULL && fs_rule_component(entry->rule, FS_SOURCE) == NULL;
}

static bool judge_add_entry(struct judge *judge, const struct cfg_rule *entry)
{
    const struct fs_rule *rule = entry->rule;
    struct fs_rule *other;

    judge_add(judge, rule, entry->unless_longer_ipv4, entry->unless_longer_ipv6, entry);
    if (!of_both_families(entry))
        return true;
    if (fs_rule_build(IP_V6, NULL, rule->components, rule->component_count, rule->terms, &other) != FS_OK)
        return false;
    judge->owned[judge->owned_count++] = other;
    judge_add(judge, other, entry->unless_longer_ipv4, entry->unless_longer_ipv6, entry);
    return true;
}

static bool judge_add_bgp(struct judge *judge)
{
    struct fs_text_error error;
    struct fs_actions actions;

    for (size_t i = 0; i < BGP_MATCH_COUNT; i++) {
        struct fs_rule *rule;
        if (!fs_text_parse(BGP_MATCHES[i], &rule, &actions, &error))
            return false; /* memory is short */
        judge->owned[judge->owned_count++] = rule;
        judge_add(judge, rule, BGP_UNLESS_LONGER_V4, BGP_UNLESS_LONGER_V6, NULL);
    }
    return true;
}

static const enum pol_breach BREACHES[] = {
    [CFG_BREACH_DEFAULT] = POL_BREACH_DEFAULT, [CFG_BREACH_HOLD] = POL_BREACH_HOLD,
    [CFG_BREACH_REJECT] = POL_BREACH_REJECT,   [CFG_BREACH_WARN] = POL_BREACH_WARN,
    [CFG_BREACH_IGNORE] = POL_BREACH_IGNORE,
};

static void policy_fill(struct pol_peer_policy *policy, const struct cfg_policy *from)
{
    *policy = (struct pol_peer_policy){
        .name = from->name,
        .destinations = from->destinations,
        .destination_count = from->destination_count,
        .min_length_ipv4 = from->min_length_ipv4,
        .min_length_ipv6 = from->min_length_ipv6,
        .from_routes = from->from_routes,
        .min_source_ipv4 = from->min_source_ipv4,
        .min_source_ipv6 = from->min_source_ipv6,
        .required = from->required_components,
        .forbidden = from->forbidden_components,
        .min_rate_bytes_per_s = from->min_rate_bytes_per_s,
        .min_rate_packets_per_s = from->min_rate_packets_per_s,
        .redirect_targets = from->redirect_targets,
        .redirect_target_count = from->redirect_target_count,
        .redirect_addresses = from->redirect_addresses,
        .redirect_address_count = from->redirect_address_count,
        .max_rules = from->max_rules,
        .max_rules_per_destination = from->max_rules_per_destination,
        .cost_budget = from->cost_budget,
        .max_changes_per_s = from->max_changes_per_s,
        .max_age_s = from->max_age_s,
        .idle_age_s = from->idle_age_s,
        .dry_run = from->dry_run,
        .on_breach = BREACHES[from->on_breach],
    };
    for (size_t i = 0; i < from->action_count; i++)
        policy->actions |= pol_action_bit(from->actions[i]);
}

const struct pol_peer_policy *judge_policy(const struct judge *judge, const char *name)
{
    for (size_t i = 0; name != NULL && i < judge->policy_count; i++)
        if (strcmp(judge->policies[i].name, name) == 0)
            return &judge->policies[i];
    return NULL;
}

struct judge *judge_create(const struct cfg *cfg)
{
    size_t most = 2 * cfg->protect_count + BGP_MATCH_COUNT; /* each for both families */
    struct judge *judge = calloc(1, sizeof *judge + most * sizeof judge->protects[0]);
    bool whole;

    if (judge == NULL)
        return NULL;
    judge->cfg = cfg;
    judge->samples = cfg->sampling.set;
    judge->owned = calloc(most, sizeof(struct fs_rule *));
    judge->policies = calloc(cfg->policy_count + 1, sizeof judge->policies[0]);
    whole = judge->owned != NULL && judge->policies != NULL;
    for (size_t i = 0; whole && i < cfg->policy_count; i++)
        policy_fill(&judge->policies[judge->policy_count++], &cfg->policies[i]);
    /* what the file says first: its lines are the better reason */
    for (size_t i = 0; whole && i < cfg->protect_count; i++)
        whole = judge_add_entry(judge, &cfg->protects[i]);
    if (whole && cfg->protect_bgp)
        whole = judge_add_bgp(judge);
    if (whole)
        return judge;
    judge_free(judge);
    return NULL;
}

void judge_free(struct judge *judge)
{
    if (judge == NULL)
        return;
    for (size_t i = 0; i < judge->owned_count; i++)
        fs_rule_free(judge->owned[i]);
    free(judge->owned);
    free(judge->policies);
    free(judge);
}

void judge_prepare(const struct judge *judge, struct pol_candidate *candidate)
{
    candidate->protects = judge != NULL ? judge->protects : NULL;
    candidate->protect_count = judge != NULL ? judge->protect_count : 0;
    candidate->senseless_passes = judge != NULL && !judge->cfg->sense;
}

const struct cfg *judge_cfg(const struct judge *judge)
{
    return judge != NULL ? judge->cfg : NULL;
}

void judge_note(const struct judge *judge, const struct fs_actions *actions, char *note, size_t size)
{
    note[0] = '\0';
    if (actions->sample && judge != NULL && !judge->samples)
        snprintf(note, size, "no-samples: the configuration has no section `sampling`, so `sample` has no effect");
}

/* Reasons name lines, so an entry on another line is another one. */
static bool entry_equal(const struct cfg_rule *a, const struct cfg_rule *b)
{
    return a->line == b->line && a->unless_longer_ipv4 == b->unless_longer_ipv4 &&
           a->unless_longer_ipv6 == b->unless_longer_ipv6 && strcmp(a->text, b->text) == 0;
}

bool judge_general_equal(const struct cfg *a, const struct cfg *b)
{
    if (a->sense != b->sense || a->protect_bgp != b->protect_bgp || a->protect_count != b->protect_count)
        return false;
    for (size_t i = 0; i < a->protect_count; i++)
        if (!entry_equal(&a->protects[i], &b->protects[i]))
            return false;
    return true;
}

bool judge_source_announces(void *ctx, const struct ip_prefix *prefix)
{
    const struct rule_source *source = ctx;
    struct bgp_route route;

    return source->announced != NULL && bgp_unicast_source_covers(source->announced, &source->rib, prefix, &route);
}
