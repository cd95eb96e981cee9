/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/vrf_import.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "bgp/route_targets.h"
#include "bgp/unicast_rib.h"
#include "conf/conf.h"
#include "control/rules.h"
#include "flowspec/text.h"

#define TARGETS_TEXT 160

bool vrf_imports(const struct cfg_vrf *vrf, const struct bgp_attrs *attrs)
{
    for (size_t i = 0; i < vrf->rt_import_count; i++)
        if (bgp_route_target_has(attrs, &vrf->rt_import[i]))
            return true;
    return false;
}

static bool scope_imports(void *ctx, const struct bgp_attrs *attrs)
{
    return vrf_imports(ctx, attrs);
}

struct bgp_unicast_scope vrf_scope(const struct cfg *cfg, uint16_t number, unsigned ip_family)
{
    return (struct bgp_unicast_scope){.family = ip_family == IP_V6 ? BGP_IPV6_VPN : BGP_IPV4_VPN,
                                      .imports = scope_imports,
                                      .ctx = &cfg->vrfs[number - 1]};
}

static void append_target(void *ctx, const struct fs_route_target *target)
{
    struct strbuf *out = ctx;

    sb_text(out, out->length > 0 ? ", " : "");
    fs_route_target_format(target, out);
}

static void tell_unwanted(const struct bgp_attrs *attrs, char *why, size_t size)
{
    char text[TARGETS_TEXT] = "";
    struct strbuf targets = sb_init(text, sizeof text);

    bgp_route_targets_each(attrs, append_target, &targets);
    if (text[0] == '\0')
        snprintf(why, size, "the rule has a route distinguisher and no route target, so no VRF imports it");
    else
        snprintf(why, size, "no VRF here has rt-import for %s", text);
}

bool vrf_judge(const struct cfg *cfg, const struct fs_rule *rule, const struct rule_source *source,
               const struct bgp_attrs *attrs, struct vrf_verdict *out)
{
    size_t count = cfg != NULL ? cfg->vrf_count : 0;
    struct pol_origin origin = {.routes = source->routes, .source = &source->rib, .attrs = attrs};
    bool accepted = source->routes == NULL || !source->rib.ebgp; /* RFC 8955 8: what comes from a remote PE is */
    char why[POL_REASON_SIZE / 2];

    *out = (struct vrf_verdict){.vrfs = calloc(1, sizeof *out->vrfs + count * sizeof out->vrfs->numbers[0])};
    if (out->vrfs == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!vrf_imports(&cfg->vrfs[i], attrs))
            continue;
        uint16_t number = (uint16_t)(i + 1);
        struct bgp_unicast_scope scope = vrf_scope(cfg, number, rule->family);
        origin.scope = &scope;
        out->count.importing++;
        if (accepted || pol_feasible(rule, &origin, why, sizeof why))
            out->vrfs->numbers[out->vrfs->count++] = number;
        else if (out->why[0] == '\0')
            snprintf(out->why, sizeof out->why, "in VRF %s: %s", cfg->vrfs[i].name, why);
    }
    out->count.feasible = out->vrfs->count;
    out->count.trusted = accepted;
    out->count.why = out->why;
    if (out->count.importing == 0)
        tell_unwanted(attrs, out->why, sizeof out->why);
    return true;
}
