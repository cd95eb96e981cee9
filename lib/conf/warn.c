/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration may say, and whoever says it should hear once more. */
#include <stdio.h>

#include "conf/conf.h"

#define LABELLED (CFG_IPV4_VPN | CFG_IPV6_VPN)
#define ROUTES   (CFG_IPV4_UNICAST | CFG_IPV6_UNICAST | LABELLED)

/* A peer that would be told less than its `announce` says. */
static void warn_peer(const struct cfg *cfg, const struct cfg_peer *peer, const char *file, cfg_problem_fn warning,
                      void *ctx)
{
    bool self =
        peer->next_hop == CFG_NEXT_HOP_SELF || (peer->next_hop == CFG_NEXT_HOP_DEFAULT && peer->asn != cfg->router.asn);
    char text[320] = "";

    if (peer->announce != CFG_ANNOUNCE_ALL)
        return;
    if ((peer->families & ROUTES) == 0)
        snprintf(text, sizeof text,
                 "announce: peer %s is told no routes, for none of its families has any: add ipv4-unicast, "
                 "ipv6-unicast, ipv4-vpn or ipv6-vpn, or say 'announce: rules'",
                 peer->name);
    else if (self && (peer->families & LABELLED) != 0)
        snprintf(text, sizeof text,
                 "announce: peer %s is told no routes of ipv4-vpn and ipv6-vpn: a label is its next hop's, and here "
                 "the next hop becomes this router, which gives out no labels; 'next-hop: unchanged' announces them",
                 peer->name);
    if (text[0] != '\0')
        warning(ctx, file, peer->line, text);
}

void cfg_warn(const struct cfg *cfg, const char *file, cfg_problem_fn warning, void *ctx)
{
    if (!cfg->sense)
        warning(ctx, file, cfg->sense_line,
                "sense is OFF: rules that no packet can match go to the data plane and take its memory, until honest "
                "rules find no room");
    for (size_t i = 0; i < cfg->peer_count; i++)
        warn_peer(cfg, &cfg->peers[i], file, warning, ctx);
}
