/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy per peer: each key of it is one check, and its refusal names the key, the policy and the limit. */
#include "policy/peer_policy.h"

#include <string.h>

#include "base/strbuf.h"
#include "policy/steps.h"

static const struct {
    const char *name;
    uint32_t bit;
} ACTIONS[] = {
    {"accept", POL_ACTION_ACCEPT}, {"discard", POL_ACTION_DISCARD},   {"rate-limit", POL_ACTION_RATE_LIMIT},
    {"mark", POL_ACTION_MARK},     {"redirect", POL_ACTION_REDIRECT}, {"redirect-ip", POL_ACTION_REDIRECT_IP},
    {"sample", POL_ACTION_SAMPLE}, {"continue", POL_ACTION_CONTINUE},
};
#define ACTION_COUNT (sizeof ACTIONS / sizeof ACTIONS[0])

uint32_t pol_action_bit(const char *name)
{
    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (strcmp(ACTIONS[i].name, name) == 0)
            return ACTIONS[i].bit;
    return 0;
}

static bool prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return a->family == b->family && a->length == b->length && ip_bits_equal(a->octets, b->octets, a->length);
}

bool pol_peer_policy_equal(const struct pol_peer_policy *a, const struct pol_peer_policy *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (strcmp(a->name, b->name) != 0 || a->destination_count != b->destination_count ||
        a->min_length_ipv4 != b->min_length_ipv4 || a->min_length_ipv6 != b->min_length_ipv6 ||
        a->actions != b->actions || a->max_rules != b->max_rules)
        return false;
    for (size_t i = 0; i < a->destination_count; i++)
        if (!prefix_equal(&a->destinations[i], &b->destinations[i]))
            return false;
    return true;
}

/* A list of them for the reason, cut where it gets long. */
static void format_destinations(const struct pol_peer_policy *policy, struct strbuf *out)
{
    char text[IP_TEXT_SIZE];

    for (size_t i = 0; i < policy->destination_count; i++) {
        if (i == 8) {
            sb_printf(out, " and %zu more", policy->destination_count - i);
            return;
        }
        sb_printf(out, "%s%s", i > 0 ? ", " : "", ip_prefix_format(&policy->destinations[i], text));
    }
}

static void format_actions(uint32_t actions, struct strbuf *out)
{
    const char *joint = "";

    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (actions & ACTIONS[i].bit) {
            sb_printf(out, "%s%s", joint, ACTIONS[i].name);
            joint = ", ";
        }
    }
}

/* The rule's destination as a prefix; none, or an IPv6 pattern that starts further on, covers any network: /0. */
static void destination_of(const struct fs_rule *rule, struct ip_prefix *out)
{
    const struct fs_component *component = fs_rule_component(rule, FS_DESTINATION);

    memset(out, 0, sizeof *out);
    out->family = rule->family;
    if (component == NULL || component->offset > 0)
        return;
    out->length = component->length;
    memcpy(out->octets, component->octets, sizeof out->octets);
}

static bool within(const struct ip_prefix *inner, const struct ip_prefix *outer)
{
    return inner->family == outer->family && inner->length >= outer->length &&
           ip_bits_equal(inner->octets, outer->octets, outer->length);
}

static bool check_destinations(const struct pol_peer_policy *policy, const struct ip_prefix *destination,
                               struct pol_verdict *verdict)
{
    char text[IP_TEXT_SIZE], list[512];
    struct strbuf out = sb_init(list, sizeof list);

    for (size_t i = 0; i < policy->destination_count; i++)
        if (within(destination, &policy->destinations[i]))
            return true;
    if (policy->destination_count == 0)
        return true;
    format_destinations(policy, &out);
    pol_refuse(verdict, POL_REJECTED, "policy: destination %s is not within the destinations of policy %s: %s",
               ip_prefix_format(destination, text), policy->name, list);
    return false;
}

static bool check_min_length(const struct pol_peer_policy *policy, const struct ip_prefix *destination,
                             struct pol_verdict *verdict)
{
    unsigned least = destination->family == IP_V6 ? policy->min_length_ipv6 : policy->min_length_ipv4;
    char text[IP_TEXT_SIZE];

    if (destination->length >= least)
        return true;
    pol_refuse(verdict, POL_REJECTED, "policy: destination %s is shorter than min-length %s %u of policy %s",
               ip_prefix_format(destination, text), ip_family_name(destination->family), least, policy->name);
    return false;
}

static uint32_t actions_of(const struct fs_actions *actions)
{
    bool limits = (actions->rate_bytes_set && actions->rate_bytes_per_s > 0) ||
                  (actions->rate_packets_set && actions->rate_packets_per_s > 0) ||
                  (actions->source_bytes.set && actions->source_bytes.rate_per_s > 0) ||
                  (actions->source_packets.set && actions->source_packets.rate_per_s > 0);

    return (fs_actions_accept(actions) ? POL_ACTION_ACCEPT : 0) |
           (fs_actions_discard(actions) ? POL_ACTION_DISCARD : 0) | (limits ? POL_ACTION_RATE_LIMIT : 0) |
           (actions->mark_set ? POL_ACTION_MARK : 0) |
           (actions->redirect.kind != FS_REDIRECT_NONE ? POL_ACTION_REDIRECT : 0) |
           (actions->redirect_ip_set ? POL_ACTION_REDIRECT_IP : 0) | (actions->sample ? POL_ACTION_SAMPLE : 0) |
           (actions->go_on ? POL_ACTION_CONTINUE : 0);
}

static bool check_actions(const struct pol_peer_policy *policy, const struct fs_actions *actions,
                          struct pol_verdict *verdict)
{
    uint32_t forbidden = actions_of(actions) & ~policy->actions;
    char asked[128], allowed[128];
    struct strbuf asked_out = sb_init(asked, sizeof asked), allowed_out = sb_init(allowed, sizeof allowed);

    if (policy->actions == 0 || forbidden == 0)
        return true;
    format_actions(forbidden, &asked_out);
    format_actions(policy->actions, &allowed_out);
    pol_refuse(verdict, POL_REJECTED, "policy: %s is not among the actions of policy %s: %s", asked, policy->name,
               allowed);
    return false;
}

void pol_step_policy(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    const struct pol_peer_policy *policy = candidate->policy;
    struct ip_prefix destination;

    if (policy == NULL)
        return;
    destination_of(candidate->rule, &destination);
    if (check_destinations(policy, &destination, verdict) && check_min_length(policy, &destination, verdict))
        check_actions(policy, candidate->actions, verdict);
}

void pol_step_max_rules(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    const struct pol_peer_policy *policy = candidate->policy;

    if (policy != NULL && policy->max_rules > 0 && candidate->peer_rules >= policy->max_rules)
        pol_refuse(verdict, POL_REJECTED, "max-rules: the peer has its %u rules, the most that policy %s allows",
                   policy->max_rules, policy->name);
}
