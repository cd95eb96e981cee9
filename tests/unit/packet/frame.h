/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds frames octet by octet, and mbufs around them that are cut into segments of exactly their size. */
#ifndef UNIT_PACKET_FRAME_H
#define UNIT_PACKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/key.h"

struct rte_mbuf;

struct frame {
    uint8_t octets[4096];
    size_t len;
    size_t l3; /* where the IP header starts */
    size_t l4; /* where the last upper-layer header starts */
};

/* Fields of the headers that the functions below write. */
#define FRAME_SRC_PORT   0x1234
#define FRAME_DST_PORT   0x0035
#define FRAME_DSCP       46
#define FRAME_FLOW_LABEL 0xabcde

#define IPV4_DF 0x4000
#define IPV4_MF 0x2000

/* MAC addresses alone: tags may follow, the IP header brings its EtherType along. */
void frame_ethernet(struct frame *f);
void frame_tag(struct frame *f, uint16_t tpid, uint16_t tci);
void frame_ipv4(struct frame *f, uint8_t protocol, uint16_t fragment, size_t options);
void frame_ipv6(struct frame *f, uint8_t next);
void frame_extension(struct frame *f, uint8_t next, uint8_t units); /* (units + 1) * 8 octets */
void frame_fragment(struct frame *f, uint8_t next, uint16_t offset_units, bool more);
void frame_ah(struct frame *f, uint8_t next, uint8_t words); /* (words + 2) * 4 octets */
void frame_tcp(struct frame *f, uint16_t flags, size_t options);
void frame_udp(struct frame *f, size_t payload);
void frame_icmp(struct frame *f, uint8_t type, uint8_t code);
void frame_payload(struct frame *f, size_t len);
void frame_u16(struct frame *f, size_t where, uint16_t value);

/* Makes the IP length field tell the truth about what follows the IP header. */
void frame_end(struct frame *f);

/* Sets the IP length field so that the IP packet, header included, has `length` octets. */
void frame_set_length(struct frame *f, size_t length);

/*
 * An mbuf with the first `len` octets, in segments that end at each of `cuts` (ascending; a cut of 0 or one repeated
 * makes an empty segment). Each segment's data is a heap block of its exact size, so that ASan sees any octet read
 * past it.
 */
struct rte_mbuf *mbuf_cut(const uint8_t *octets, size_t len, const size_t *cuts, size_t cut_count);
void mbuf_free(struct rte_mbuf *mbuf);

/* Parses the first `len` octets as one segment. */
struct pkt_key parse_octets(const uint8_t *octets, size_t len);
struct pkt_key parse_frame(const struct frame *f);

#endif
