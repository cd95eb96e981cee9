/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `rule check`: every step's verdict on rule text that is not installed, as the operator's own rule, or as if one peer
 * announced it now: by its routes, its policy, and the rules it has already.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/build.h"
#include "bgp/as_path.h"
#include "bgp/route_targets.h"
#include "classifier/classifier.h"
#include "control/guard.h"
#include "control/internal.h"
#include "control/judge.h"
#include "control/rules_internal.h"
#include "control/vrf_import.h"
#include "flowspec/order.h"
#include "flowspec/text.h"

/* The shortest path that the peer could announce: its own AS, or nothing where it is in ours. */
static void attrs_of(const struct peer *peer, uint8_t path[6], struct bgp_attrs *attrs)
{
    uint32_t as = peer->conf.asn;

    *attrs = (struct bgp_attrs){.next_hop = {.family = IP_NONE}};
    if (as == peer->control->cfg->router.asn)
        return;
    path[0] = BGP_AS_SEQUENCE;
    path[1] = 1;
    for (unsigned i = 0; i < 4; i++)
        path[2 + i] = (uint8_t)(as >> (24 - 8 * i));
    attrs->as_path = path;
    attrs->as_path_len = 6;
}

/* The peer's rule, where it has this very one in a place already: it is not another one. */
static const struct rule *placed_already(const struct rules *rules, const struct rule_source *source,
                                         const struct fs_rule *match)
{
    const struct rule *rule = (const struct rule *)ord_find(&rules->list, match);

    return rule != NULL && rule->source == source && rule_has_place(rule) && fs_rule_compare(rule->match, match) == 0
               ? rule
               : NULL;
}

static void candidate_of(const struct peer *peer, struct pol_candidate *candidate)
{
    const struct rules *rules = peer->control->rules;
    const struct rule_source *source = &peer->source;
    const struct rule *mine = placed_already(rules, source, candidate->rule);

    candidate->policy = source->policy;
    candidate->announces = judge_source_announces;
    candidate->announces_ctx = (void *)(uintptr_t)source; /* read only */
    candidate->cost = cls_rule_cost(candidate->rule);
    candidate->peer_rules = source->placed - (mine != NULL);
    candidate->peer_cost = source->cost - (mine != NULL ? mine->cost : 0);
    if (source->policy != NULL && source->policy->max_rules_per_destination > 0)
        candidate->destination_rules = destination_count_get(rules->destinations, source->rib.number, candidate->rule) -
                                       (mine != NULL && mine->counted);
}

/*
 * Where a rule with a route distinguisher would be enforced, did it carry the route target of the same text, as those
 * that originate here do. False: nothing is known.
 */
static bool vrfs_of(const struct control *control, const struct peer *peer, const struct fs_rule *rule,
                    struct bgp_attrs attrs, struct vrf_verdict *out)
{
    uint8_t target[BGP_ROUTE_TARGET_OCTETS];

    if (rule->has_rd && bgp_route_target_of_rd(rule->rd, target)) {
        attrs.ext_comms = target;
        attrs.ext_comms_len = sizeof target;
    }
    return rule->has_rd &&
           vrf_judge(control->cfg, rule, peer != NULL ? &peer->source : &control->api_source, &attrs, out);
}

/* What else is to be known of a rule that all steps accept. */
static void add_note(const struct peer *peer, struct pol_verdict *verdict)
{
    if (verdict->state != POL_ACTIVE || verdict->warning)
        return;
    if (peer->source.killed)
        snprintf(verdict->reason, sizeof verdict->reason,
                 "kill-switch: none of this peer's rules is enforced until it is off");
    else if (peer->source.policy != NULL && peer->source.policy->dry_run)
        snprintf(verdict->reason, sizeof verdict->reason, "dry-run: counted, not enforced until it is promoted");
}

bool control_rule_check(struct control *control, const char *text, const char *peer_name, pol_step_fn report, void *ctx,
                        struct pol_verdict *verdict, char *why, size_t size)
{
    const struct peer *peer = peer_name != NULL ? peer_find(control, peer_name) : NULL;
    struct fs_text_error error;
    struct act_program program;
    struct fs_actions actions;
    struct vrf_verdict vrf = {.vrfs = NULL};
    struct guard_question question;
    struct bgp_attrs attrs = {.has_origin = false};
    struct fs_rule *rule;
    uint8_t path[6];

    if (peer_name != NULL && peer == NULL) {
        snprintf(why, size, "there is no peer %s", peer_name);
        return false;
    }
    if (!fs_text_parse(text, &rule, &actions, &error)) {
        snprintf(why, size, "column %zu: %s", error.column, error.text);
        return false;
    }
    struct pol_candidate candidate = {
        .rule = rule, .actions = &actions, .unsupported_action = act_build(&actions, &program)};
    struct pol_origin origin;
    if (peer != NULL) {
        candidate_of(peer, &candidate);
        attrs_of(peer, path, &attrs);
        origin = (struct pol_origin){.routes = peer->source.routes, .source = &peer->source.rib, .attrs = &attrs};
        candidate.origin = origin.routes != NULL ? &origin : NULL;
    }
    if (vrfs_of(control, peer, rule, attrs, &vrf))
        candidate.vrfs = &vrf.count;
    judge_prepare(control->judge, &candidate);
    guard_prepare(control->guard, vrf.vrfs, &question, &candidate);
    pol_judge_each(&candidate, report, ctx, verdict);
    if (peer != NULL)
        add_note(peer, verdict);
    free(vrf.vrfs);
    fs_rule_free(rule);
    return true;
}
