/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy per peer, what its rules may do: which actions, how low a rate, where packets may be sent. */
#include <string.h>

#include "base/strbuf.h"
#include "flowspec/text.h"
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

static bool check_allowed(const struct pol_peer_policy *policy, const struct fs_actions *actions,
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

/* A limit so low that it is a discard by another name. A rate of 0 says so, and is judged as `discard`. */
static bool check_rates(const struct pol_peer_policy *policy, const struct fs_actions *actions,
                        struct pol_verdict *verdict)
{
    const struct {
        bool set;
        float rate, least;
        const char *unit, *of, *key;
    } limits[] = {
        {actions->rate_bytes_set, actions->rate_bytes_per_s, policy->min_rate_bytes_per_s, "octets", "", "min-rate"},
        {actions->source_bytes.set, actions->source_bytes.rate_per_s, policy->min_rate_bytes_per_s, "octets",
         " for each source", "min-rate"},
        {actions->rate_packets_set, actions->rate_packets_per_s, policy->min_rate_packets_per_s, "packets", "",
         "min-packet-rate"},
        {actions->source_packets.set, actions->source_packets.rate_per_s, policy->min_rate_packets_per_s, "packets",
         " for each source", "min-packet-rate"},
    };

    if (fs_actions_discard(actions))
        return true;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (!limits[i].set || limits[i].rate >= limits[i].least)
            continue;
        pol_refuse(verdict, POL_REJECTED, "policy: a limit of %.0f %s/s%s is below %s %.0f of policy %s",
                   (double)limits[i].rate, limits[i].unit, limits[i].of, limits[i].key, (double)limits[i].least,
                   policy->name);
        return false;
    }
    return true;
}

bool pol_target_equal(const struct fs_route_target *a, const struct fs_route_target *b)
{
    return a->kind == b->kind && a->admin == b->admin && a->value == b->value &&
           memcmp(a->admin_v6, b->admin_v6, sizeof a->admin_v6) == 0;
}

static bool check_target(const struct pol_peer_policy *policy, const struct fs_actions *actions,
                         struct pol_verdict *verdict)
{
    char text[64];
    struct strbuf out = sb_init(text, sizeof text);

    if (actions->redirect.kind == FS_REDIRECT_NONE || policy->redirect_target_count == 0)
        return true;
    for (size_t i = 0; i < policy->redirect_target_count; i++)
        if (pol_target_equal(&policy->redirect_targets[i], &actions->redirect))
            return true;
    fs_route_target_format(&actions->redirect, &out);
    pol_refuse(verdict, POL_REJECTED, "policy: redirect %s is not among the redirect-targets of policy %s", text,
               policy->name);
    return false;
}

static bool check_address(const struct pol_peer_policy *policy, const struct fs_actions *actions,
                          struct pol_verdict *verdict)
{
    char text[IP_TEXT_SIZE];

    if (!actions->redirect_ip_set || policy->redirect_address_count == 0)
        return true;
    for (size_t i = 0; i < policy->redirect_address_count; i++)
        if (ip_prefix_covers(&policy->redirect_addresses[i], &actions->redirect_ip))
            return true;
    pol_refuse(verdict, POL_REJECTED, "policy: redirect-ip %s is not within the redirect-addresses of policy %s",
               ip_addr_format(&actions->redirect_ip, text), policy->name);
    return false;
}

bool pol_check_actions(const struct pol_peer_policy *policy, const struct fs_actions *actions,
                       struct pol_verdict *verdict)
{
    return check_allowed(policy, actions, verdict) && check_rates(policy, actions, verdict) &&
           check_target(policy, actions, verdict) && check_address(policy, actions, verdict);
}
