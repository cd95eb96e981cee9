/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OPEN messages: RFC 4271 4.2 and 6.2, capabilities of RFC 5492, extended optional parameters of RFC 9072.
 */
#ifndef BGP_OPEN_H
#define BGP_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/session.h"

/* An OPEN as it counts: the AS from the capability where there is one (RFC 6793). */
struct bgp_open {
    uint8_t version;
    uint32_t as;
    uint32_t router_id;
    uint16_t hold_time_s;
    struct bgp_capabilities capabilities;
};

#define BGP_OPEN_ROOM 256

/* What our OPEN says of a restart of ours. */
struct bgp_open_restart {
    bool restarting;
    uint32_t forwarding;
};

/* Writes our OPEN, header included, and what it offers; `out` has BGP_OPEN_ROOM. Returns its length. */
size_t bgp_open_write(const struct bgp_session_conf *conf, struct bgp_open_restart restart, uint8_t *out,
                      struct bgp_capabilities *sent);

/* Reads and judges the peer's, from its body. False: `*fault` is the NOTIFICATION to send; `*out` holds what was read.
 */
bool bgp_open_read(const uint8_t *body, size_t len, const struct bgp_session_conf *conf, struct bgp_open *out,
                   struct bgp_notification *fault);

/* What of a refused OPEN an operator has to compare: what it says and what was expected. "": nothing to add. */
void bgp_open_explain(const struct bgp_open *open, const struct bgp_session_conf *conf,
                      const struct bgp_notification *fault, char *text, size_t size);

#endif
