/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The message header: RFC 4271 4.1 and 6.1, RFC 8654 (lengths).
 */
#ifndef BGP_MESSAGE_H
#define BGP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/session.h"

/* Writes a header for a message of `len` octets in all. */
void bgp_message_header(uint8_t *out, uint8_t type, size_t len);

/*
 * Looks at the first octets of a stream. Returns the length of the message they begin, 0 when more octets are needed to
 * tell, or -1 with `*fault` saying which NOTIFICATION to send. `extended`: RFC 8654 was offered to the peer.
 */
int bgp_message_length(const uint8_t *data, size_t len, bool extended, struct bgp_notification *fault);

#endif
