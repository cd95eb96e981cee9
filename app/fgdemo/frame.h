/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet frames as they are on the wire, every length and checksum right.
 */
#ifndef FGDEMO_FRAME_H
#define FGDEMO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define FRAME_MAX        9216
#define FRAME_MTU        1500
#define FRAME_PIECES_MAX 8

struct frame {
    uint8_t octets[FRAME_MAX];
    size_t length;
};

/* Everything below the transport header. */
struct path {
    struct ip_addr src, dst; /* of one family */
    uint16_t vlan;           /* 0: untagged */
    uint16_t outer_vlan;     /* 0: at most one tag */
    uint8_t ttl;
    uint16_t id;         /* IPv4 */
    uint32_t flow_label; /* IPv6 */
};

struct tcp {
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint8_t flags;
    uint8_t option_len; /* 0, or 20: what a common stack sends with its SYN (MSS, SACK, timestamps, window scale) */
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_PSH 0x08
#define TCP_ACK 0x10

/* Each overwrites `frame`. */
void frame_udp(struct frame *frame, const struct path *path, uint16_t src_port, uint16_t dst_port,
               const uint8_t *payload, size_t len);
void frame_tcp(struct frame *frame, const struct path *path, const struct tcp *tcp, const uint8_t *payload, size_t len);

/* An echo reply of the path's family. */
void frame_echo_reply(struct frame *frame, const struct path *path, uint16_t id, uint16_t seq, const uint8_t *payload,
                      size_t len);

void frame_arp_request(struct frame *frame, const struct ip_addr *sender, const struct ip_addr *target);

/*
 * Cuts a frame into IP fragments that fit FRAME_MTU and returns how many (1: it fits as it is). IPv6 gets a fragment
 * header (RFC 8200 4.5). At most FRAME_PIECES_MAX pieces.
 */
size_t frame_fragment(const struct frame *whole, uint32_t id, struct frame pieces[FRAME_PIECES_MAX]);

#endif
