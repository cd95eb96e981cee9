/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame -> key: Ethernet, 802.1Q and 802.1ad tags, IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768),
 * ICMP (RFC 792), ICMPv6 (RFC 4443).
 *
 * Everything is read through view_at(), which knows the one bound that counts at each layer: the frame's end for
 * Ethernet and the IP header, the IP packet's own end from there on, so Ethernet padding is never taken for payload.
 * A header that lies in the first segment is read in place; one that is split over segments is gathered into a
 * small buffer. parse.h says what is malformed and why.
 */
#include "packet/parse.h"

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <string.h>

#define ETHERNET_SIZE 14u
#define VLAN_TAG_SIZE 4u
#define IPV4_SIZE     20u
#define IPV6_SIZE     40u
#define UDP_SIZE      8u
#define TCP_SIZE      20u
#define ICMP_SIZE     8u /* RFC 792: every message has 8 octets at least */
#define ICMP6_SIZE    4u /* RFC 4443 2.1: type, code, checksum */

/* RFC 1858 3.2.1: a first fragment holds the TCP header up to the flags, or it is there to hide them. */
#define TCP_FIRST_FRAGMENT_MIN 16u

#define HEADER_MAX 40u /* longest piece that is read at once */
#define IP_MAX     65535u

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    ETHERTYPE_QINQ_OLD = 0x9100, /* what QinQ used before 802.1ad */
};

enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_AH = 51,
    PROTO_ICMP6 = 58,
    PROTO_DESTINATION = 60,
};

/* What may be read: offsets count from the start of the frame, none reaches `end`. */
struct view {
    const struct rte_mbuf *mbuf;
    const uint8_t *first; /* the first segment's data ... */
    uint32_t first_len;   /* ... and its length */
    uint32_t end;         /* of the frame, later of the IP packet */
};

static inline uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* `len` octets (at most HEADER_MAX) at `offset`, in place or gathered into `spare`; NULL when they pass the end. */
static inline const uint8_t *view_at(const struct view *view, uint32_t offset, uint32_t len, uint8_t *spare)
{
    if (unlikely(offset + len > view->end))
        return NULL;
    if (likely(offset + len <= view->first_len))
        return view->first + offset;
    return rte_pktmbuf_read(view->mbuf, offset, len, spare);
}

static enum pkt_malformed parse_tcp(const struct view *view, struct pkt_key *key)
{
    uint8_t spare[HEADER_MAX];
    uint32_t avail = view->end - key->l4_offset;
    /* IPv6 first fragments hold the whole header chain (RFC 7112 section 5); IPv4 ones may end inside the options. */
    bool may_end_early = key->family == IP_V4 && (key->fragment & PKT_FRAGMENT_FIRST);
    uint32_t need = may_end_early ? TCP_FIRST_FRAGMENT_MIN : TCP_SIZE;
    const uint8_t *tcp = view_at(view, key->l4_offset, need, spare);

    if (unlikely(tcp == NULL))
        return PKT_BAD_L4_HEADER;
    uint32_t header_len = (uint32_t)(tcp[12] >> 4) * 4;
    if (unlikely(header_len < TCP_SIZE || (header_len > avail && !may_end_early)))
        return PKT_BAD_L4_HEADER;
    key->src_port = be16(tcp);
    key->dst_port = be16(tcp + 2);
    key->tcp_flags = be16(tcp + 12) & 0x0fff;
    key->has = PKT_HAS_PORTS | PKT_HAS_TCP_FLAGS;
    return PKT_SOUND;
}

static enum pkt_malformed parse_udp(const struct view *view, struct pkt_key *key)
{
    uint8_t spare[HEADER_MAX];
    const uint8_t *udp = view_at(view, key->l4_offset, UDP_SIZE, spare);

    if (unlikely(udp == NULL))
        return PKT_BAD_L4_HEADER;
    uint32_t length = be16(udp + 4);
    /* a first fragment holds less than the length says; more than it says is surplus that RFC 768 does not forbid */
    if (unlikely(length < UDP_SIZE || (length > view->end - key->l4_offset && !(key->fragment & PKT_FRAGMENT_FIRST))))
        return PKT_BAD_L4_HEADER;
    key->src_port = be16(udp);
    key->dst_port = be16(udp + 2);
    key->has = PKT_HAS_PORTS;
    return PKT_SOUND;
}

static enum pkt_malformed parse_icmp(const struct view *view, struct pkt_key *key, uint32_t size)
{
    uint8_t spare[HEADER_MAX];
    const uint8_t *icmp = view_at(view, key->l4_offset, size, spare);

    if (unlikely(icmp == NULL))
        return PKT_BAD_L4_HEADER;
    key->icmp_type = icmp[0];
    key->icmp_code = icmp[1];
    key->has = PKT_HAS_ICMP;
    return PKT_SOUND;
}

/* The upper-layer header at key->l4_offset; protocols that Flowspec does not look into are sound as they are. */
static inline enum pkt_malformed parse_l4(const struct view *view, struct pkt_key *key)
{
    if (key->protocol == PROTO_TCP)
        return parse_tcp(view, key);
    if (key->protocol == PROTO_UDP)
        return parse_udp(view, key);
    if (key->protocol == PROTO_ICMP && key->family == IP_V4)
        return parse_icmp(view, key, ICMP_SIZE);
    if (key->protocol == PROTO_ICMP6 && key->family == IP_V6)
        return parse_icmp(view, key, ICMP6_SIZE);
    return PKT_SOUND;
}

/*
 * One fragment of several. `offset` and `payload` in octets; `before` are the octets that count towards the
 * reassembled packet's length field besides the fragments' payloads.
 */
static enum pkt_malformed check_fragment(uint32_t offset, bool more, uint32_t payload, uint32_t before,
                                         struct pkt_key *key)
{
    if (offset == 0)
        key->fragment |= PKT_FRAGMENT_FIRST;
    else
        key->fragment |= more ? PKT_FRAGMENT_IS : PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST;
    if (payload == 0 || (more && payload % 8 != 0) || before + offset + payload > IP_MAX)
        return PKT_BAD_FRAGMENT;
    return PKT_SOUND;
}

static enum pkt_malformed parse_ipv4_fragment(const struct view *view, uint16_t field, struct pkt_key *key)
{
    uint32_t offset = (field & 0x1fffu) * 8;
    enum pkt_malformed reason = check_fragment(offset, field & 0x2000, view->end - key->l4_offset,
                                               (uint32_t)(key->l4_offset - key->l3_offset), key);

    if (reason != PKT_SOUND)
        return reason;
    if (offset == 0)
        return parse_l4(view, key);
    /*
     * RFC 1858 3.2.2, RFC 3128: a TCP fragment at offset 8 exists only to overwrite the flags of the first one; the
     * honest first fragment it would follow, with 8 octets, is refused above.
     */
    return offset == 8 && key->protocol == PROTO_TCP ? PKT_BAD_FRAGMENT : PKT_SOUND;
}

static inline enum pkt_malformed parse_ipv4(struct view *view, struct pkt_key *key)
{
    uint8_t spare[HEADER_MAX];
    const uint8_t *ip = view_at(view, key->l3_offset, IPV4_SIZE, spare);

    if (unlikely(ip == NULL))
        return PKT_BAD_IP_HEADER;
    if (unlikely(ip[0] >> 4 != 4))
        return PKT_BAD_IP_VERSION;
    uint32_t header_len = (ip[0] & 0x0fu) * 4;
    uint32_t frame_left = view->end - key->l3_offset;
    if (unlikely(header_len < IPV4_SIZE || header_len > frame_left))
        return PKT_BAD_IP_HEADER;

    key->family = IP_V4;
    memcpy(key->src, ip + 12, 4);
    memcpy(key->dst, ip + 16, 4);
    key->length = be16(ip + 2);
    key->dscp = ip[1] >> 2;
    key->protocol = ip[9];
    key->l4_offset = (uint16_t)(key->l3_offset + header_len);
    if (unlikely(key->length < header_len || key->length > frame_left))
        return PKT_BAD_IP_LENGTH;
    view->end = key->l3_offset + key->length;

    uint16_t fragment = be16(ip + 6);
    key->fragment = fragment & 0x4000 ? PKT_FRAGMENT_DF : 0;
    if (unlikely(fragment & 0x3fff))
        return parse_ipv4_fragment(view, fragment, key);
    return parse_l4(view, key);
}

/*
 * The Fragment header at `offset` (RFC 8200 4.5). Sets *later when this packet is not the first fragment, so that no
 * upper-layer header follows. An atomic fragment (RFC 6946: offset 0, no more to come) is a whole packet.
 */
static enum pkt_malformed parse_ipv6_fragment(const struct view *view, uint32_t offset, const uint8_t *header,
                                              struct pkt_key *key, bool *later)
{
    uint16_t field = be16(header + 2);
    uint32_t fragment_offset = field & 0xfff8u;
    bool more = field & 1;

    if (fragment_offset == 0 && !more)
        return PKT_SOUND;
    if (key->fragment) /* a fragment of a fragment: no host sends that, and it would hide what it holds */
        return PKT_BAD_FRAGMENT;
    *later = fragment_offset != 0;
    return check_fragment(fragment_offset, more, view->end - offset - 8, offset - key->l3_offset - IPV6_SIZE, key);
}

static bool is_extension(uint8_t protocol)
{
    return protocol == PROTO_HOP_BY_HOP || protocol == PROTO_ROUTING || protocol == PROTO_FRAGMENT ||
           protocol == PROTO_AH || protocol == PROTO_DESTINATION;
}

static uint32_t extension_size(uint8_t protocol, const uint8_t *header)
{
    if (protocol == PROTO_FRAGMENT)
        return 8;
    if (protocol == PROTO_AH)
        return (header[1] + 2u) * 4; /* RFC 4302 2.2 */
    return (header[1] + 1u) * 8;
}

/* RFC 8956 3.3: the protocol is the first Next Header value that is not an extension header's. */
static enum pkt_malformed walk_extensions(const struct view *view, struct pkt_key *key)
{
    uint32_t offset = key->l4_offset;
    bool later = false;

    for (unsigned walked = 0; is_extension(key->protocol) && !later; walked++) {
        uint8_t spare[HEADER_MAX];
        const uint8_t *header = view_at(view, offset, 8, spare); /* none is shorter than 8 octets */
        if (header == NULL || walked == PKT_EXTENSIONS_MAX)
            return PKT_BAD_EXTENSION;
        uint32_t size = extension_size(key->protocol, header);
        if (size > view->end - offset || (key->protocol == PROTO_AH && size < 12))
            return PKT_BAD_EXTENSION;
        if (key->protocol == PROTO_FRAGMENT) {
            enum pkt_malformed reason = parse_ipv6_fragment(view, offset, header, key, &later);
            if (reason != PKT_SOUND)
                return reason;
        }
        key->protocol = header[0];
        offset += size;
        key->l4_offset = (uint16_t)offset;
    }
    return later ? PKT_SOUND : parse_l4(view, key);
}

static inline enum pkt_malformed parse_ipv6(struct view *view, struct pkt_key *key)
{
    uint8_t spare[HEADER_MAX];
    const uint8_t *ip = view_at(view, key->l3_offset, IPV6_SIZE, spare);

    if (unlikely(ip == NULL))
        return PKT_BAD_IP_HEADER;
    if (unlikely(ip[0] >> 4 != 6))
        return PKT_BAD_IP_VERSION;

    key->family = IP_V6;
    memcpy(key->src, ip + 8, 16);
    memcpy(key->dst, ip + 24, 16);
    key->flow_label = (ip[1] & 0x0fu) << 16 | be16(ip + 2);
    key->dscp = (uint8_t)((ip[0] & 0x0f) << 2 | ip[1] >> 6);
    key->length = IPV6_SIZE + be16(ip + 4);
    key->protocol = ip[6];
    key->l4_offset = (uint16_t)(key->l3_offset + IPV6_SIZE);
    if (unlikely(key->length > view->end - key->l3_offset))
        return PKT_BAD_IP_LENGTH;
    view->end = key->l3_offset + key->length;

    if (unlikely(is_extension(key->protocol)))
        return walk_extensions(view, key);
    return parse_l4(view, key);
}

static inline bool is_vlan_tag(uint16_t ethertype)
{
    return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ || ethertype == ETHERTYPE_QINQ_OLD;
}

/* The outer tag may have been taken off by the port already. */
static inline uint16_t stripped_vlan(const struct rte_mbuf *mbuf)
{
    if (mbuf->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED)
        return mbuf->vlan_tci_outer & 0x0fff;
    if (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
        return mbuf->vlan_tci & 0x0fff;
    return 0;
}

static inline enum pkt_malformed parse_frame(struct view *view, struct pkt_key *key)
{
    uint8_t spare[HEADER_MAX];
    const uint8_t *ethernet = view_at(view, 0, ETHERNET_SIZE, spare);

    key->vlan = stripped_vlan(view->mbuf);
    if (unlikely(ethernet == NULL))
        return PKT_BAD_ETHERNET;
    uint16_t ethertype = be16(ethernet + 12);
    uint32_t offset = ETHERNET_SIZE;
    for (unsigned tags = 0; unlikely(is_vlan_tag(ethertype)) && tags < PKT_VLAN_TAGS_MAX; tags++) {
        const uint8_t *tag = view_at(view, offset, VLAN_TAG_SIZE, spare);
        if (tag == NULL)
            return PKT_BAD_ETHERNET;
        if (tags == 0 && !(view->mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
            key->vlan = be16(tag) & 0x0fff;
        ethertype = be16(tag + 2);
        offset += VLAN_TAG_SIZE;
    }
    key->l3_offset = (uint16_t)offset;
    if (ethertype == ETHERTYPE_IPV4)
        return parse_ipv4(view, key);
    if (ethertype == ETHERTYPE_IPV6)
        return parse_ipv6(view, key);
    return PKT_SOUND;
}

void pkt_parse(const struct rte_mbuf *mbuf, struct pkt_key *key)
{
    struct view view = {
        .mbuf = mbuf,
        .first = rte_pktmbuf_mtod(mbuf, const uint8_t *),
        .first_len = rte_pktmbuf_data_len(mbuf),
        .end = rte_pktmbuf_pkt_len(mbuf),
    };

    memset(key, 0, sizeof *key);
    key->malformed = (uint8_t)parse_frame(&view, key);
}

/* Far enough ahead that a packet's first line has arrived when its turn comes. */
#define PREFETCH_AHEAD 4u

void pkt_parse_burst(struct rte_mbuf *const *mbufs, struct pkt_key *keys, unsigned count)
{
    for (unsigned i = 0; i < count && i < PREFETCH_AHEAD; i++)
        rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], const void *));
    for (unsigned i = 0; i < count; i++) {
        if (i + PREFETCH_AHEAD < count)
            rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + PREFETCH_AHEAD], const void *));
        pkt_parse(mbufs[i], &keys[i]);
    }
}

bool pkt_checksum_right(const struct rte_mbuf *mbuf, const struct pkt_key *key)
{
    uint8_t spare[15 * 4];

    if (key->family != IP_V4)
        return true;
    const uint8_t *ip = rte_pktmbuf_read(mbuf, key->l3_offset, IPV4_SIZE, spare);
    if (unlikely(ip == NULL))
        return false;
    uint32_t header_len = (ip[0] & 0x0fu) * 4;
    if (unlikely(header_len > IPV4_SIZE))
        ip = rte_pktmbuf_read(mbuf, key->l3_offset, header_len, spare);
    return likely(ip != NULL) && rte_raw_cksum(ip, header_len) == 0xffff;
}

const char *pkt_malformed_word(unsigned reason)
{
    static const char *const words[PKT_MALFORMED_COUNT] = {
        [PKT_SOUND] = "sound",
        [PKT_BAD_ETHERNET] = "bad-ethernet",
        [PKT_BAD_IP_VERSION] = "bad-ip-version",
        [PKT_BAD_IP_HEADER] = "bad-ip-header",
        [PKT_BAD_IP_LENGTH] = "bad-ip-length",
        [PKT_BAD_EXTENSION] = "bad-extension",
        [PKT_BAD_FRAGMENT] = "bad-fragment",
        [PKT_BAD_L4_HEADER] = "bad-l4-header",
        [PKT_BAD_CHECKSUM] = "bad-checksum",
    };

    return reason < PKT_MALFORMED_COUNT ? words[reason] : "unknown";
}
