/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_QINQ = 0x88a8,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_ICMP6 = 58,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    FRAGMENT_HEADER = 8,
    ETHERNET_HEADER = 14,
    ETHERNET_MIN = 60, /* without the checksum that capture files leave out */
};

static const uint8_t mac_router[6] = {0x02, 0, 0, 0, 0, 0x01};
static const uint8_t mac_upstream[6] = {0x02, 0, 0, 0, 0, 0xfe};
static const uint8_t mac_all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static uint32_t sum_add(uint32_t sum, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? octets[i] : (uint32_t)octets[i] << 8;
    return sum;
}

/* RFC 1071. */
static uint16_t sum_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static size_t addr_octets(const struct ip_addr *addr)
{
    return ip_family_bits(addr->family) / 8;
}

/* The transport checksum with its pseudo-header (RFC 768, RFC 8200 8.1). */
static uint16_t l4_checksum(const struct path *path, uint8_t protocol, const uint8_t *l4, size_t len)
{
    uint32_t sum = (uint32_t)len + protocol;

    sum = sum_add(sum, path->src.octets, addr_octets(&path->src));
    sum = sum_add(sum, path->dst.octets, addr_octets(&path->dst));
    return sum_fold(sum_add(sum, l4, len));
}

static void write_ethernet(struct byte_writer *w, const struct path *path)
{
    bw_bytes(w, mac_router, sizeof(mac_router));
    bw_bytes(w, mac_upstream, sizeof(mac_upstream));
    if (path->outer_vlan) {
        bw_u16(w, ETHERTYPE_QINQ);
        bw_u16(w, path->outer_vlan);
    }
    if (path->vlan) {
        bw_u16(w, ETHERTYPE_VLAN);
        bw_u16(w, path->vlan);
    }
    bw_u16(w, path->src.family == IP_V6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
}

static void write_ipv4(struct byte_writer *w, const struct path *path, uint8_t protocol, size_t payload_len)
{
    const uint8_t *header = w->at;
    size_t checksum = bw_len(w) + 10;

    bw_u8(w, 0x45);
    bw_u8(w, 0);
    bw_u16(w, (uint16_t)(IPV4_HEADER + payload_len));
    bw_u16(w, path->id);
    bw_u16(w, 0);
    bw_u8(w, path->ttl);
    bw_u8(w, protocol);
    bw_u16(w, 0);
    bw_bytes(w, path->src.octets, 4);
    bw_bytes(w, path->dst.octets, 4);
    bw_patch_u16(w, checksum, sum_fold(sum_add(0, header, IPV4_HEADER)));
}

static void write_ipv6(struct byte_writer *w, const struct path *path, uint8_t protocol, size_t payload_len)
{
    bw_u32(w, 0x60000000u | path->flow_label);
    bw_u16(w, (uint16_t)payload_len);
    bw_u8(w, protocol);
    bw_u8(w, path->ttl);
    bw_bytes(w, path->src.octets, 16);
    bw_bytes(w, path->dst.octets, 16);
}

/* Everything up to the transport header, which follows with `payload_len` octets. */
static struct byte_writer frame_begin(struct frame *frame, const struct path *path, uint8_t protocol,
                                      size_t payload_len)
{
    struct byte_writer w = bw_init(frame->octets, sizeof(frame->octets));

    write_ethernet(&w, path);
    if (path->src.family == IP_V6)
        write_ipv6(&w, path, protocol, payload_len);
    else
        write_ipv4(&w, path, protocol, payload_len);
    return w;
}

/* Pads to what Ethernet asks for. */
static void frame_end(struct frame *frame, struct byte_writer *w)
{
    while (bw_len(w) < ETHERNET_MIN)
        bw_u8(w, 0);
    assert(!w->failed);
    frame->length = bw_len(w);
}

void frame_udp(struct frame *frame, const struct path *path, uint16_t src_port, uint16_t dst_port,
               const uint8_t *payload, size_t len)
{
    struct byte_writer w = frame_begin(frame, path, PROTOCOL_UDP, 8 + len);
    size_t l4 = bw_len(&w);
    uint16_t checksum;

    bw_u16(&w, src_port);
    bw_u16(&w, dst_port);
    bw_u16(&w, (uint16_t)(8 + len));
    bw_u16(&w, 0);
    bw_bytes(&w, payload, len);
    checksum = l4_checksum(path, PROTOCOL_UDP, frame->octets + l4, 8 + len);
    bw_patch_u16(&w, l4 + 6, checksum ? checksum : 0xffff);
    frame_end(frame, &w);
}

/* MSS 1460, SACK permitted, timestamps, no-operation, window scale 7: 20 octets. */
static const uint8_t syn_options[20] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3, 3, 7};

void frame_tcp(struct frame *frame, const struct path *path, const struct tcp *tcp, const uint8_t *payload, size_t len)
{
    size_t header = 20u + tcp->option_len;
    struct byte_writer w = frame_begin(frame, path, PROTOCOL_TCP, header + len);
    size_t l4 = bw_len(&w);

    assert(tcp->option_len == 0 || tcp->option_len == sizeof(syn_options));
    bw_u16(&w, tcp->src_port);
    bw_u16(&w, tcp->dst_port);
    bw_u32(&w, tcp->seq);
    bw_u32(&w, tcp->ack);
    bw_u8(&w, (uint8_t)(header / 4 << 4));
    bw_u8(&w, tcp->flags);
    bw_u16(&w, 64240);
    bw_u32(&w, 0);
    bw_bytes(&w, syn_options, tcp->option_len);
    bw_bytes(&w, payload, len);
    bw_patch_u16(&w, l4 + 16, l4_checksum(path, PROTOCOL_TCP, frame->octets + l4, header + len));
    frame_end(frame, &w);
}

void frame_echo_reply(struct frame *frame, const struct path *path, uint16_t id, uint16_t seq, const uint8_t *payload,
                      size_t len)
{
    bool v6 = path->src.family == IP_V6;
    struct byte_writer w = frame_begin(frame, path, v6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP, 8 + len);
    size_t l4 = bw_len(&w);
    uint16_t checksum;

    bw_u16(&w, v6 ? 129 << 8 : 0);
    bw_u16(&w, 0);
    bw_u16(&w, id);
    bw_u16(&w, seq);
    bw_bytes(&w, payload, len);
    /* ICMP has no pseudo-header (RFC 792), ICMPv6 has one (RFC 4443 2.3). */
    checksum = v6 ? l4_checksum(path, PROTOCOL_ICMP6, frame->octets + l4, 8 + len)
                  : sum_fold(sum_add(0, frame->octets + l4, 8 + len));
    bw_patch_u16(&w, l4 + 2, checksum);
    frame_end(frame, &w);
}

void frame_arp_request(struct frame *frame, const struct ip_addr *sender, const struct ip_addr *target)
{
    struct byte_writer w = bw_init(frame->octets, sizeof(frame->octets));
    static const uint8_t unknown[6] = {0};

    bw_bytes(&w, mac_all, sizeof(mac_all));
    bw_bytes(&w, mac_upstream, sizeof(mac_upstream));
    bw_u16(&w, ETHERTYPE_ARP);
    bw_u16(&w, 1); /* Ethernet */
    bw_u16(&w, ETHERTYPE_IPV4);
    bw_u8(&w, 6);
    bw_u8(&w, 4);
    bw_u16(&w, 1); /* request */
    bw_bytes(&w, mac_upstream, sizeof(mac_upstream));
    bw_bytes(&w, sender->octets, 4);
    bw_bytes(&w, unknown, sizeof(unknown));
    bw_bytes(&w, target->octets, 4);
    frame_end(frame, &w);
}

static uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Where the header above Ethernet starts, and its EtherType. */
static size_t find_network(const struct frame *frame, uint16_t *type)
{
    size_t at = ETHERNET_HEADER;

    while (*type = get_u16(frame->octets + at - 2), *type == ETHERTYPE_VLAN || *type == ETHERTYPE_QINQ)
        at += 4;
    return at;
}

/* `offset` counts octets of the whole datagram's payload. */
static void write_piece_ipv4(struct byte_writer *w, const uint8_t *header, size_t offset, size_t len, bool more)
{
    size_t start = bw_len(w);

    bw_bytes(w, header, IPV4_HEADER);
    bw_patch_u16(w, start + 2, (uint16_t)(IPV4_HEADER + len));
    bw_patch_u16(w, start + 6, (uint16_t)((more ? 0x2000 : 0) | offset / 8));
    bw_patch_u16(w, start + 10, 0);
    bw_patch_u16(w, start + 10, sum_fold(sum_add(0, w->start + start, IPV4_HEADER)));
}

static void write_piece_ipv6(struct byte_writer *w, const uint8_t *header, uint32_t id, size_t offset, size_t len,
                             bool more)
{
    size_t start = bw_len(w);

    bw_bytes(w, header, IPV6_HEADER);
    w->start[start + 6] = PROTOCOL_FRAGMENT;
    bw_patch_u16(w, start + 4, (uint16_t)(FRAGMENT_HEADER + len));
    bw_u8(w, header[6]);
    bw_u8(w, 0);
    bw_u16(w, (uint16_t)(offset | (more ? 1 : 0)));
    bw_u32(w, id);
}

size_t frame_fragment(const struct frame *whole, uint32_t id, struct frame pieces[FRAME_PIECES_MAX])
{
    uint16_t type;
    size_t ip = find_network(whole, &type);
    bool v6 = type == ETHERTYPE_IPV6;
    const uint8_t *header = whole->octets + ip;
    size_t header_len = v6 ? IPV6_HEADER : IPV4_HEADER;
    size_t total = v6 ? get_u16(header + 4) : get_u16(header + 2) - header_len;
    size_t room = (FRAME_MTU - header_len - (v6 ? FRAGMENT_HEADER : 0)) / 8 * 8;
    size_t count = 0;

    if (type == ETHERTYPE_ARP || header_len + total <= FRAME_MTU) {
        pieces[0] = *whole;
        return 1;
    }
    for (size_t offset = 0; offset < total; offset += room) {
        size_t len = total - offset < room ? total - offset : room;
        bool more = offset + len < total;
        struct byte_writer w = bw_init(pieces[count].octets, sizeof(pieces[count].octets));

        assert(count < FRAME_PIECES_MAX);
        bw_bytes(&w, whole->octets, ip);
        if (v6)
            write_piece_ipv6(&w, header, id, offset, len, more);
        else
            write_piece_ipv4(&w, header, offset, len, more);
        bw_bytes(&w, header + header_len + offset, len);
        frame_end(&pieces[count++], &w);
    }
    return count;
}
