/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Framing: where a message ends in the stream, and which header is refused. RFC 4271 4.1 and 6.1, RFC 8654 6.
 */
#include "bgp/message.h"

#include <string.h>

#include "bgp/notification.h"

#define MARKER_LEN 16

/* What a message of each type may measure, header included. */
static const struct {
    uint16_t min, max, max_extended;
} lengths[] = {
    [BGP_OPEN] = {29, BGP_MESSAGE_MAX, BGP_MESSAGE_MAX},
    [BGP_UPDATE] = {23, BGP_MESSAGE_MAX, BGP_EXTENDED_MESSAGE_MAX},
    [BGP_NOTIFICATION] = {BGP_NOTIFICATION_MIN, BGP_MESSAGE_MAX, BGP_EXTENDED_MESSAGE_MAX},
    [BGP_KEEPALIVE] = {BGP_HEADER_LEN, BGP_HEADER_LEN, BGP_HEADER_LEN},
    [BGP_ROUTE_REFRESH] = {23, 23, 23}, /* RFC 2918 3; outbound route filters are never negotiated */
};

void bgp_message_header(uint8_t *out, uint8_t type, size_t len)
{
    memset(out, 0xff, MARKER_LEN);
    out[MARKER_LEN] = (uint8_t)(len >> 8);
    out[MARKER_LEN + 1] = (uint8_t)len;
    out[MARKER_LEN + 2] = type;
}

int bgp_message_length(const uint8_t *data, size_t len, bool extended, struct bgp_notification *fault)
{
    /* 6.1: the marker first; what is not BGP at all is told so at its first wrong octet */
    for (size_t i = 0; i < len && i < MARKER_LEN; i++) {
        if (data[i] != 0xff) {
            *fault = bgp_notification_make(BGP_ERR_HEADER, BGP_HEADER_NOT_SYNCHRONIZED, NULL, 0);
            return -1;
        }
    }
    if (len < BGP_HEADER_LEN)
        return 0;
    unsigned length = (unsigned)data[MARKER_LEN] << 8 | data[MARKER_LEN + 1];
    unsigned type = data[MARKER_LEN + 2];
    bool known = type >= BGP_OPEN && type <= BGP_ROUTE_REFRESH;
    unsigned min = known ? lengths[type].min : BGP_HEADER_LEN;
    unsigned max = extended ? BGP_EXTENDED_MESSAGE_MAX : BGP_MESSAGE_MAX;

    if (known)
        max = extended ? lengths[type].max_extended : lengths[type].max;
    /* 6.1: then the length, with the erroneous field as data */
    if (length < min || length > max) {
        *fault = bgp_notification_make(BGP_ERR_HEADER, BGP_HEADER_BAD_LENGTH, data + MARKER_LEN, 2);
        return -1;
    }
    if (!known) {
        *fault = bgp_notification_make(BGP_ERR_HEADER, BGP_HEADER_BAD_TYPE, data + MARKER_LEN + 2, 1);
        return -1;
    }
    return (int)length;
}
