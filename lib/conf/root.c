/* SPDX-License-Identifier: BSD-3-Clause */
/* The file as a whole: which sections there are. */
#include <stddef.h>
#include <string.h>

#include "conf/schema.h"

#define AT(field) offsetof(struct cfg, field)
static const struct cfg_key ROOT_KEYS[] = {
    {.name = "router",
     .set = cfg_set_map,
     .offset = AT(router),
     .required = true,
     .wants = "a map such as {id: 192.0.2.1, asn: 65000}",
     .map = &cfg_router_map},
    {.name = "dataplane", .set = cfg_set_map, .offset = AT(dataplane), .map = &cfg_dataplane_map},
    {.name = "ports",
     .set = cfg_set_list,
     .offset = AT(ports),
     .required = true,
     .wants = "a list of at least one port",
     .item = &cfg_port_item,
     .item_size = sizeof(struct cfg_port),
     .count_offset = AT(port_count),
     .max_items = 256}, /* sub-ports included */
    {.name = "vrfs",
     .set = cfg_set_list,
     .offset = AT(vrfs),
     .wants = "a list of VRFs",
     .item = &cfg_vrf_item,
     .item_size = sizeof(struct cfg_vrf),
     .count_offset = AT(vrf_count),
     .max_items = 1024},
    {.name = "routes",
     .set = cfg_set_list,
     .offset = AT(routes),
     .wants = "a list of routes",
     .item = &cfg_route_item,
     .item_size = sizeof(struct cfg_route),
     .count_offset = AT(route_count)},
    {.name = "neighbors",
     .set = cfg_set_list,
     .offset = AT(neighbors),
     .wants = "a list of neighbors",
     .item = &cfg_neighbor_item,
     .item_size = sizeof(struct cfg_neighbor),
     .count_offset = AT(neighbor_count)},
    {.name = "bgp",
     .set = cfg_set_map,
     .offset = 0, /* its keys are fields of struct cfg */
     .wants = "a map of listen and peers",
     .map = &cfg_bgp_map},
    {.name = "rules",
     .set = cfg_set_list,
     .offset = AT(rules),
     .wants = "a list of rules, each one line of text",
     .item = &cfg_rule_item,
     .item_size = sizeof(struct cfg_rule),
     .count_offset = AT(rule_count)},
    {.name = "policies",
     .set = cfg_set_table,
     .offset = AT(policies),
     .wants = "a map from a name to a policy",
     .item = &cfg_policy_item,
     .item_size = sizeof(struct cfg_policy),
     .count_offset = AT(policy_count)},
    {.name = "protect",
     .set = cfg_set_list,
     .offset = AT(protects),
     .wants = "a list of matches, each one line of text",
     .item = &cfg_protect_item,
     .item_size = sizeof(struct cfg_rule),
     .count_offset = AT(protect_count)},
    {.name = "protect-bgp",
     .set = cfg_set_bool,
     .offset = AT(protect_bgp),
     .fallback = "true",
     .wants = "true or false"},
    {.name = "sense", .set = cfg_set_bool, .offset = AT(sense), .fallback = "true", .wants = "true or false"},
    {.name = "guard",
     .set = cfg_set_map,
     .offset = AT(guard),
     .wants = "a map such as {max-drop-share: 20, window: 30, on-breach: hold}",
     .map = &cfg_guard_map},
    {.name = "sampling",
     .set = cfg_set_map,
     .offset = AT(sampling),
     .wants = "a map such as {directory: /var/lib/floodgate/samples}",
     .map = &cfg_sampling_map},
    {.name = "journal",
     .set = cfg_set_map,
     .offset = AT(journal),
     .wants = "a map such as {file: /var/lib/floodgate/journal}",
     .map = &cfg_journal_map},
    {.name = "api",
     .set = cfg_set_map,
     .offset = AT(api),
     .wants = "a map such as {socket: /run/floodgate/api.sock}",
     .map = &cfg_api_map},
};
#undef AT

/* Without a port there is nothing to poll, and what has no line of its own in struct cfg gets one. */
static void root_finish(struct cfg_reader *reader, const struct cfg_node *node, void *object)
{
    struct cfg *cfg = object;

    for (const struct cfg_node *section = node->first; section; section = section->next) {
        bool nothing = cfg_node_empty(section) || (section->kind == CFG_NODE_LIST && section->count == 0);
        if (section->kind == CFG_NODE_BAD)
            continue;
        if (strcmp(section->key, "ports") == 0 && nothing)
            cfg_problem_add(&reader->problems, section->line, "ports: the list is empty; at least one port is needed");
        if (strcmp(section->key, "protect") == 0 && cfg->protect_count > 0)
            cfg->protect_line = section->line;
        if (strcmp(section->key, "sense") == 0)
            cfg->sense_line = section->line;
    }
}

const struct cfg_map cfg_root_map = {
    .title = "the configuration", .keys = ROOT_KEYS, .key_count = CFG_COUNT(ROOT_KEYS), .finish = root_finish};
