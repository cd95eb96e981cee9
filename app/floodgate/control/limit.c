/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * max-prefix: a line in the log at the warning threshold, and beyond the limit the end of the session (RFC 4486 3:
 * CEASE, Maximum Number of Prefixes Reached), which then stays down until the operator has looked at it.
 */
#include "base/cursor.h"
#include "control/graceful.h"
#include "control/internal.h"

#define CEASE              6
#define CEASE_MAX_PREFIXES 1
#define PER_CENT           100

void limit_check(struct peer *peer, uint32_t family)
{
    const uint32_t max = peer->conf.max_prefix;

    if (max == 0)
        return;
    uint64_t count = bgp_rib_source_count(peer->control->rib, &peer->source.rib, family);
    if (count > max) {
        peer->limit.breached = true;
        peer->limit.family = family;
    } else if (count * PER_CENT >= (uint64_t)max * peer->conf.max_prefix_warning &&
               (peer->limit.warned & family) == 0) {
        peer->limit.warned |= family;
        log_line(peer->control->log, LOG_LEVEL_WARNING, "peer %s: %llu rules of %s, its max-prefix is %u", peer->name,
                 (unsigned long long)count, bgp_family_name(family), max);
    }
}

void limit_end_session(struct peer *peer)
{
    uint8_t data[7]; /* RFC 4486 4: the family and the limit */
    struct byte_writer w = bw_init(data, sizeof data);

    bw_u16(&w, bgp_family_afi(peer->limit.family));
    bw_u8(&w, bgp_family_safi(peer->limit.family));
    bw_u32(&w, peer->conf.max_prefix);
    log_line(
        peer->control->log, LOG_LEVEL_ERROR,
        "peer %s: more rules of %s than its max-prefix of %u: the session ends, `fgctl peer %s up` starts it again",
        peer->name, bgp_family_name(peer->limit.family), peer->conf.max_prefix, peer->name);
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
