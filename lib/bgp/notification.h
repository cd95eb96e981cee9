/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Codes of NOTIFICATION messages: RFC 4271 4.5, RFC 4486, 5492, 6608, 7313, 8538, 9384, 9687.
 */
#ifndef BGP_NOTIFICATION_H
#define BGP_NOTIFICATION_H

#include <stddef.h>
#include <stdint.h>

#include "bgp/session.h"

enum bgp_error_code {
    BGP_ERR_HEADER = 1,
    BGP_ERR_OPEN = 2,
    BGP_ERR_UPDATE = 3,
    BGP_ERR_HOLD_TIMER = 4,
    BGP_ERR_FSM = 5,
    BGP_ERR_CEASE = 6,
    BGP_ERR_ROUTE_REFRESH = 7,
    BGP_ERR_SEND_HOLD_TIMER = 8,
};

enum bgp_header_error { BGP_HEADER_NOT_SYNCHRONIZED = 1, BGP_HEADER_BAD_LENGTH = 2, BGP_HEADER_BAD_TYPE = 3 };

enum bgp_open_error {
    BGP_OPEN_UNSPECIFIC = 0,
    BGP_OPEN_VERSION = 1,
    BGP_OPEN_BAD_PEER_AS = 2,
    BGP_OPEN_BAD_IDENTIFIER = 3,
    BGP_OPEN_OPTIONAL_PARAMETER = 4,
    BGP_OPEN_HOLD_TIME = 6,
    BGP_OPEN_CAPABILITY = 7,
};

enum bgp_update_error {
    BGP_UPDATE_ATTRIBUTE_LIST = 1,
    BGP_UPDATE_UNKNOWN_WELL_KNOWN = 2,
    BGP_UPDATE_MISSING_WELL_KNOWN = 3,
    BGP_UPDATE_ATTRIBUTE_FLAGS = 4,
    BGP_UPDATE_ATTRIBUTE_LENGTH = 5,
    BGP_UPDATE_ORIGIN = 6,
    BGP_UPDATE_NEXT_HOP = 8,
    BGP_UPDATE_OPTIONAL_ATTRIBUTE = 9,
    BGP_UPDATE_NETWORK_FIELD = 10,
    BGP_UPDATE_AS_PATH = 11,
};

enum bgp_cease {
    BGP_CEASE_MAX_PREFIXES = 1,
    BGP_CEASE_SHUTDOWN = 2,
    BGP_CEASE_DECONFIGURED = 3,
    BGP_CEASE_RESET = 4,
    BGP_CEASE_REJECTED = 5,
    BGP_CEASE_CONFIG_CHANGE = 6,
    BGP_CEASE_COLLISION = 7,
    BGP_CEASE_RESOURCES = 8,
    BGP_CEASE_HARD_RESET = 9,
};

enum bgp_refresh_error { BGP_REFRESH_BAD_LENGTH = 1 };

#define BGP_NOTIFICATION_MIN 21 /* octets: header, code, subcode */

/* A NOTIFICATION to send. Data beyond what the struct holds is cut off. */
struct bgp_notification bgp_notification_make(uint8_t code, uint8_t subcode, const void *data, size_t len);

/* CEASE; a shutdown communication (RFC 9003) with the two subcodes that may carry one. `reason` may be NULL. */
struct bgp_notification bgp_notification_cease(uint8_t subcode, const char *reason);

/* The Hard Reset (RFC 8538 3.1) that carries `inner`; what does not fit is cut off. */
struct bgp_notification bgp_notification_hard_reset(const struct bgp_notification *inner);

/* A received one, from its body (at least two octets). */
struct bgp_notification bgp_notification_read(const uint8_t *body, size_t len);

/*
 * The whole message with `len` octets of data (what exceeds a message of BGP_MESSAGE_MAX is cut off, RFC 8654 5);
 * `out` has room for BGP_MESSAGE_MAX. Returns its length.
 */
size_t bgp_notification_write(const struct bgp_notification *notification, const void *data, size_t len, uint8_t *out);

#endif
