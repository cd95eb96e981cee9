/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/redirect.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/conf.h"
#include "dataplane/dataplane.h"
#include "dataplane/vrf_set.h"
#include "flowspec/text.h"
#include "forward/forward.h"

bool redirect_target_equal(const struct fs_route_target *a, const struct fs_route_target *b)
{
    if (a->kind != b->kind || a->value != b->value)
        return false;
    return a->kind == FS_REDIRECT_RT_IPV6 ? memcmp(a->admin_v6, b->admin_v6, sizeof a->admin_v6) == 0
                                          : a->admin == b->admin;
}

/* The first VRF that imports the target; VRFs are numbered from 1, in the order of the configuration. */
static uint16_t vrf_of(const struct cfg *cfg, const struct fs_route_target *target)
{
    for (size_t i = 0; cfg != NULL && i < cfg->vrf_count; i++)
        for (size_t n = 0; n < cfg->vrfs[i].rt_import_count; n++)
            if (redirect_target_equal(&cfg->vrfs[i].rt_import[n], target))
                return (uint16_t)(i + 1);
    return 0;
}

/* One next hop for each VRF in which the address is looked up. NULL when memory is short. */
static struct act_ways *ways_make(struct fwd *fwd, const struct ip_addr *address, uint16_t vrf,
                                  const struct vrf_set *homes)
{
    uint16_t count = vrf != 0 || homes == NULL ? 1 : homes->count;
    struct act_ways *ways = malloc(sizeof *ways + count * sizeof ways->way[0]);

    if (ways == NULL)
        return NULL;
    ways->count = count;
    for (uint16_t i = 0; i < count; i++) {
        uint16_t home = homes != NULL ? homes->numbers[i] : FWD_VRF_DEFAULT;
        ways->way[i] = (struct act_way){.home = vrf != 0 ? ACT_ANY_HOME : home,
                                        .via = fwd_gateway_get(fwd, vrf != 0 ? vrf : home, address)};
    }
    return ways;
}

bool redirect_resolve(struct dataplane *dp, const struct cfg *cfg, const struct fs_actions *actions,
                      const struct vrf_set *homes, struct act_program *program)
{
    struct fwd *fwd = dataplane_fwd(dp);

    program->vrf = 0;
    program->ways = NULL;
    if (fwd == NULL || program->discard)
        return true;
    if (actions->redirect.kind != FS_REDIRECT_NONE)
        program->vrf = vrf_of(cfg, &actions->redirect);
    if (!actions->redirect_ip_set || actions->redirect_ip.family == IP_NONE)
        return true;
    program->ways = ways_make(fwd, &actions->redirect_ip, program->vrf, homes);
    return program->ways != NULL;
}

void redirect_release(struct dataplane *dp, struct act_ways *ways)
{
    for (uint16_t i = 0; ways != NULL && i < ways->count; i++)
        if (ways->way[i].via != 0)
            fwd_gateway_put(dataplane_fwd(dp), ways->way[i].via);
    free(ways);
}

static bool leads_somewhere(const struct fwd *fwd, const struct act_way *way)
{
    return way->via != 0 && fwd_hop_of(fwd_hops_of(fwd), way->via)->kind != FWD_UNREACHABLE;
}

/* How many of the ways lead nowhere. */
static uint16_t ways_lost(const struct fwd *fwd, const struct act_ways *ways)
{
    uint16_t lost = 0;

    for (uint16_t i = 0; i < ways->count; i++)
        lost += !leads_somewhere(fwd, &ways->way[i]);
    return lost;
}

/* An address that is nowhere, or not everywhere: where not is said then. */
static void address_note(const struct dataplane *dp, const struct ip_addr *address, const struct act_ways *ways,
                         struct strbuf *out)
{
    const struct fwd *fwd = dataplane_fwd(dp);
    uint16_t lost = ways != NULL ? ways_lost(fwd, ways) : 0, said = 0;
    char text[IP_TEXT_SIZE];

    if (ways != NULL && lost == 0)
        return;
    sb_printf(out, "redirect-unresolved: no route to %s",
              address->family == IP_NONE ? "next-hop" : ip_addr_format(address, text));
    bool some = ways != NULL && lost < ways->count;
    for (uint16_t i = 0; some && i < ways->count; i++)
        if (!leads_somewhere(fwd, &ways->way[i]))
            sb_printf(out, "%s%s",
                      said++ > 0 ? ", "
                      : lost > 1 ? " in VRFs "
                                 : " in VRF ",
                      dataplane_vrf_name(dp, ways->way[i].home));
    sb_printf(out, ", so packets go on%s as without redirect-ip", some ? " there" : "");
}

void redirect_note(const struct dataplane *dp, const struct fs_actions *actions, uint16_t vrf,
                   const struct act_ways *ways, char *note, size_t size)
{
    bool to_vrf = actions->redirect.kind != FS_REDIRECT_NONE, to_address = actions->redirect_ip_set;
    struct strbuf out = sb_init(note, size);

    if (fs_actions_discard(actions) || (!to_vrf && !to_address))
        return;
    if (dataplane_fwd(dp) == NULL) {
        sb_text(&out, "redirect-unresolved: no port of this router routes, so packets go on as without a redirect");
        return;
    }
    if (to_address)
        address_note(dp, &actions->redirect_ip, ways, &out);
    if (out.length == 0 && to_vrf && vrf == 0) {
        sb_text(&out, "redirect-unresolved: no VRF imports ");
        fs_route_target_format(&actions->redirect, &out);
        sb_text(&out, ", so packets go on as without redirect");
    }
}
