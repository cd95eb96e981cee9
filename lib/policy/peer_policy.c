/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy per peer: each key of it is one check, and its refusal names the key, the policy and the limit. */
#include "policy/peer_policy.h"

#include <string.h>

#include "base/strbuf.h"
#include "flowspec/text.h"
#include "policy/steps.h"

static bool prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return a->family == b->family && a->length == b->length && ip_bits_equal(a->octets, b->octets, a->length);
}

static bool prefixes_equal(const struct ip_prefix *a, size_t a_count, const struct ip_prefix *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!prefix_equal(&a[i], &b[i]))
            return false;
    return true;
}

static bool targets_equal(const struct pol_peer_policy *a, const struct pol_peer_policy *b)
{
    if (a->redirect_target_count != b->redirect_target_count)
        return false;
    for (size_t i = 0; i < a->redirect_target_count; i++)
        if (!pol_target_equal(&a->redirect_targets[i], &b->redirect_targets[i]))
            return false;
    return true;
}

bool pol_peer_policy_equal(const struct pol_peer_policy *a, const struct pol_peer_policy *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (strcmp(a->name, b->name) != 0 || a->destination_count != b->destination_count ||
        a->min_length_ipv4 != b->min_length_ipv4 || a->min_length_ipv6 != b->min_length_ipv6 ||
        a->actions != b->actions || a->max_rules != b->max_rules || a->from_routes != b->from_routes ||
        a->min_source_ipv4 != b->min_source_ipv4 || a->min_source_ipv6 != b->min_source_ipv6 ||
        a->required != b->required || a->forbidden != b->forbidden ||
        memcmp(&a->min_rate_bytes_per_s, &b->min_rate_bytes_per_s, sizeof a->min_rate_bytes_per_s) != 0 ||
        memcmp(&a->min_rate_packets_per_s, &b->min_rate_packets_per_s, sizeof a->min_rate_packets_per_s) != 0 ||
        a->max_rules_per_destination != b->max_rules_per_destination || a->cost_budget != b->cost_budget ||
        a->max_changes_per_s != b->max_changes_per_s || a->max_age_s != b->max_age_s ||
        a->idle_age_s != b->idle_age_s || a->dry_run != b->dry_run || a->on_breach != b->on_breach)
        return false;
    return prefixes_equal(a->destinations, a->destination_count, b->destinations, b->destination_count) &&
           prefixes_equal(a->redirect_addresses, a->redirect_address_count, b->redirect_addresses,
                          b->redirect_address_count) &&
           targets_equal(a, b);
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

/* The rule's prefix; none, or an IPv6 pattern that starts further on, covers any network: /0. */
static void prefix_of(const struct fs_rule *rule, enum fs_type type, struct ip_prefix *out)
{
    const struct fs_component *component = fs_rule_component(rule, type);

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

    if (policy->destination_count == 0)
        return true;
    for (size_t i = 0; i < policy->destination_count; i++)
        if (within(destination, &policy->destinations[i]))
            return true;
    format_destinations(policy, &out);
    pol_refuse(verdict, POL_REJECTED, "policy: destination %s is not within the destinations of policy %s: %s",
               ip_prefix_format(destination, text), policy->name, list);
    return false;
}

/* A customer may have rules for what it announces, and for nothing else. */
static bool check_from_routes(const struct pol_candidate *candidate, const struct ip_prefix *destination,
                              struct pol_verdict *verdict)
{
    char text[IP_TEXT_SIZE];

    if (!candidate->policy->from_routes ||
        (candidate->announces != NULL && candidate->announces(candidate->announces_ctx, destination)))
        return true;
    pol_refuse(verdict, POL_REJECTED,
               "policy: destination %s is not within a prefix that the peer announces (from-routes of policy %s)",
               ip_prefix_format(destination, text), candidate->policy->name);
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

static bool check_min_source(const struct pol_peer_policy *policy, const struct fs_rule *rule,
                             struct pol_verdict *verdict)
{
    unsigned least = rule->family == IP_V6 ? policy->min_source_ipv6 : policy->min_source_ipv4;
    struct ip_prefix source;
    char text[IP_TEXT_SIZE];

    /* a rule that names no source is judged by its destination */
    if (fs_rule_component(rule, FS_SOURCE) == NULL)
        return true;
    prefix_of(rule, FS_SOURCE, &source);
    if (source.length >= least)
        return true;
    pol_refuse(verdict, POL_REJECTED, "policy: source %s is shorter than min-source-length %s %u of policy %s",
               ip_prefix_format(&source, text), ip_family_name(rule->family), least, policy->name);
    return false;
}

static bool check_components(const struct pol_peer_policy *policy, const struct fs_rule *rule,
                             struct pol_verdict *verdict)
{
    uint32_t has = 0;

    for (unsigned i = 0; i < rule->component_count; i++)
        has |= 1u << rule->components[i].type;
    for (unsigned type = FS_DESTINATION; type <= FS_FLOW_LABEL; type++) {
        if (policy->required & ~has & 1u << type) {
            pol_refuse(verdict, POL_REJECTED, "policy: there is no %s, which policy %s requires", fs_type_name(type),
                       policy->name);
            return false;
        }
        if (policy->forbidden & has & 1u << type) {
            pol_refuse(verdict, POL_REJECTED, "policy: %s is a component that policy %s forbids", fs_type_name(type),
                       policy->name);
            return false;
        }
    }
    return true;
}

void pol_step_policy(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    const struct pol_peer_policy *policy = candidate->policy;
    struct ip_prefix destination;

    if (policy == NULL)
        return;
    prefix_of(candidate->rule, FS_DESTINATION, &destination);
    if (check_destinations(policy, &destination, verdict) && check_from_routes(candidate, &destination, verdict) &&
        check_min_length(policy, &destination, verdict) && check_min_source(policy, candidate->rule, verdict) &&
        check_components(policy, candidate->rule, verdict))
        pol_check_actions(policy, candidate->actions, verdict);
}
