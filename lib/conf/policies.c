/* SPDX-License-Identifier: BSD-3-Clause */
/* Section `policies`: what a peer may announce. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "conf/schema.h"
#include "flowspec/text.h"

static const struct cfg_key DESTINATION_ITEM = {
    .name = "destinations", .set = cfg_set_prefix, .wants = "a prefix such as 203.0.113.0/24 or \"2001:db8:7::/48\""};

#define AT(field) offsetof(struct cfg_policy, field)
static const struct cfg_key DESTINATIONS_LIST = {
    .name = "destinations",
    .set = cfg_set_list,
    .offset = AT(destinations),
    .wants = "from-routes, or a list of prefixes, such as [203.0.113.0/24, \"2001:db8:7::/48\"]",
    .item = &DESTINATION_ITEM,
    .item_size = sizeof(struct ip_prefix),
    .count_offset = AT(destination_count)};

/* A list of what is allowed. With nothing in it, it would read as "nothing" and mean "everything": it is an error. */
static void set_allowed(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    if (cfg_node_empty(node) || (node->kind == CFG_NODE_LIST && node->first == NULL))
        cfg_problem_add(&reader->problems, node->line, "%s: an empty list; leave the key out to allow everything",
                        key->name);
    else
        cfg_set_list(reader, key, node, field);
}

/* A list of prefixes, or the word for those that the peer itself announces. */
static void set_destinations(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                             void *field)
{
    struct cfg_policy *policy = (struct cfg_policy *)(void *)((char *)field - AT(destinations));

    if (node->kind == CFG_NODE_TEXT && node->text != NULL && strcmp(node->text, "from-routes") == 0)
        policy->from_routes = true;
    else if (node->kind == CFG_NODE_TEXT && !cfg_node_empty(node))
        cfg_problem_value(reader, key, node);
    else
        set_allowed(reader, &DESTINATIONS_LIST, node, field);
}

static const struct cfg_choice ACTIONS[] = {
    {"accept", 0},      {"discard", 0}, {"rate-limit", 0}, {"mark", 0}, {"redirect", 0},
    {"redirect-ip", 0}, {"sample", 0},  {"continue", 0},   {0},
};

static const struct cfg_key ACTION_ITEM = {.name = "actions", .set = cfg_set_choice_text, .choices = ACTIONS};

static const struct cfg_choice COMPONENTS[] = {
    {"destination", 1u << FS_DESTINATION},
    {"source", 1u << FS_SOURCE},
    {"protocol", 1u << FS_PROTOCOL},
    {"port", 1u << FS_PORT},
    {"destination-port", 1u << FS_DESTINATION_PORT},
    {"source-port", 1u << FS_SOURCE_PORT},
    {"icmp-type", 1u << FS_ICMP_TYPE},
    {"icmp-code", 1u << FS_ICMP_CODE},
    {"tcp-flags", 1u << FS_TCP_FLAGS},
    {"packet-length", 1u << FS_PACKET_LENGTH},
    {"dscp", 1u << FS_DSCP},
    {"fragment", 1u << FS_FRAGMENT},
    {"flow-label", 1u << FS_FLOW_LABEL},
    {0},
};

static const struct cfg_choice BREACHES[] = {{"hold", CFG_BREACH_HOLD},
                                             {"reject", CFG_BREACH_REJECT},
                                             {"warn", CFG_BREACH_WARN},
                                             {"ignore", CFG_BREACH_IGNORE},
                                             {0}};

/* A rate in the words of the rule grammar. */
static bool read_rate(const struct cfg_node *node, struct fs_actions *actions)
{
    struct fs_text_error error;
    struct fs_rule *rule;
    char text[128];

    snprintf(text, sizeof text, "match protocol 0 then rate-limit %.64s", node->text);
    if (strchr(node->text, ' ') != NULL || !fs_text_parse(text, &rule, actions, &error))
        return false;
    fs_rule_free(rule);
    return true;
}

static void set_rate(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    struct fs_actions actions;

    if (cfg_node_text(reader, key, node) == NULL)
        return;
    if (!read_rate(node, &actions) || !actions.rate_bytes_set || !(actions.rate_bytes_per_s > 0))
        cfg_problem_value(reader, key, node);
    else
        *(float *)field = actions.rate_bytes_per_s;
}

static void set_packet_rate(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                            void *field)
{
    struct fs_actions actions;

    if (cfg_node_text(reader, key, node) == NULL)
        return;
    if (!read_rate(node, &actions) || !actions.rate_packets_set || !(actions.rate_packets_per_s > 0))
        cfg_problem_value(reader, key, node);
    else
        *(float *)field = actions.rate_packets_per_s;
}

static const struct cfg_key TARGET_ITEM = {
    .name = "redirect-targets",
    .set = cfg_set_route_target,
    .wants = "a route target such as \"65000:100\", \"192.0.2.1:100\" or \"4200000000L:100\""};

static const struct cfg_key ADDRESS_ITEM = {
    .name = "redirect-addresses", .set = cfg_set_prefix, .wants = "a prefix such as 192.0.2.0/28"};

static const struct cfg_key MIN_LENGTH_KEYS[] = {
    {.name = "ipv4", .set = cfg_set_uint8, .offset = AT(min_length_ipv4), .max = 32, .unit = "bits"},
    {.name = "ipv6", .set = cfg_set_uint8, .offset = AT(min_length_ipv6), .max = 128, .unit = "bits"},
};

static const struct cfg_map MIN_LENGTH_MAP = {
    .title = "min-length", .keys = MIN_LENGTH_KEYS, .key_count = CFG_COUNT(MIN_LENGTH_KEYS)};

static const struct cfg_key MIN_SOURCE_KEYS[] = {
    {.name = "ipv4", .set = cfg_set_uint8, .offset = AT(min_source_ipv4), .max = 32, .unit = "bits"},
    {.name = "ipv6", .set = cfg_set_uint8, .offset = AT(min_source_ipv6), .max = 128, .unit = "bits"},
};

static const struct cfg_map MIN_SOURCE_MAP = {
    .title = "min-source-length", .keys = MIN_SOURCE_KEYS, .key_count = CFG_COUNT(MIN_SOURCE_KEYS)};

static const struct cfg_key POLICY_KEYS[] = {
    {.name = "destinations",
     .set = set_destinations,
     .offset = AT(destinations),
     .wants = "from-routes, or a list of prefixes, such as [203.0.113.0/24, \"2001:db8:7::/48\"]"},
    {.name = "min-length",
     .set = cfg_set_map,
     .offset = 0, /* its keys are fields of the policy */
     .wants = "a map such as {ipv4: 24, ipv6: 48}",
     .map = &MIN_LENGTH_MAP},
    {.name = "min-source-length",
     .set = cfg_set_map,
     .offset = 0,
     .wants = "a map such as {ipv4: 24, ipv6: 48}",
     .map = &MIN_SOURCE_MAP},
    {.name = "required-components",
     .set = cfg_set_choice_bits,
     .offset = AT(required_components),
     .choices = COMPONENTS,
     .wants = "a list of components, such as [destination, protocol]"},
    {.name = "forbidden-components",
     .set = cfg_set_choice_bits,
     .offset = AT(forbidden_components),
     .choices = COMPONENTS,
     .wants = "a list of components, such as [packet-length, flow-label]"},
    {.name = "actions",
     .set = set_allowed,
     .offset = AT(actions),
     .wants = "a list of action names, such as [discard, rate-limit]",
     .item = &ACTION_ITEM,
     .item_size = sizeof(char *),
     .count_offset = AT(action_count),
     .max_items = CFG_COUNT(ACTIONS) - 1},
    {.name = "min-rate",
     .set = set_rate,
     .offset = AT(min_rate_bytes_per_s),
     .wants = "a rate above 0, such as 1mbps or 125000Bps"},
    {.name = "min-packet-rate",
     .set = set_packet_rate,
     .offset = AT(min_rate_packets_per_s),
     .wants = "a rate above 0, such as 100pps or 5kpps"},
    {.name = "redirect-targets",
     .set = set_allowed,
     .offset = AT(redirect_targets),
     .wants = "a list of route targets, such as [\"65000:100\"]",
     .item = &TARGET_ITEM,
     .item_size = sizeof(struct fs_route_target),
     .count_offset = AT(redirect_target_count),
     .max_items = 256},
    {.name = "redirect-addresses",
     .set = set_allowed,
     .offset = AT(redirect_addresses),
     .wants = "a list of prefixes, such as [192.0.2.0/28]",
     .item = &ADDRESS_ITEM,
     .item_size = sizeof(struct ip_prefix),
     .count_offset = AT(redirect_address_count),
     .max_items = 256},
    {.name = "max-rules", .set = cfg_set_uint32, .offset = AT(max_rules), .min = 1, .max = 16000000, .unit = "rules"},
    {.name = "max-rules-per-destination",
     .set = cfg_set_uint32,
     .offset = AT(max_rules_per_destination),
     .min = 1,
     .max = 16000000,
     .unit = "rules"},
    {.name = "max-changes",
     .set = cfg_set_uint32,
     .offset = AT(max_changes_per_s),
     .min = 1,
     .max = 1000000,
     .unit = "changes a second"},
    {.name = "cost-budget", .set = cfg_set_uint32, .offset = AT(cost_budget), .min = 1, .max = 1000000000},
    {.name = "max-age", .set = cfg_set_uint32, .offset = AT(max_age_s), .min = 1, .max = 31536000, .unit = "seconds"},
    {.name = "idle-age", .set = cfg_set_uint32, .offset = AT(idle_age_s), .min = 1, .max = 31536000, .unit = "seconds"},
    {.name = "dry-run", .set = cfg_set_bool, .offset = AT(dry_run), .wants = "true or false"},
    {.name = "on-breach", .set = cfg_set_choice, .offset = AT(on_breach), .choices = BREACHES},
};

static void policy_finish(struct cfg_reader *reader, const struct cfg_node *node, void *object)
{
    const struct cfg_policy *policy = object;

    if (policy->required_components & policy->forbidden_components)
        cfg_problem_add(&reader->problems, node->line,
                        "required-components and forbidden-components: the same component is in both");
}

static const struct cfg_map POLICY_MAP = {.title = "a policy",
                                          .keys = POLICY_KEYS,
                                          .key_count = CFG_COUNT(POLICY_KEYS),
                                          .has_line = true,
                                          .line_offset = AT(line),
                                          .finish = policy_finish};
#undef AT

const struct cfg_key cfg_policy_item = {.name = "policies",
                                        .set = cfg_set_map,
                                        .map = &POLICY_MAP,
                                        .wants = "a map of destinations, min-length, actions and max-rules"};
