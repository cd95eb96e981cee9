/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * max-prefix: a line in the log at the warning threshold, and beyond the limit the end of the session (RFC 4486 3:
 * CEASE, Maximum Number of Prefixes Reached), which then stays down until the operator has looked at it. A family
 * without a limit of its own has a default one: no peer may fill the memory.
 */
#include "base/cursor.h"
#include "control/graceful.h"
#include "control/internal.h"

#define CEASE              6
#define CEASE_MAX_PREFIXES 1
#define PER_CENT           100
#define ROUTES_DEFAULT     2000000 /* about twice the Internet's IPv4 table */
#define RULES_DEFAULT      1000000
/*
 * What the attributes of a peer may take, lest it fill the memory with few announcements: so much in any case, and so
 * much for each of its paths, several times what those of the Internet's table take. A path counts as if it shared its
 * attributes with none.
 */
#define OCTETS_FREE     (256u << 20)
#define OCTETS_A_PATH   1024u
#define CEASE_RESOURCES 8 /* RFC 4486: Out of Resources */

static bool is_routes(uint32_t family)
{
    return (family & BGP_UNICAST_FAMILIES) != 0;
}

uint32_t limit_of(const struct peer *peer, uint32_t family)
{
    uint32_t max = peer->conf.max_prefix[__builtin_ctz(peer_cfg_family(family))];

    return max != 0 ? max : is_routes(family) ? ROUTES_DEFAULT : RULES_DEFAULT;
}

static bool octets_exceed(const struct peer *peer, uint32_t family)
{
    size_t paths;
    uint64_t octets = is_routes(family) ? bgp_unicast_source_octets(peer->control->routes, &peer->source.rib, &paths)
                                        : bgp_rib_source_octets(peer->control->rib, &peer->source.rib, &paths);

    return octets > OCTETS_FREE + (uint64_t)OCTETS_A_PATH * paths;
}

void limit_check(struct peer *peer, uint32_t family)
{
    const struct control *control = peer->control;
    const uint32_t max = limit_of(peer, family);
    uint64_t count = is_routes(family) ? bgp_unicast_source_count(control->routes, &peer->source.rib, family)
                                       : bgp_rib_source_count(control->rib, &peer->source.rib, family);

    if (count > max || octets_exceed(peer, family)) {
        peer->limit.breached = true;
        peer->limit.octets = count <= max;
        peer->limit.family = family;
    } else if (count * PER_CENT >= (uint64_t)max * peer->conf.max_prefix_warning &&
               (peer->limit.warned & family) == 0) {
        peer->limit.warned |= family;
        log_line(control->log, LOG_LEVEL_WARNING, "peer %s: %llu %s of %s, its max-prefix is %u", peer->name,
                 (unsigned long long)count, is_routes(family) ? "routes" : "rules", bgp_family_name(family), max);
    }
}

void limit_check_routes(struct peer *peer)
{
    for (uint32_t families = peer->limit.touched; families != 0; families &= families - 1)
        if (!peer->limit.breached)
            limit_check(peer, families & -families);
    peer->limit.touched = 0;
}

void limit_end_session(struct peer *peer)
{
    const uint32_t family = peer->limit.family, max = limit_of(peer, family);
    uint8_t data[7]; /* RFC 4486 4: the family and the limit */
    struct byte_writer w = bw_init(data, sizeof data);

    if (peer->limit.octets) {
        log_line(peer->control->log, LOG_LEVEL_ERROR,
                 "peer %s: the attributes of its %s take more memory than those of any table: the session ends, "
                 "`fgctl peer %s up` starts it again",
                 peer->name, is_routes(family) ? "routes" : "rules", peer->name);
        bgp_session_error(peer->session, CEASE, CEASE_RESOURCES, NULL, 0);
        return;
    }
    bw_u16(&w, bgp_family_afi(family));
    bw_u8(&w, bgp_family_safi(family));
    bw_u32(&w, max);
    log_line(peer->control->log, LOG_LEVEL_ERROR,
             "peer %s: more %s of %s than its max-prefix of %u: the session ends, `fgctl peer %s up` starts it again",
             peer->name, is_routes(family) ? "routes" : "rules", bgp_family_name(family), max, peer->name);
    bgp_session_error(peer->session, CEASE, CEASE_MAX_PREFIXES, data, sizeof data);
}

void limit_hold(struct peer *peer)
{
    if (!peer->limit.breached)
        return;
    peer->limit.breached = false;
    peer->admin_down = true;
    bgp_session_stop(peer->session, CEASE_MAX_PREFIXES, NULL, control_now());
    graceful_forget(peer->graceful); /* nobody waits for it to come back */
}
