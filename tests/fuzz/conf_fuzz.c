/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any octets as a configuration. Besides memory errors: a configuration or problems, never both and never neither;
 * problems in line order, of printable characters; a configuration that holds to what conf.h promises.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t problems;
    unsigned last_line;
};

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void see(void *ctx, const char *file, unsigned line, const char *text)
{
    struct seen *seen = ctx;
    bool rest = strstr(text, "more problems are not shown") != NULL; /* comes last, of the file as a whole */

    demand(strcmp(file, "fuzz.yaml") == 0);
    demand(rest || line >= seen->last_line);
    demand(text[0] != '\0');
    for (; *text != '\0'; text++)
        demand((unsigned char)*text >= 0x20 && *text != 0x7f);
    seen->last_line = line;
    seen->problems++;
}

static void check_ports(const struct cfg *cfg)
{
    demand(cfg->port_count >= 1 && cfg->port_count <= 32);
    for (size_t i = 0; i < cfg->port_count; i++) {
        const struct cfg_port *port = &cfg->ports[i];
        demand(port->name && port->device && port->line > 0);
        demand(port->mode == CFG_PORT_WIRE ? port->peer && port->address_count == 0
                                           : !port->peer && port->address_count > 0);
        for (size_t j = 0; port->peer && j < cfg->port_count; j++)
            demand(strcmp(cfg->ports[j].name, port->peer) != 0 || strcmp(cfg->ports[j].peer, port->name) == 0);
        for (size_t j = 0; j < i; j++)
            demand(strcmp(cfg->ports[j].name, port->name) != 0);
    }
}

static void check_bgp(const struct cfg *cfg)
{
    for (size_t i = 0; i < cfg->listen_count; i++)
        demand(cfg->listens[i].address.family != IP_NONE && cfg->listens[i].port > 0);
    for (size_t i = 0; i < cfg->peer_count; i++) {
        const struct cfg_peer *peer = &cfg->peers[i];
        demand(peer->name && peer->address.family != IP_NONE && peer->asn != 0 && peer->port != 0);
        demand(peer->families != 0 && peer->connect_retry_s != 0);
        demand(peer->hold_time_s == 0 || peer->hold_time_s >= 3);
        demand(!peer->policy || cfg->policy_count > 0);
    }
}

static void check_cfg(const struct cfg *cfg)
{
    const struct cfg_dataplane *dataplane = &cfg->dataplane;

    demand(cfg->router.id != 0 && cfg->router.asn != 0);
    demand(dataplane->workers_auto != (dataplane->worker_count > 0));
    for (unsigned i = 0; i < dataplane->worker_count; i++)
        demand(dataplane->workers[i] < CFG_LCORES_MAX && dataplane->workers[i] != dataplane->control_lcore);
    demand(dataplane->memory_mib >= 64 && cfg->rule_count <= dataplane->max_rules);
    for (size_t i = 0; i < cfg->rule_count; i++)
        demand(cfg->rules[i].rule && cfg->rules[i].text && cfg->rules[i].line > 0);
    for (size_t i = 0; i < cfg->protect_count; i++)
        demand(cfg->protects[i].rule != NULL);
    for (size_t i = 0; i < cfg->route_count; i++)
        demand(cfg->routes[i].blackhole == (cfg->routes[i].via_count == 0));
    for (size_t i = 0; i < cfg->policy_count; i++)
        demand(cfg->policies[i].name && cfg->policies[i].min_length_ipv4 <= 32);
    demand(!cfg->guard.set || (cfg->guard.max_drop_share > 0 && cfg->guard.window_s > 0));
    demand(cfg->api.socket != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {0};
    struct cfg *cfg = cfg_parse((const char *)data, size, "fuzz.yaml", see, &seen);

    demand((cfg != NULL) == (seen.problems == 0));
    if (cfg) {
        check_ports(cfg);
        check_bgp(cfg);
        check_cfg(cfg);
    }
    cfg_free(cfg);
    return 0;
}
