/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a rule does with the packets it matches, and how that travels: RFC 8955 section 7, RFC 8956 section 6,
 * draft-ietf-idr-flowspec-redirect-ip, in extended communities (RFC 4360) and IPv6-specific ones (RFC 5701).
 * No action at all is `accept`.
 */
#ifndef FLOWSPEC_ACTIONS_H
#define FLOWSPEC_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/strbuf.h"

enum fs_redirect_kind {
    FS_REDIRECT_NONE = 0,
    FS_REDIRECT_RT_AS2,  /* 2-octet AS : 4-octet value,  0x8008 */
    FS_REDIRECT_RT_IPV4, /* IPv4 address : 2-octet value, 0x8108 */
    FS_REDIRECT_RT_AS4,  /* 4-octet AS : 2-octet value,  0x8208 */
    FS_REDIRECT_RT_IPV6, /* IPv6 address : 2-octet value, IPv6-specific 0x000d */
};

struct fs_route_target {
    uint8_t kind;   /* enum fs_redirect_kind */
    uint32_t admin; /* AS number, or IPv4 address in host order; unused for IPv6 */
    uint32_t value;
    uint8_t admin_v6[16];
};

/*
 * A rate for each source prefix by itself, beyond the RFC: 0x8306 (octets) and 0x830c (packets), as flowspec-xdp has
 * them. Value: (sources / 4096) - 1 in one octet, the prefix length in one, the rate as in RFC 8955 7.1.
 */
#define FS_SOURCES_STEP      4096u
#define FS_SOURCES_MAX       (256u * FS_SOURCES_STEP)
#define FS_SOURCE_LENGTH_MAX 128u

struct fs_per_source {
    bool set;
    uint8_t length;   /* of the source prefix, 0..128; longer than the family's addresses: each address by itself */
    float rate_per_s; /* >= 0, octets or packets; 0 is discard */
    uint32_t sources; /* followed at the same time, at most: a multiple of FS_SOURCES_STEP, up to FS_SOURCES_MAX */
};

struct fs_actions {
    bool rate_bytes_set;   /* traffic-rate-bytes; several: the lowest counts */
    bool rate_packets_set; /* traffic-rate-packets */
    bool rate_undefined;   /* a rate was NaN or infinite: the rule must be rejected */
    bool mark_set;
    bool sample; /* traffic-action S */
    bool go_on;  /* traffic-action T: `continue` */
    bool redirect_ip_set;
    bool redirect_ip_copy;
    uint8_t dscp;             /* 0..63 where mark_set */
    float rate_bytes_per_s;   /* >= 0; 0 is discard */
    float rate_packets_per_s; /* >= 0; 0 is discard */
    struct fs_per_source source_bytes;
    struct fs_per_source source_packets;
    struct fs_route_target redirect; /* kind FS_REDIRECT_NONE: none */
    struct ip_addr redirect_ip;      /* family IP_NONE with redirect_ip_set: the MP_REACH next hop (Simpson form) */
};

/* Room for what fs_actions_encode can write. */
#define FS_EXT_COMM_MAX  10 /* communities of 8 octets */
#define FS_EXT_COMM6_MAX 2  /* communities of 20 octets */

/* Extended communities of one rule, wire form, in canonical order. */
struct fs_ext_comms {
    uint8_t count;
    uint8_t count6;
    uint8_t comms[FS_EXT_COMM_MAX][8];
    uint8_t comms6[FS_EXT_COMM6_MAX][20];
};

/* Whether matching packets are all dropped: some rate is 0. */
bool fs_actions_discard(const struct fs_actions *actions);

/* No action at all: matching packets pass and the search ends. */
bool fs_actions_accept(const struct fs_actions *actions);

/* Two action sets that mean the same, field by field. */
bool fs_actions_equal(const struct fs_actions *a, const struct fs_actions *b);

/*
 * Reads actions from the values of the attributes EXTENDED COMMUNITIES (`len` a multiple of 8) and IPv6-specific
 * EXTENDED COMMUNITIES (`len6` a multiple of 20); a remainder is ignored here, RFC 7606 7.14 is the caller's.
 * Communities that are no Flowspec action are skipped. Interfering actions are settled as RFC 8955 7.7 and the manual
 * say: of two rates of one kind the lower, of two redirects or marks the first.
 */
void fs_actions_decode(const uint8_t *comms, size_t len, const uint8_t *comms6, size_t len6, struct fs_actions *out);

/* Writes actions as extended communities. `local_as` goes, its low 16 bits, into rate communities (RFC 8955 7.1). */
void fs_actions_encode(const struct fs_actions *actions, uint32_t local_as, struct fs_ext_comms *out);

/* Each action as text, in canonical order: calls `emit` once per action ("accept" when there is none). */
void fs_actions_each(const struct fs_actions *actions, void (*emit)(void *ctx, const char *text), void *ctx);

/* All actions, separated by blanks. */
void fs_actions_format(const struct fs_actions *actions, struct strbuf *out);

#endif
