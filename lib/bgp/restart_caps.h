/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The capabilities of graceful restart (RFC 4724 3, RFC 8538 2) and of long-lived stale routes (RFC 9494 3).
 */
#ifndef BGP_RESTART_CAPS_H
#define BGP_RESTART_CAPS_H

#include "base/cursor.h"
#include "bgp/open.h"

#define BGP_RESTART_TIME_MAX_S    4095u     /* 12 bits */
#define BGP_LONG_LIVED_TIME_MAX_S 16777215u /* 24 bits */

/* What we offer by the configuration, into `sent`. */
void bgp_restart_offer(const struct bgp_session_conf *conf, struct bgp_open_restart restart,
                       struct bgp_capabilities *sent);

/* Code, length and value. */
void bgp_restart_write(struct byte_writer *w, uint8_t code, const struct bgp_restart *restart);
void bgp_long_lived_write(struct byte_writer *w, uint8_t code, const struct bgp_long_lived *long_lived);

/*
 * From a capability's value. False where its length is none of the capability's: then `*out` is as it was, and the
 * capability is treated as absent. Of a family that is listed twice the last counts.
 */
bool bgp_restart_read(struct byte_reader value, struct bgp_restart *out);
bool bgp_long_lived_read(struct byte_reader value, struct bgp_long_lived *out);

#endif
