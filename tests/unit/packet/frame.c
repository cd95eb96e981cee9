/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <assert.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "packet/parse.h"

static uint8_t *room(struct frame *f, size_t len)
{
    uint8_t *at = f->octets + f->len;

    assert(f->len + len <= sizeof f->octets);
    f->len += len;
    return memset(at, 0, len);
}

void frame_u16(struct frame *f, size_t where, uint16_t value)
{
    f->octets[where] = (uint8_t)(value >> 8);
    f->octets[where + 1] = (uint8_t)value;
}

static void append_u16(struct frame *f, uint16_t value)
{
    room(f, 2);
    frame_u16(f, f->len - 2, value);
}

void frame_ethernet(struct frame *f)
{
    f->len = 0;
    memcpy(room(f, 12), "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
}

void frame_tag(struct frame *f, uint16_t tpid, uint16_t tci)
{
    append_u16(f, tpid);
    append_u16(f, tci);
}

void frame_ipv4(struct frame *f, uint8_t protocol, uint16_t fragment, size_t options)
{
    append_u16(f, 0x0800);
    f->l3 = f->len;
    uint8_t *ip = room(f, 20 + options);
    ip[0] = (uint8_t)(0x40 | (20 + options) / 4);
    ip[1] = FRAME_DSCP << 2 | 3;
    frame_u16(f, f->l3 + 6, fragment);
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, "\xc0\x00\x02\x01", 4);
    memcpy(ip + 16, "\xcb\x00\x71\x07", 4);
    f->l4 = f->len;
}

void frame_ipv6(struct frame *f, uint8_t next)
{
    append_u16(f, 0x86dd);
    f->l3 = f->len;
    uint8_t *ip = room(f, 40);
    ip[0] = 0x60 | FRAME_DSCP >> 2;
    ip[1] = (uint8_t)(FRAME_DSCP << 6 | 3 << 4 | FRAME_FLOW_LABEL >> 16);
    frame_u16(f, f->l3 + 2, (uint16_t)FRAME_FLOW_LABEL);
    ip[6] = next;
    ip[7] = 64;
    for (unsigned i = 0; i < 32; i++)
        ip[8 + i] = (uint8_t)(0x20 + i);
    f->l4 = f->len;
}

void frame_extension(struct frame *f, uint8_t next, uint8_t units)
{
    uint8_t *header = room(f, (units + 1u) * 8);

    header[0] = next;
    header[1] = units;
    f->l4 = f->len;
}

void frame_fragment(struct frame *f, uint8_t next, uint16_t offset_units, bool more)
{
    uint8_t *header = room(f, 8);

    header[0] = next;
    header[1] = 0xff; /* reserved: a length that must not be believed */
    frame_u16(f, f->len - 6, (uint16_t)(offset_units << 3 | more));
    f->l4 = f->len;
}

void frame_ah(struct frame *f, uint8_t next, uint8_t words)
{
    uint8_t *header = room(f, (words + 2u) * 4);

    header[0] = next;
    header[1] = words;
    f->l4 = f->len;
}

void frame_tcp(struct frame *f, uint16_t flags, size_t options)
{
    f->l4 = f->len;
    room(f, 20 + options);
    frame_u16(f, f->l4, FRAME_SRC_PORT);
    frame_u16(f, f->l4 + 2, FRAME_DST_PORT);
    frame_u16(f, f->l4 + 12, (uint16_t)((20 + options) / 4 << 12 | flags));
}

void frame_payload(struct frame *f, size_t len)
{
    uint8_t *at = room(f, len);

    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(0x80 | i);
}

void frame_udp(struct frame *f, size_t payload)
{
    f->l4 = f->len;
    room(f, 8);
    frame_u16(f, f->l4, FRAME_SRC_PORT);
    frame_u16(f, f->l4 + 2, FRAME_DST_PORT);
    frame_u16(f, f->l4 + 4, (uint16_t)(8 + payload));
    frame_payload(f, payload);
}

void frame_icmp(struct frame *f, uint8_t type, uint8_t code)
{
    f->l4 = f->len;
    uint8_t *icmp = room(f, 8);
    icmp[0] = type;
    icmp[1] = code;
}

void frame_set_length(struct frame *f, size_t length)
{
    if (f->octets[f->l3] >> 4 == 4)
        frame_u16(f, f->l3 + 2, (uint16_t)length);
    else
        frame_u16(f, f->l3 + 4, (uint16_t)(length - 40));
}

void frame_end(struct frame *f)
{
    frame_set_length(f, f->len - f->l3);
}

static struct rte_mbuf *segment(const uint8_t *octets, size_t len)
{
    struct rte_mbuf *mbuf = aligned_alloc(_Alignof(struct rte_mbuf), sizeof *mbuf);

    memset(mbuf, 0, sizeof *mbuf);
    mbuf->buf_addr = malloc(len);
    if (len)
        memcpy(mbuf->buf_addr, octets, len);
    mbuf->data_len = (uint16_t)len;
    mbuf->nb_segs = 1;
    return mbuf;
}

struct rte_mbuf *mbuf_cut(const uint8_t *octets, size_t len, const size_t *cuts, size_t cut_count)
{
    struct rte_mbuf *head = NULL, **link = &head;
    size_t start = 0;

    for (size_t i = 0; i <= cut_count; i++) {
        size_t end = i < cut_count && cuts[i] < len ? cuts[i] : len;
        *link = segment(octets + start, end - start);
        link = &(*link)->next;
        start = end;
        if (end == len)
            break;
    }
    head->pkt_len = (uint32_t)len;
    for (const struct rte_mbuf *at = head->next; at != NULL; at = at->next)
        head->nb_segs++;
    return head;
}

void mbuf_free(struct rte_mbuf *mbuf)
{
    while (mbuf != NULL) {
        struct rte_mbuf *next = mbuf->next;
        free(mbuf->buf_addr);
        free(mbuf);
        mbuf = next;
    }
}

struct pkt_key parse_octets(const uint8_t *octets, size_t len)
{
    struct rte_mbuf *mbuf = mbuf_cut(octets, len, NULL, 0);
    struct pkt_key key;

    memset(&key, 0xff, sizeof key); /* the parser must not rely on zeroes */
    pkt_parse(mbuf, &key);
    mbuf_free(mbuf);
    return key;
}

struct pkt_key parse_frame(const struct frame *f)
{
    return parse_octets(f->octets, f->len);
}
