/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules that originate here: those of the configuration, and those the operator adds. They enter the RIB as paths of
 * two sources of their own, with their actions in the form in which a peer would send them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/route_targets.h"
#include "control/internal.h"
#include "flowspec/order.h"
#include "flowspec/text.h"

static uint32_t family_of(const struct fs_rule *rule)
{
    if (rule->has_rd)
        return rule->family == IP_V6 ? BGP_IPV6_FLOWSPEC_VPN : BGP_IPV4_FLOWSPEC_VPN;
    return rule->family == IP_V6 ? BGP_IPV6_FLOWSPEC : BGP_IPV4_FLOWSPEC;
}

/* What originates here with a route distinguisher is for the VRFs that import the route target of the same text. */
static void add_target(const struct fs_rule *rule, struct fs_ext_comms *comms)
{
    uint8_t target[BGP_ROUTE_TARGET_OCTETS];

    if (!rule->has_rd || comms->count == FS_EXT_COMM_MAX || !bgp_route_target_of_rd(rule->rd, target))
        return;
    /* lower than any action's: communities stay in order */
    memmove(comms->comms[1], comms->comms[0], comms->count * sizeof comms->comms[0]);
    memcpy(comms->comms[0], target, sizeof target);
    comms->count++;
}

/* The attributes of a rule that originates here; they point into `comms`. */
static struct bgp_attrs attributes(const struct control *control, const struct fs_rule *rule,
                                   const struct fs_actions *actions, struct fs_ext_comms *comms)
{
    fs_actions_encode(actions, control->cfg->router.asn, comms);
    add_target(rule, comms);
    return (struct bgp_attrs){
        .ext_comms = comms->count > 0 ? comms->comms[0] : NULL,
        .ext_comms_len = comms->count * sizeof comms->comms[0],
        .ext_comms6 = comms->count6 > 0 ? comms->comms6[0] : NULL,
        .ext_comms6_len = comms->count6 * sizeof comms->comms6[0],
    };
}

/* Copies the rule into the RIB. 0 or -ENOMEM. */
static int announce(struct control *control, struct rule_source *source, const struct fs_rule *rule,
                    const struct fs_actions *actions)
{
    struct fs_ext_comms comms;
    struct fs_rule *copy = fs_rule_dup(rule);

    if (copy == NULL)
        return -1;
    const struct bgp_attrs attrs = attributes(control, rule, actions, &comms);
    return bgp_rib_announce(control->rib, &source->rib, family_of(rule), copy, &attrs);
}

static int compare(const void *a, const void *b)
{
    return fs_rule_compare((*(const struct cfg_rule *const *)a)->rule, (*(const struct cfg_rule *const *)b)->rule);
}

/* Pointers to the configuration's rules in RFC order, to search in; NULL when memory is short. */
static const struct cfg_rule **sorted(const struct cfg *cfg)
{
    const struct cfg_rule **rules = calloc(cfg->rule_count + 1, sizeof(struct cfg_rule *));

    if (rules == NULL)
        return NULL;
    for (size_t i = 0; i < cfg->rule_count; i++)
        rules[i] = &cfg->rules[i];
    qsort(rules, cfg->rule_count, sizeof *rules, compare);
    return rules;
}

static const struct cfg_rule *find(const struct cfg_rule **rules, size_t count, const struct cfg_rule *wanted)
{
    const struct cfg_rule **at = bsearch(&wanted, rules, count, sizeof *rules, compare);

    return at != NULL ? *at : NULL;
}

static void add_new(struct control *control, const struct cfg_rule **old, size_t old_count, const struct cfg *new,
                    struct local_rules_change *change)
{
    for (size_t i = 0; i < new->rule_count; i++) {
        const struct cfg_rule *rule = &new->rules[i];
        const struct cfg_rule *before = old_count > 0 ? find(old, old_count, rule) : NULL;
        if (announce(control, &control->config_source, rule->rule, &rule->actions) < 0) {
            log_line(control->log, LOG_LEVEL_ERROR, "%s:%u: no memory for this rule, it is not enforced",
                     control->config_file, rule->line);
            change->refused++;
        } else if (before == NULL) {
            change->added++;
        } else if (!fs_actions_equal(&before->actions, &rule->actions)) {
            change->changed++;
        }
    }
}

void local_rules_configure(struct control *control, const struct cfg *old, const struct cfg *new,
                           struct local_rules_change *change)
{
    const struct cfg_rule **old_rules = old != NULL ? sorted(old) : NULL;
    const struct cfg_rule **new_rules = old != NULL ? sorted(new) : NULL;

    memset(change, 0, sizeof *change);
    if (old != NULL && (old_rules == NULL || new_rules == NULL)) {
        log_line(control->log, LOG_LEVEL_ERROR, "no memory to compare rules: those of the old configuration stay");
        change->refused = new->rule_count;
    } else {
        /* the new ones first: where a rule of another form takes over, nothing is open in between */
        add_new(control, old_rules, old != NULL ? old->rule_count : 0, new, change);
        for (size_t i = 0; old != NULL && i < old->rule_count; i++) {
            const struct fs_rule *rule = old->rules[i].rule;
            if (find(new_rules, new->rule_count, &old->rules[i]) == NULL &&
                bgp_rib_withdraw(control->rib, &control->config_source.rib, family_of(rule), rule))
                change->removed++;
        }
    }
    free(old_rules);
    free(new_rules);
}

static bool parse(const char *text, struct fs_rule **rule, struct fs_actions *actions, char *why, size_t size)
{
    struct fs_text_error error;

    if (fs_text_parse(text, rule, actions, &error))
        return true;
    snprintf(why, size, "column %zu: %s", error.column, error.text);
    return false;
}

bool control_rule_add(struct control *control, const char *text, uint32_t *id, char *why, size_t size)
{
    struct fs_rule *rule;
    struct fs_actions actions;

    if (!parse(text, &rule, &actions, why, size))
        return false;
    int error = announce(control, &control->api_source, rule, &actions);
    struct bgp_rib_entry *entry = error == 0 ? bgp_rib_find(control->rib, family_of(rule), rule) : NULL;
    const struct rule *known = entry != NULL ? entry->owner : NULL;
    if (known != NULL) {
        *id = known->id;
        log_line(control->log, LOG_LEVEL_NOTICE, "rule %u added by the operator: %s", known->id, text);
    } else {
        if (entry != NULL)
            bgp_rib_withdraw(control->rib, &control->api_source.rib, family_of(rule), rule);
        snprintf(why, size, "%s",
                 error != 0 ? "no memory for the rule" : "no room for another rule (dataplane.max-rules)");
    }
    fs_rule_free(rule);
    return known != NULL;
}

bool control_rule_del(struct control *control, uint32_t id, char *why, size_t size)
{
    const struct rule *rule = rules_find(control->rules, id);

    if (rule == NULL) {
        snprintf(why, size, "there is no rule %u", id);
        return false;
    }
    uint32_t family = rule->family;
    struct fs_rule *match = fs_rule_dup(rule->match); /* the rule may go while it is withdrawn */
    if (match == NULL) {
        snprintf(why, size, "no memory");
        return false;
    }
    bool gone = bgp_rib_withdraw(control->rib, &control->api_source.rib, family, match);
    fs_rule_free(match);
    if (gone)
        log_line(control->log, LOG_LEVEL_NOTICE, "rule %u deleted by the operator", id);
    else if (rule->source_kind == BGP_SOURCE_PEER)
        snprintf(why, size, "rule %u is announced by peer %s; `rule suspend %u` stops enforcing it", id,
                 rule->source_name, id);
    else
        snprintf(why, size, "rule %u is in the configuration file: delete it there and reload, or `rule suspend %u`",
                 id, id);
    return gone;
}
