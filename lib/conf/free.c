/* SPDX-License-Identifier: BSD-3-Clause */
/* Gives back everything that the setters took. */
#include <stdlib.h>

#include "conf/conf.h"

static void rules_free(struct cfg_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fs_rule_free(rules[i].rule);
        free(rules[i].text);
    }
    free(rules);
}

static void texts_free(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

static void ports_free(struct cfg_port *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(ports[i].name);
        free(ports[i].device);
        free(ports[i].parent);
        free(ports[i].kernel_name);
        free(ports[i].vrf);
        free(ports[i].peer);
        free(ports[i].addresses);
    }
    free(ports);
}

static void routing_free(struct cfg *cfg)
{
    for (size_t i = 0; i < cfg->vrf_count; i++) {
        free(cfg->vrfs[i].name);
        free(cfg->vrfs[i].rt_import);
    }
    for (size_t i = 0; i < cfg->route_count; i++) {
        free(cfg->routes[i].vrf);
        free(cfg->routes[i].port);
    }
    for (size_t i = 0; i < cfg->neighbor_count; i++)
        free(cfg->neighbors[i].port);
    free(cfg->vrfs);
    free(cfg->routes);
    free(cfg->neighbors);
}

static void filter_free(struct cfg_filter *filter)
{
    free(filter->prefixes);
    free(filter->communities);
    free(filter->not_communities);
}

static void bgp_free(struct cfg *cfg)
{
    for (size_t i = 0; i < cfg->peer_count; i++) {
        free(cfg->peers[i].name);
        free(cfg->peers[i].policy);
        filter_free(&cfg->peers[i].import_filter);
        filter_free(&cfg->peers[i].export_filter);
        free(cfg->peers[i].password);
        free(cfg->peers[i].device);
    }
    for (size_t i = 0; i < cfg->policy_count; i++) {
        free(cfg->policies[i].name);
        free(cfg->policies[i].destinations);
        free(cfg->policies[i].redirect_targets);
        free(cfg->policies[i].redirect_addresses);
        texts_free(cfg->policies[i].actions, cfg->policies[i].action_count);
    }
    free(cfg->listens);
    free(cfg->peers);
    free(cfg->policies);
}

void cfg_free(struct cfg *cfg)
{
    if (!cfg)
        return;
    texts_free(cfg->dataplane.eal, cfg->dataplane.eal_count);
    ports_free(cfg->ports, cfg->port_count);
    routing_free(cfg);
    bgp_free(cfg);
    rules_free(cfg->rules, cfg->rule_count);
    rules_free(cfg->protects, cfg->protect_count);
    for (size_t i = 0; i < cfg->sampling.port_count; i++)
        free(cfg->sampling.ports[i].port);
    free(cfg->sampling.ports);
    free(cfg->sampling.directory);
    free(cfg->sampling.collector);
    free(cfg->journal.file);
    free(cfg->api.socket);
    free(cfg->api.metrics);
    free(cfg);
}
