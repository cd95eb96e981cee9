/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OPEN: what we offer, and whether the peer's is acceptable.
 *
 * A peer with none of our families gets Unsupported Capability with the families we wanted (RFC 5492 3 and 5): a
 * session that can carry nothing would look healthy and do nothing. A capability we do not know is ignored (RFC 5492
 * 3). A BGP identifier is any number but 0, and not our own inside one AS (RFC 6286 2).
 */
#include "bgp/open.h"

#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"
#include "bgp/message.h"
#include "bgp/notification.h"
#include "bgp/restart_caps.h"

#define PARAM_CAPABILITIES    2
#define PARAM_EXTENDED_LENGTH 255 /* RFC 9072 */

#define ADD_PATH_RECEIVE 1
#define ADD_PATH_SEND    2

enum capability_code {
    CAP_MULTIPROTOCOL = 1,         /* RFC 4760 8 */
    CAP_ROUTE_REFRESH = 2,         /* RFC 2918 2 */
    CAP_EXTENDED_MESSAGE = 6,      /* RFC 8654 3 */
    CAP_GRACEFUL_RESTART = 64,     /* RFC 4724 3 */
    CAP_FOUR_OCTET_AS = 65,        /* RFC 6793 3 */
    CAP_ADD_PATH = 69,             /* RFC 7911 4 */
    CAP_ENHANCED_REFRESH = 70,     /* RFC 7313 3.1 */
    CAP_LONG_LIVED = 71,           /* RFC 9494 3 */
    CAP_ROUTE_REFRESH_CISCO = 128, /* before RFC 2918 had its number */
};

static void write_multiprotocol(struct byte_writer *w, uint32_t families)
{
    for (unsigned bit = 0; bit < BGP_FAMILY_COUNT; bit++) {
        uint32_t family = families & 1u << bit;
        if (family == 0)
            continue;
        bw_u8(w, CAP_MULTIPROTOCOL);
        bw_u8(w, 4);
        bw_u16(w, bgp_family_afi(family));
        bw_u8(w, 0);
        bw_u8(w, bgp_family_safi(family));
    }
}

/* RFC 7911 4: all families in one capability. */
static void write_add_path(struct byte_writer *w, const struct bgp_add_path *offer)
{
    uint32_t families = offer->receive | offer->send;

    if (families == 0)
        return;
    bw_u8(w, CAP_ADD_PATH);
    bw_u8(w, (uint8_t)(4 * __builtin_popcount(families)));
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1) {
        if ((families & family) == 0)
            continue;
        bw_u16(w, bgp_family_afi(family));
        bw_u8(w, bgp_family_safi(family));
        bw_u8(w, (uint8_t)(((offer->receive & family) != 0 ? ADD_PATH_RECEIVE : 0) |
                           ((offer->send & family) != 0 ? ADD_PATH_SEND : 0)));
    }
}

/* What is no capability of this kind, or says something else than to receive, to send or both, is ignored. */
static void read_add_path(struct byte_reader r, struct bgp_add_path *out)
{
    struct bgp_add_path offer = {0};

    while (br_left(&r) > 0) {
        uint16_t afi = br_u16(&r);
        uint32_t family = bgp_family_of(afi, br_u8(&r));
        unsigned what = br_u8(&r);
        if (r.failed || what == 0 || what > (ADD_PATH_RECEIVE | ADD_PATH_SEND))
            return;
        offer.receive |= (what & ADD_PATH_RECEIVE) != 0 ? family : 0;
        offer.send |= (what & ADD_PATH_SEND) != 0 ? family : 0;
    }
    *out = offer;
}

static void write_flag(struct byte_writer *w, bool offered, uint8_t code)
{
    if (!offered)
        return;
    bw_u8(w, code);
    bw_u8(w, 0);
}

size_t bgp_open_write(const struct bgp_session_conf *conf, struct bgp_open_restart restart, uint8_t *out,
                      struct bgp_capabilities *sent)
{
    struct byte_writer w = bw_init(out, BGP_OPEN_ROOM);

    *sent = (struct bgp_capabilities){.families = conf->families,
                                      .four_octet_as = true,
                                      .extended_message = conf->extended_message,
                                      .route_refresh = true,
                                      .enhanced_route_refresh = conf->enhanced_refresh};
    sent->add_path.receive = conf->add_path_receive ? conf->families : 0;
    sent->add_path.send = conf->add_path_send ? conf->families : 0;
    bgp_restart_offer(conf, restart, sent);
    bgp_message_header(out, BGP_OPEN, 0);
    w.at += BGP_HEADER_LEN;
    bw_u8(&w, BGP_VERSION);
    bw_u16(&w, (uint16_t)(conf->local_as > UINT16_MAX ? BGP_AS_TRANS : conf->local_as));
    bw_u16(&w, conf->hold_time_s);
    bw_u32(&w, conf->router_id);
    size_t lengths_at = bw_len(&w);
    bw_u8(&w, 0);
    bw_u8(&w, PARAM_CAPABILITIES);
    bw_u8(&w, 0);
    write_multiprotocol(&w, conf->families);
    write_flag(&w, true, CAP_ROUTE_REFRESH);
    write_flag(&w, conf->extended_message, CAP_EXTENDED_MESSAGE);
    write_flag(&w, conf->enhanced_refresh, CAP_ENHANCED_REFRESH);
    if (sent->graceful_restart)
        bgp_restart_write(&w, CAP_GRACEFUL_RESTART, &sent->restart);
    if (sent->long_lived_restart)
        bgp_long_lived_write(&w, CAP_LONG_LIVED, &sent->long_lived);
    write_add_path(&w, &sent->add_path);
    bw_u8(&w, CAP_FOUR_OCTET_AS);
    bw_u8(&w, 4);
    bw_u32(&w, conf->local_as);
    out[lengths_at] = (uint8_t)(bw_len(&w) - lengths_at - 1);
    out[lengths_at + 2] = (uint8_t)(bw_len(&w) - lengths_at - 3);
    bgp_message_header(out, BGP_OPEN, bw_len(&w));
    return bw_len(&w);
}

static bool refuse(struct bgp_notification *fault, uint8_t subcode, const void *data, size_t len)
{
    *fault = bgp_notification_make(BGP_ERR_OPEN, subcode, data, len);
    return false;
}

static void note_unknown(struct bgp_capabilities *caps, uint8_t code)
{
    for (unsigned i = 0; i < caps->unknown_count; i++) {
        if (caps->unknown[i] == code)
            return;
    }
    if (caps->unknown_count < sizeof caps->unknown)
        caps->unknown[caps->unknown_count++] = code;
}

/* One capability. False when one that we must understand is malformed. */
static bool read_capability(uint8_t code, struct byte_reader value, struct bgp_open *open, bool *multiprotocol)
{
    struct bgp_capabilities *caps = &open->capabilities;
    size_t len = br_left(&value);

    switch (code) {
    case CAP_MULTIPROTOCOL: {
        uint16_t afi = br_u16(&value);
        br_u8(&value); /* reserved: RFC 4760 8 ignores it */
        caps->families |= bgp_family_of(afi, br_u8(&value));
        *multiprotocol = true;
        return len == 4;
    }
    case CAP_FOUR_OCTET_AS:
        open->as = br_u32(&value);
        caps->four_octet_as = true;
        return len == 4;
    case CAP_ROUTE_REFRESH:
    case CAP_ROUTE_REFRESH_CISCO:
        caps->route_refresh = true;
        return true;
    case CAP_EXTENDED_MESSAGE:
        caps->extended_message = len == 0;
        return true;
    case CAP_GRACEFUL_RESTART:
        caps->graceful_restart = bgp_restart_read(value, &caps->restart) || caps->graceful_restart;
        return true;
    case CAP_ADD_PATH:
        read_add_path(value, &caps->add_path);
        return true;
    case CAP_LONG_LIVED:
        caps->long_lived_restart = bgp_long_lived_read(value, &caps->long_lived) || caps->long_lived_restart;
        return true;
    case CAP_ENHANCED_REFRESH:
        caps->enhanced_route_refresh = len == 0;
        return true;
    default:
        note_unknown(caps, code);
        return true;
    }
}

static bool read_capabilities(struct byte_reader param, struct bgp_open *open, bool *multiprotocol)
{
    while (br_left(&param) > 0) {
        uint8_t code = br_u8(&param);
        struct byte_reader value = br_sub(&param, br_u8(&param));
        if (value.failed || !read_capability(code, value, open, multiprotocol))
            return false;
    }
    return true;
}

/* RFC 4271 4.2, or the longer lengths of RFC 9072 2. */
static bool read_parameters(struct byte_reader r, struct bgp_open *open, struct bgp_notification *fault)
{
    uint8_t length = br_u8(&r);
    bool extended = length != 0 && br_left(&r) > 0 && r.at[0] == PARAM_EXTENDED_LENGTH;
    bool multiprotocol = false;

    if (extended) {
        br_u8(&r);
        uint16_t extended_length = br_u16(&r);
        if (r.failed || br_left(&r) != extended_length)
            return refuse(fault, BGP_OPEN_UNSPECIFIC, NULL, 0);
    } else if (br_left(&r) != length) {
        return refuse(fault, BGP_OPEN_UNSPECIFIC, NULL, 0);
    }
    while (br_left(&r) > 0) {
        uint8_t type = br_u8(&r);
        struct byte_reader param = br_sub(&r, extended ? br_u16(&r) : br_u8(&r));
        if (param.failed)
            return refuse(fault, BGP_OPEN_UNSPECIFIC, NULL, 0);
        if (type != PARAM_CAPABILITIES)
            return refuse(fault, BGP_OPEN_OPTIONAL_PARAMETER, NULL, 0);
        if (!read_capabilities(param, open, &multiprotocol))
            return refuse(fault, BGP_OPEN_UNSPECIFIC, NULL, 0);
    }
    if (!open->capabilities.graceful_restart) /* RFC 9494 4.1 */
        open->capabilities.long_lived_restart = false;
    if (!multiprotocol)
        open->capabilities.families = BGP_IPV4_UNICAST; /* what a speaker without RFC 4760 carries */
    return true;
}

/* What remains to be judged once every field is read. */
static bool check(const struct bgp_open *open, const struct bgp_session_conf *conf, struct bgp_notification *fault)
{
    /* RFC 7607 2: AS 0 is nobody's */
    if (open->as == 0 || (conf->peer_as != 0 && open->as != conf->peer_as))
        return refuse(fault, BGP_OPEN_BAD_PEER_AS, NULL, 0);
    if (open->router_id == 0 || (open->as == conf->local_as && open->router_id == conf->router_id))
        return refuse(fault, BGP_OPEN_BAD_IDENTIFIER, NULL, 0);
    if (open->hold_time_s == 1 || open->hold_time_s == 2)
        return refuse(fault, BGP_OPEN_HOLD_TIME, NULL, 0);
    if (conf->families != 0 && (conf->families & open->capabilities.families) == 0) {
        uint8_t wanted[BGP_FAMILY_COUNT * 6];
        struct byte_writer w = bw_init(wanted, sizeof wanted);
        write_multiprotocol(&w, conf->families);
        return refuse(fault, BGP_OPEN_CAPABILITY, wanted, bw_len(&w));
    }
    return true;
}

bool bgp_open_read(const uint8_t *body, size_t len, const struct bgp_session_conf *conf, struct bgp_open *out,
                   struct bgp_notification *fault)
{
    struct byte_reader r = br_init(body, len);

    memset(out, 0, sizeof *out);
    out->version = br_u8(&r);
    if (out->version != BGP_VERSION)
        return refuse(fault, BGP_OPEN_VERSION, (uint8_t[]){0, BGP_VERSION}, 2);
    out->as = br_u16(&r);
    out->hold_time_s = br_u16(&r);
    out->router_id = br_u32(&r);
    if (r.failed)
        return refuse(fault, BGP_OPEN_UNSPECIFIC, NULL, 0);
    return read_parameters(r, out, fault) && check(out, conf, fault);
}

static void put_families(struct strbuf *sb, uint32_t families)
{
    const char *between = "";

    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1) {
        if ((families & family) == 0)
            continue;
        sb_printf(sb, "%s%s", between, bgp_family_name(family));
        between = " ";
    }
    if (families == 0)
        sb_text(sb, "no family known here");
}

static void put_router_id(struct strbuf *sb, uint32_t id)
{
    sb_printf(sb, "router id %u.%u.%u.%u", id >> 24, id >> 16 & 255, id >> 8 & 255, id & 255);
}

void bgp_open_explain(const struct bgp_open *open, const struct bgp_session_conf *conf,
                      const struct bgp_notification *fault, char *text, size_t size)
{
    struct strbuf sb = sb_init(text, size);

    if (fault->code != BGP_ERR_OPEN)
        return;
    switch (fault->subcode) {
    case BGP_OPEN_VERSION:
        sb_printf(&sb, "the peer speaks version %u, %u is expected", open->version, BGP_VERSION);
        break;
    case BGP_OPEN_BAD_PEER_AS:
        sb_printf(&sb, "the peer says AS %u", open->as);
        if (conf->peer_as != 0)
            sb_printf(&sb, ", AS %u is configured", conf->peer_as);
        break;
    case BGP_OPEN_BAD_IDENTIFIER:
        sb_text(&sb, "the peer says ");
        put_router_id(&sb, open->router_id);
        sb_text(&sb, open->router_id == conf->router_id ? ", which is our own" : "");
        break;
    case BGP_OPEN_HOLD_TIME:
        sb_printf(&sb, "the peer offers %u s, 0 or 3 and above are allowed", open->hold_time_s);
        break;
    case BGP_OPEN_CAPABILITY:
        sb_text(&sb, "the peer offers ");
        put_families(&sb, open->capabilities.families);
        sb_text(&sb, ", configured: ");
        put_families(&sb, conf->families);
        break;
    default:
        break;
    }
}
