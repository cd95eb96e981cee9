/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/fragment.h"

#include <string.h>

#include <rte_ip.h>
#include <rte_mbuf.h>

#define HEADER_MIN   20u
#define HEADER_MAX   60u
#define L2_MAX       32u
#define FLAG_DF      0x4000u
#define FLAG_MF      0x2000u
#define OFFSET       0x1fffu
#define DATAGRAM_MAX 65535u
#define COPIED       0x80u /* of an option's type */

enum { OPTION_END = 0, OPTION_NOP = 1 };

bool pkt_append(struct rte_mbuf *packet, struct rte_mempool *pool, const uint8_t *octets, size_t len)
{
    while (len > 0) {
        size_t room = rte_pktmbuf_tailroom(rte_pktmbuf_lastseg(packet)), part = len < room ? len : room;
        if (part == 0) {
            struct rte_mbuf *more = rte_pktmbuf_alloc(pool);
            if (more == NULL || rte_pktmbuf_chain(packet, more) < 0) {
                rte_pktmbuf_free(more);
                return false;
            }
            continue;
        }
        memcpy(rte_pktmbuf_append(packet, (uint16_t)part), octets, part);
        octets += part;
        len -= part;
    }
    return true;
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

bool pkt_may_fragment(const struct rte_mbuf *packet, uint16_t l2_len, uint16_t mtu)
{
    uint8_t spare[HEADER_MIN];
    const uint8_t *ip = rte_pktmbuf_read(packet, l2_len, HEADER_MIN, spare);

    return ip != NULL && ip[0] >> 4 == 4 && get16(ip + 2) > mtu && (get16(ip + 6) & FLAG_DF) == 0;
}

/* The header of fragments behind the first: options without the bit `copied` go. Returns its length. */
static uint32_t later_header(const uint8_t *header, uint32_t len, uint8_t *out)
{
    uint32_t used = HEADER_MIN;

    memcpy(out, header, HEADER_MIN);
    for (uint32_t at = HEADER_MIN, size; at < len && header[at] != OPTION_END; at += size) {
        size = header[at] == OPTION_NOP ? 1 : at + 1 < len ? header[at + 1] : 0;
        if (size == 0 || at + size > len)
            break; /* it lies about itself: nothing behind it can be read */
        if (!(header[at] & COPIED))
            continue;
        memcpy(out + used, header + at, size);
        used += size;
    }
    while (used % 4 != 0)
        out[used++] = OPTION_END;
    out[0] = (uint8_t)(4u << 4 | used / 4);
    return used;
}

/* What is being cut. */
struct cut {
    const struct rte_mbuf *packet;
    uint16_t l2_len;
    uint8_t head[L2_MAX + HEADER_MAX]; /* link layer and IP header of the next fragment */
    uint32_t header_len;               /* of IP */
    uint32_t at;                       /* octets of the packet's payload that are done */
};

/* One fragment with `size` octets of payload from `from` octets into the frame; NULL when no buffer is left. */
static struct rte_mbuf *fragment_make(const struct cut *cut, uint32_t from, uint32_t size)
{
    struct rte_mbuf *fragment = rte_pktmbuf_alloc(cut->packet->pool);
    const struct rte_mbuf *segment = cut->packet;
    bool good = fragment != NULL && pkt_append(fragment, fragment->pool, cut->head, cut->l2_len + cut->header_len);

    for (; good && segment != NULL && size > 0; segment = segment->next) {
        uint32_t there = rte_pktmbuf_data_len(segment);
        if (from >= there) {
            from -= there;
            continue;
        }
        uint32_t part = there - from < size ? there - from : size;
        good = pkt_append(fragment, fragment->pool, rte_pktmbuf_mtod_offset(segment, const uint8_t *, from), part);
        size -= part;
        from = 0;
    }
    if (good && size == 0)
        return fragment;
    rte_pktmbuf_free(fragment);
    return NULL;
}

static void header_set(uint8_t *ip, uint32_t len, uint32_t total, uint32_t offset, bool more)
{
    put16(ip + 2, total);
    put16(ip + 6, offset | (more ? FLAG_MF : 0));
    put16(ip + 10, 0);
    uint16_t sum = (uint16_t)~rte_raw_cksum(ip, len);
    memcpy(ip + 10, &sum, sizeof sum);
}

unsigned pkt_fragment(const struct rte_mbuf *packet, uint16_t l2_len, uint16_t mtu, struct rte_mbuf **out, unsigned max)
{
    struct cut cut = {.packet = packet, .l2_len = l2_len};
    uint8_t spare[L2_MAX + HEADER_MAX], later[HEADER_MAX];
    const uint8_t *frame = l2_len <= L2_MAX ? rte_pktmbuf_read(packet, 0, l2_len + HEADER_MIN, spare) : NULL;
    uint32_t header_len = frame != NULL ? (frame[l2_len] & 15u) * 4u : 0, total = 0;
    unsigned count = 0;

    if (header_len >= HEADER_MIN) {
        total = get16(frame + l2_len + 2);
        frame = rte_pktmbuf_read(packet, 0, l2_len + header_len, spare);
    }
    if (frame == NULL || total < header_len || rte_pktmbuf_pkt_len(packet) < l2_len + total || mtu < 68)
        return 0;
    memcpy(cut.head, frame, l2_len + header_len);
    uint32_t flags = get16(cut.head + l2_len + 6), payload = total - header_len;
    uint32_t later_len = later_header(cut.head + l2_len, header_len, later);
    cut.header_len = header_len;
    if ((flags & OFFSET) * 8 + payload > DATAGRAM_MAX)
        return 0; /* of a datagram that cannot be: further offsets would run into the flags */
    while (cut.at < payload && count < max) {
        uint32_t room = (mtu - cut.header_len) & ~7u, left = payload - cut.at;
        uint32_t size = left <= mtu - cut.header_len ? left : room;
        bool more = size < left || (flags & FLAG_MF) != 0;
        header_set(cut.head + l2_len, cut.header_len, cut.header_len + size, (flags & OFFSET) + cut.at / 8, more);
        out[count] = fragment_make(&cut, l2_len + header_len + cut.at, size);
        if (out[count] == NULL)
            break;
        count++;
        cut.at += size;
        memcpy(cut.head + l2_len, later, later_len);
        cut.header_len = later_len;
    }
    if (cut.at == payload)
        return count;
    rte_pktmbuf_free_bulk(out, count);
    return 0;
}
