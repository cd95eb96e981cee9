/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a configuration may ask for and this version does not do, and what it switches off: read, checked, and said at
 * the start, so that nobody believes in a protection that is not there.
 */
#include "control/internal.h"

static void on_warning(void *ctx, const char *file, unsigned line, const char *text)
{
    log_line(ctx, LOG_LEVEL_WARNING, "%s:%u: %s", file, line, text);
}

void unserved_warn(const struct cfg *cfg, const char *file, const struct log_hook *log)
{
    bool routes = false;

    for (size_t i = 0; i < cfg->port_count; i++)
        routes = routes || cfg->ports[i].mode == CFG_PORT_ROUTE;
    const struct {
        bool set;
        const char *section, *consequence;
    } sections[] = {
        {!routes && cfg->route_count > 0, "routes", "no port is of mode route"},
        {!routes && cfg->neighbor_count > 0, "neighbors", "no port is of mode route"},
        {cfg->api.metrics != NULL, "api.metrics", "no metrics page is served"},
    };

    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        if (sections[i].set)
            log_line(log, LOG_LEVEL_WARNING, "`%s` is read and checked, but NOT acted on by this version: %s",
                     sections[i].section, sections[i].consequence);
    cfg_warn(cfg, file, on_warning, (void *)(uintptr_t)log);
}
