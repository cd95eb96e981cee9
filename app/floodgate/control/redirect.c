/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/redirect.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/conf.h"
#include "dataplane/dataplane.h"
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

void redirect_resolve(struct dataplane *dp, const struct cfg *cfg, const struct fs_actions *actions, uint16_t home,
                      struct act_program *program)
{
    struct fwd *fwd = dataplane_fwd(dp);

    program->vrf = 0;
    program->via = 0;
    program->via_vrf = home;
    if (fwd == NULL || program->discard)
        return;
    if (actions->redirect.kind != FS_REDIRECT_NONE)
        program->vrf = vrf_of(cfg, &actions->redirect);
    if (actions->redirect_ip_set && actions->redirect_ip.family != IP_NONE)
        program->via = fwd_gateway_get(fwd, program->vrf != 0 ? program->vrf : home, &actions->redirect_ip);
}

void redirect_release(struct dataplane *dp, uint32_t via)
{
    struct fwd *fwd = dataplane_fwd(dp);

    if (fwd != NULL && via != 0)
        fwd_gateway_put(fwd, via);
}

static bool leads_somewhere(const struct fwd *fwd, uint32_t via)
{
    return via != 0 && fwd_hop_of(fwd_hops_of(fwd), via)->kind != FWD_UNREACHABLE;
}

void redirect_note(const struct dataplane *dp, const struct fs_actions *actions, uint16_t vrf, uint32_t via, char *note,
                   size_t size)
{
    const struct fwd *fwd = dataplane_fwd(dp);
    bool to_vrf = actions->redirect.kind != FS_REDIRECT_NONE, to_address = actions->redirect_ip_set;
    struct strbuf out = sb_init(note, size);
    char text[IP_TEXT_SIZE];

    if (fs_actions_discard(actions) || (!to_vrf && !to_address))
        return;
    if (fwd == NULL) {
        sb_text(&out, "redirect-unresolved: no port of this router routes, so packets go on as without a redirect");
    } else if (to_address && !leads_somewhere(fwd, via)) {
        sb_printf(&out, "redirect-unresolved: no route to %s, so packets go on as without redirect-ip",
                  actions->redirect_ip.family == IP_NONE ? "next-hop" : ip_addr_format(&actions->redirect_ip, text));
    } else if (to_vrf && vrf == 0) {
        sb_text(&out, "redirect-unresolved: no VRF imports ");
        fs_route_target_format(&actions->redirect, &out);
        sb_text(&out, ", so packets go on as without redirect");
    }
}
