/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NOTIFICATION messages and their words: RFC 4271 4.5 and 6, RFC 4486 (cease), 5492 (capability), 6608 (FSM), 7313
 * (route refresh), 8538 (hard reset), 9003 (shutdown communication), 9384 (BFD), 9687 (send hold timer).
 */
#include "bgp/notification.h"

#include <string.h>

#include "base/strbuf.h"
#include "bgp/message.h"

#define SUBCODES 13

static const struct {
    const char *name;
    const char *subcodes[SUBCODES]; /* NULL: no name */
} errors[] = {
    [BGP_ERR_HEADER] = {"Message Header Error",
                        {[1] = "Connection Not Synchronized", [2] = "Bad Message Length", [3] = "Bad Message Type"}},
    [BGP_ERR_OPEN] = {"OPEN Message Error",
                      {[1] = "Unsupported Version Number",
                       [2] = "Bad Peer AS",
                       [3] = "Bad BGP Identifier",
                       [4] = "Unsupported Optional Parameter",
                       [5] = "Authentication Failure",
                       [6] = "Unacceptable Hold Time",
                       [7] = "Unsupported Capability",
                       [11] = "Role Mismatch"}},
    [BGP_ERR_UPDATE] = {"UPDATE Message Error",
                        {[1] = "Malformed Attribute List",
                         [2] = "Unrecognized Well-known Attribute",
                         [3] = "Missing Well-known Attribute",
                         [4] = "Attribute Flags Error",
                         [5] = "Attribute Length Error",
                         [6] = "Invalid ORIGIN Attribute",
                         [7] = "AS Routing Loop",
                         [8] = "Invalid NEXT_HOP Attribute",
                         [9] = "Optional Attribute Error",
                         [10] = "Invalid Network Field",
                         [11] = "Malformed AS_PATH"}},
    [BGP_ERR_HOLD_TIMER] = {"Hold Timer Expired", {NULL}},
    [BGP_ERR_FSM] = {"Finite State Machine Error",
                     {[1] = "Receive Unexpected Message in OpenSent State",
                      [2] = "Receive Unexpected Message in OpenConfirm State",
                      [3] = "Receive Unexpected Message in Established State"}},
    [BGP_ERR_CEASE] = {"Cease",
                       {[1] = "Maximum Number of Prefixes Reached",
                        [2] = "Administrative Shutdown",
                        [3] = "Peer De-configured",
                        [4] = "Administrative Reset",
                        [5] = "Connection Rejected",
                        [6] = "Other Configuration Change",
                        [7] = "Connection Collision Resolution",
                        [8] = "Out of Resources",
                        [9] = "Hard Reset",
                        [10] = "BFD Down"}},
    [BGP_ERR_ROUTE_REFRESH] = {"ROUTE-REFRESH Message Error", {[1] = "Invalid Message Length"}},
    [BGP_ERR_SEND_HOLD_TIMER] = {"Send Hold Timer Expired", {NULL}},
};

struct bgp_notification bgp_notification_make(uint8_t code, uint8_t subcode, const void *data, size_t len)
{
    struct bgp_notification n = {.set = true, .sent = true, .code = code, .subcode = subcode};

    n.data_len = (uint16_t)(len < sizeof n.data ? len : sizeof n.data);
    if (n.data_len > 0)
        memcpy(n.data, data, n.data_len);
    return n;
}

/* The longest start of `text`, at most `max` octets, that does not cut a UTF-8 character. */
static size_t utf8_cut(const char *text, size_t max)
{
    size_t len = strnlen(text, max + 1);

    if (len <= max)
        return len;
    for (len = max; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

struct bgp_notification bgp_notification_cease(uint8_t subcode, const char *reason)
{
    struct bgp_notification n = bgp_notification_make(BGP_ERR_CEASE, subcode, NULL, 0);

    if (reason == NULL || reason[0] == '\0' || (subcode != BGP_CEASE_SHUTDOWN && subcode != BGP_CEASE_RESET))
        return n;
    size_t len = utf8_cut(reason, UINT8_MAX);
    n.data[0] = (uint8_t)len;
    memcpy(n.data + 1, reason, len);
    n.data_len = (uint16_t)(len + 1);
    return n;
}

struct bgp_notification bgp_notification_hard_reset(const struct bgp_notification *inner)
{
    struct bgp_notification n = bgp_notification_make(BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, NULL, 0);
    size_t len = inner->data_len < sizeof n.data - 2 ? inner->data_len : sizeof n.data - 2;

    n.data[0] = inner->code;
    n.data[1] = inner->subcode;
    memcpy(n.data + 2, inner->data, len);
    n.data_len = (uint16_t)(len + 2);
    return n;
}

struct bgp_notification bgp_notification_read(const uint8_t *body, size_t len)
{
    struct bgp_notification n = bgp_notification_make(body[0], body[1], body + 2, len - 2);

    n.sent = false;
    return n;
}

size_t bgp_notification_write(const struct bgp_notification *n, const void *data, size_t len, uint8_t *out)
{
    if (len > BGP_MESSAGE_MAX - BGP_NOTIFICATION_MIN)
        len = BGP_MESSAGE_MAX - BGP_NOTIFICATION_MIN;
    bgp_message_header(out, BGP_NOTIFICATION, BGP_NOTIFICATION_MIN + len);
    out[BGP_HEADER_LEN] = n->code;
    out[BGP_HEADER_LEN + 1] = n->subcode;
    if (len > 0)
        memcpy(out + BGP_NOTIFICATION_MIN, data, len);
    return BGP_NOTIFICATION_MIN + len;
}

size_t bgp_rejection(uint8_t *out)
{
    struct bgp_notification n = bgp_notification_cease(BGP_CEASE_REJECTED, NULL);

    return bgp_notification_write(&n, NULL, 0, out);
}

static void format_code(struct strbuf *sb, unsigned code, unsigned subcode)
{
    if (code == 0 || code >= sizeof errors / sizeof errors[0]) {
        sb_printf(sb, "unknown error %u/%u", code, subcode);
        return;
    }
    sb_text(sb, errors[code].name);
    if (subcode < SUBCODES && errors[code].subcodes[subcode] != NULL)
        sb_printf(sb, ": %s", errors[code].subcodes[subcode]);
    else if (subcode != 0)
        sb_printf(sb, ": unknown subcode %u", subcode);
}

/* Octets of a well-formed UTF-8 character in its shortest form at `p`, or 0 (RFC 3629 4). */
static size_t utf8_char(const uint8_t *p, size_t left)
{
    static const struct {
        uint8_t first, last, low, high; /* lead octets from..to; what the second octet may be */
        uint8_t len;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        size_t len = forms[i].len;
        if (len > left || (len > 1 && (p[1] < forms[i].low || p[1] > forms[i].high)))
            return 0;
        for (size_t k = 2; k < len; k++) {
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        }
        return len;
    }
    return 0;
}

/* RFC 9003: quoted; control octets and what is no UTF-8 never reach a terminal or a log. */
static void format_communication(struct strbuf *sb, const uint8_t *data, size_t len)
{
    if (len < 1 || data[0] == 0)
        return;
    size_t left = data[0] < len - 1 ? data[0] : len - 1;

    sb_text(sb, ": \"");
    for (const uint8_t *p = data + 1; left > 0;) {
        size_t n = utf8_char(p, left);
        /* U+0080..U+009F are control characters too */
        bool shown = n > 0 && !(p[0] == 0xc2 && p[1] < 0xa0) && p[0] != '"';
        if (n == 0)
            n = 1;
        for (size_t i = 0; shown && i < n; i++)
            sb_char(sb, (char)p[i]);
        if (!shown)
            sb_char(sb, '?');
        p += n;
        left -= n;
    }
    sb_char(sb, '"');
}

void bgp_notification_format(const struct bgp_notification *n, char *text, size_t size)
{
    struct strbuf sb = sb_init(text, size);

    if (!n->set) {
        sb_text(&sb, "none");
        return;
    }
    format_code(&sb, n->code, n->subcode);
    if (n->code == BGP_ERR_CEASE && (n->subcode == BGP_CEASE_SHUTDOWN || n->subcode == BGP_CEASE_RESET)) {
        format_communication(&sb, n->data, n->data_len);
    } else if (n->code == BGP_ERR_CEASE && n->subcode == BGP_CEASE_HARD_RESET && n->data_len >= 2) {
        /* RFC 8538 3.1: the reason travels inside */
        sb_text(&sb, " (");
        format_code(&sb, n->data[0], n->data[1]);
        if (n->data[0] == BGP_ERR_CEASE && (n->data[1] == BGP_CEASE_SHUTDOWN || n->data[1] == BGP_CEASE_RESET))
            format_communication(&sb, n->data + 2, (size_t)n->data_len - 2);
        sb_char(&sb, ')');
    } else if (n->data_len > 0) {
        sb_text(&sb, " (data ");
        sb_hex(&sb, n->data, n->data_len < 16 ? n->data_len : 16);
        sb_text(&sb, n->data_len > 16 ? "...)" : ")");
    }
}
