/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/restart_caps.h"

#include <string.h>

#define RESTART_R      0x8000u
#define RESTART_N      0x4000u
#define FAMILY_F       0x80u
#define TUPLE_LEN      4 /* AFI, SAFI, flags */
#define LONG_TUPLE_LEN 7 /* the same and a time */

void bgp_restart_offer(const struct bgp_session_conf *conf, struct bgp_open_restart restart,
                       struct bgp_capabilities *sent)
{
    if (conf->restart_time_s == 0)
        return;
    sent->graceful_restart = true;
    sent->restart = (struct bgp_restart){
        .restarting = restart.restarting,
        .notification = true,
        .time_s = conf->restart_time_s,
        .families = conf->families,
        .forwarding = restart.forwarding & conf->families,
    };
    if (conf->long_lived_s == 0)
        return;
    sent->long_lived_restart = true;
    sent->long_lived.families = conf->families;
    sent->long_lived.forwarding = sent->restart.forwarding;
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        sent->long_lived.time_s[i] = (conf->families & 1u << i) != 0 ? conf->long_lived_s : 0;
}

static void write_family(struct byte_writer *w, uint32_t family, uint32_t forwarding)
{
    bw_u16(w, bgp_family_afi(family));
    bw_u8(w, bgp_family_safi(family));
    bw_u8(w, (forwarding & family) != 0 ? FAMILY_F : 0);
}

void bgp_restart_write(struct byte_writer *w, uint8_t code, const struct bgp_restart *restart)
{
    unsigned count = (unsigned)__builtin_popcount(restart->families);

    bw_u8(w, code);
    bw_u8(w, (uint8_t)(2 + TUPLE_LEN * count));
    bw_u16(w, (uint16_t)((restart->restarting ? RESTART_R : 0) | (restart->notification ? RESTART_N : 0) |
                         (restart->time_s & BGP_RESTART_TIME_MAX_S)));
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        if ((restart->families & 1u << i) != 0)
            write_family(w, 1u << i, restart->forwarding);
}

void bgp_long_lived_write(struct byte_writer *w, uint8_t code, const struct bgp_long_lived *long_lived)
{
    unsigned count = (unsigned)__builtin_popcount(long_lived->families);

    bw_u8(w, code);
    bw_u8(w, (uint8_t)(LONG_TUPLE_LEN * count));
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++) {
        if ((long_lived->families & 1u << i) == 0)
            continue;
        write_family(w, 1u << i, long_lived->forwarding);
        bw_u8(w, (uint8_t)(long_lived->time_s[i] >> 16));
        bw_u16(w, (uint16_t)long_lived->time_s[i]);
    }
}

/* The family, or 0 when it is not known here; and whether its F bit is set. */
static uint32_t read_family(struct byte_reader *value, bool *forwarding)
{
    uint16_t afi = br_u16(value);
    uint8_t safi = br_u8(value);

    *forwarding = (br_u8(value) & FAMILY_F) != 0;
    return bgp_family_of(afi, safi);
}

bool bgp_restart_read(struct byte_reader value, struct bgp_restart *out)
{
    if (br_left(&value) < 2 || (br_left(&value) - 2) % TUPLE_LEN != 0)
        return false;
    uint16_t head = br_u16(&value);

    *out = (struct bgp_restart){.restarting = (head & RESTART_R) != 0,
                                .notification = (head & RESTART_N) != 0,
                                .time_s = head & BGP_RESTART_TIME_MAX_S};
    while (br_left(&value) > 0) {
        bool forwarding;
        uint32_t family = read_family(&value, &forwarding);
        out->families |= family;
        out->forwarding = (out->forwarding & ~family) | (forwarding ? family : 0);
    }
    return true;
}

bool bgp_long_lived_read(struct byte_reader value, struct bgp_long_lived *out)
{
    if (br_left(&value) % LONG_TUPLE_LEN != 0)
        return false;
    memset(out, 0, sizeof *out);
    while (br_left(&value) > 0) {
        bool forwarding;
        uint32_t family = read_family(&value, &forwarding);
        uint32_t high = br_u8(&value), time_s = high << 16 | br_u16(&value);
        if (family == 0)
            continue;
        out->families |= family;
        out->forwarding = (out->forwarding & ~family) | (forwarding ? family : 0);
        out->time_s[__builtin_ctz(family)] = time_s;
    }
    return true;
}
