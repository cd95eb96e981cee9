/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/json_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "bgp/route_targets.h"
#include "dataplane/dataplane.h"
#include "dataplane/vrf_set.h"
#include "flowspec/nlri.h"
#include "flowspec/text.h"
#include "manage/json_util.h"

#define MATCH_TEXT_SHORT 1024 /* nearly every rule's text; longer ones are measured first */

json_t *json_match(const struct fs_rule *match)
{
    char text[MATCH_TEXT_SHORT];
    struct strbuf sb = sb_init(text, sizeof text);

    fs_match_format(match, &sb);
    if (!sb_truncated(&sb))
        return json_stringn(text, sb.length);

    size_t size = sb.length + 1;
    char *large = malloc(size);
    if (large == NULL)
        return NULL;
    sb = sb_init(large, size);
    fs_match_format(match, &sb);
    json_t *json = json_stringn(large, sb.length);
    free(large);
    return json;
}

static void append_action(void *ctx, const char *text)
{
    json_array_append_new(ctx, json_string(text));
}

json_t *json_actions(const struct fs_actions *actions)
{
    json_t *array = json_array();

    fs_actions_each(actions, append_action, array);
    return array;
}

static json_t *json_nlri(const struct fs_rule *rule)
{
    uint8_t octets[FS_NLRI_MAX + 2];
    char text[2 * sizeof octets + 1];
    struct byte_writer writer = bw_init(octets, sizeof octets);
    struct strbuf sb = sb_init(text, sizeof text);

    fs_nlri_encode(rule, &(struct fs_nlri_format){.family = rule->family, .vpn = rule->has_rd}, &writer);
    sb_hex(&sb, octets, bw_len(&writer));
    return json_stringn(text, sb.length);
}

json_t *json_rule_source(const struct rule *rule)
{
    static const char *const KINDS[] = {
        [BGP_SOURCE_PEER] = "bgp", [BGP_SOURCE_CONFIG] = "config", [BGP_SOURCE_API] = "api"};
    json_t *source = json_object();

    json_object_set_new(source, "kind", json_string(KINDS[rule->source_kind]));
    if (rule->source_kind == BGP_SOURCE_PEER)
        json_object_set_new(source, "peer", json_text(rule->source_name != NULL ? rule->source_name : ""));
    return source;
}

static void append_target(void *ctx, const struct fs_route_target *target)
{
    char text[64];
    struct strbuf sb = sb_init(text, sizeof text);

    fs_route_target_format(target, &sb);
    json_array_append_new(ctx, json_string(text));
}

/* Where it is in force: "default"; of a rule with a route distinguisher the VRFs, or "" where it is in force nowhere.
 */
static void set_vrf(json_t *o, const struct rule *rule, const struct dataplane *dp)
{
    char text[512] = "";
    struct strbuf sb = sb_init(text, sizeof text);

    if (!rule->match->has_rd) {
        json_object_set_new(o, "vrf", json_string("default"));
        return;
    }
    for (uint16_t i = 0; rule->vrfs != NULL && i < rule->vrfs->count; i++)
        sb_printf(&sb, "%s%s", i > 0 ? "," : "", dataplane_vrf_name(dp, rule->vrfs->numbers[i]));
    json_object_set_new(o, "vrf", json_text(text));
    json_t *targets = json_array();
    bgp_route_targets_each(&rule->path->attrs, append_target, targets);
    sb = sb_init(text, sizeof text);
    fs_rd_format(rule->match->rd, &sb);
    json_object_set_new(o, "rd", json_string(text));
    json_object_set_new(o, "route_targets", targets);
}

json_t *json_rule(const struct rule *rule, uint32_t rank, const struct dataplane *dp)
{
    struct cnt_rule_sum sum;
    json_t *o = json_object();

    dataplane_rule_counters(dp, rule->id, &sum);
    json_object_set_new(o, "id", json_integer(rule->id));
    json_object_set_new(o, "family", json_string(ip_family_name(rule->match->family)));
    json_object_set_new(o, "rank", json_integer(rank));
    json_object_set_new(o, "match", json_match(rule->match));
    json_object_set_new(o, "actions", json_actions(&rule->actions));
    json_object_set_new(o, "nlri", json_nlri(rule->match));
    set_vrf(o, rule, dp);
    json_object_set_new(o, "source", json_rule_source(rule));
    bool killed = dataplane_bypassed(dp);
    json_object_set_new(o, "state", json_string(rule_state_name(rule_shown_state(rule, killed))));
    json_object_set_new(o, "reason", json_text(rule_shown_reason(rule, killed)));
    json_object_set_new(o, "packets", json_integer((json_int_t)sum.packets));
    json_object_set_new(o, "bytes", json_integer((json_int_t)sum.bytes));
    json_object_set_new(o, "dropped_packets", json_integer((json_int_t)sum.dropped_packets));
    json_object_set_new(o, "dropped_bytes", json_integer((json_int_t)sum.dropped_bytes));
    time_t hit = sum.last_hit_tsc != 0 ? (time_t)dataplane_tsc_to_time(dp, sum.last_hit_tsc) : 0;
    json_object_set_new(o, "last_hit", json_time(hit));
    return o;
}

struct rule_walk {
    const struct rules *rules;
    struct rule_filter filter;
    struct fs_rule *last; /* seen last, a copy; NULL before the first */
    uint32_t rank[2];     /* of the next rule of each family: IPv4, IPv6 */
    uint64_t emitted;
};

struct rule_walk *rule_walk_create(const struct rules *rules, const struct rule_filter *filter)
{
    struct rule_walk *walk = calloc(1, sizeof *walk);

    if (walk != NULL) {
        walk->rules = rules;
        walk->filter = *filter;
    }
    return walk;
}

void rule_walk_free(struct rule_walk *walk)
{
    if (walk == NULL)
        return;
    fs_rule_free(walk->last);
    free(walk);
}

static bool filter_passes(const struct rule_filter *filter, const struct rule *rule)
{
    if (filter->family != IP_NONE && filter->family != rule->match->family)
        return false;
    if (filter->state >= 0 && filter->state != (int)rule_shown_state(rule, filter->killed))
        return false;
    if (filter->peer[0] == '\0')
        return true;
    return rule->source_kind == BGP_SOURCE_PEER && rule->source_name != NULL &&
           strcmp(rule->source_name, filter->peer) == 0;
}

bool rule_walk_slice(struct rule_walk *walk, unsigned visits,
                     void (*emit)(void *ctx, const struct rule *rule, uint32_t rank), void *ctx)
{
    const struct rule *rule = walk->last == NULL ? rules_next(walk->rules, NULL) : rules_after(walk->rules, walk->last);
    const struct rule *last = NULL;

    for (; rule != NULL && visits > 0 && walk->emitted < walk->filter.limit; visits--) {
        uint32_t rank = walk->rank[rule->match->family == IP_V6]++;
        if (filter_passes(&walk->filter, rule)) {
            emit(ctx, rule, rank);
            walk->emitted++;
        }
        last = rule;
        rule = rules_next(walk->rules, rule);
    }
    if (rule == NULL || last == NULL || walk->emitted >= walk->filter.limit)
        return false;
    fs_rule_free(walk->last);
    walk->last = fs_rule_dup(last->match);
    return walk->last != NULL;
}
