/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/existing.h"

#include "base/ip.h"
#include "flowspec/rule.h"
#include "policy/packet.h"

#define IPV4_HEADER      20u
#define IPV4_MOST        65535u
#define IPV6_HEADER      40u
#define IPV6_FRAGMENT    8u
#define IPV6_MOST        (40u + 65535u)
#define AH_LEAST         12u /* the one extension header that is a multiple of 4 only */
#define TCP_LEAST        20u
#define TCP_FIRST_LEAST  16u /* IPv4: a first fragment holds the header up to the flags (RFC 1858 3.2.1) */
#define TCP_OFFSET_LEAST 16u /* so the next one starts there at the earliest (RFC 1858 3.2.2) */
#define LATER_LEAST      8u

enum pol_kind pol_kind_of(unsigned family, unsigned protocol)
{
    switch (protocol) {
    case 6:
        return POL_KIND_TCP;
    case 17:
        return POL_KIND_UDP;
    case 1:
        return family == IP_V4 ? POL_KIND_ICMP : POL_KIND_OTHER;
    case 58:
        return family == IP_V6 ? POL_KIND_ICMP : POL_KIND_OTHER;
    case 0:  /* hop-by-hop options */
    case 43: /* routing */
    case 44: /* fragment */
    case 51: /* AH */
    case 60: /* destination options */
        return family == IP_V6 ? POL_KIND_EXTENSION : POL_KIND_OTHER;
    default:
        return POL_KIND_OTHER;
    }
}

unsigned pol_kind_has(enum pol_kind kind, unsigned fragment)
{
    static const unsigned HAS[POL_KIND_COUNT] = {
        [POL_KIND_TCP] = POL_HAS_PORTS | POL_HAS_TCP_FLAGS,
        [POL_KIND_UDP] = POL_HAS_PORTS,
        [POL_KIND_ICMP] = POL_HAS_ICMP,
    };

    return fragment & FS_FRAGMENT_IS ? 0 : HAS[kind];
}

bool pol_fragment_exists(unsigned family, enum pol_kind kind, unsigned fragment)
{
    unsigned kept = fragment & ~(unsigned)FS_FRAGMENT_DF;

    if (family == IP_V6 && kept != fragment)
        return false;
    if (kind == POL_KIND_EXTENSION && !(fragment & FS_FRAGMENT_IS))
        return false;
    return kept == 0 || kept == FS_FRAGMENT_FIRST || kept == FS_FRAGMENT_IS ||
           kept == (FS_FRAGMENT_IS | FS_FRAGMENT_LAST);
}

/* Octets of the upper-layer header that a packet with one has at least. */
static uint32_t upper_least(unsigned family, enum pol_kind kind, bool first)
{
    switch (kind) {
    case POL_KIND_TCP:
        return family == IP_V4 && first ? TCP_FIRST_LEAST : TCP_LEAST;
    case POL_KIND_UDP:
        return 8;
    case POL_KIND_ICMP:
        return family == IP_V4 ? 8 : 4; /* RFC 792; RFC 4443 2.1 */
    default:
        return 0;
    }
}

static uint32_t round_up(uint32_t value, uint32_t to)
{
    return (value + to - 1) / to * to;
}

uint32_t pol_length_most(unsigned family)
{
    return family == IP_V4 ? IPV4_MOST : IPV6_MOST;
}

void pol_lengths_of(unsigned family, enum pol_kind kind, unsigned fragment, struct pol_lengths *out)
{
    bool first = fragment & FS_FRAGMENT_FIRST, later = fragment & FS_FRAGMENT_IS;
    bool last = fragment & FS_FRAGMENT_LAST;
    uint32_t header = family == IP_V4 ? IPV4_HEADER : IPV6_HEADER;

    if (family == IP_V6 && (first || later))
        header += IPV6_FRAGMENT;
    out->blocks = first || (later && !last);
    out->most = pol_length_most(family);
    if (!first && !later) {
        out->least = header + upper_least(family, kind, false);
    } else if (last) {
        out->least = header + 1;
    } else {
        uint32_t payload = first ? round_up(upper_least(family, kind, true), 8) : 8;
        out->least = header + (payload > 0 ? payload : 8);
    }
    /* IPv4: the whole may not grow beyond 65535 octets. IPv6 does not count the Fragment header, which is as much. */
    if (family == IP_V4 && later)
        out->most -= kind == POL_KIND_TCP ? TCP_OFFSET_LEAST : LATER_LEAST;
    /* multiples of 4 that are none of 8, counted from the shortest header: IPv4 options, IPv6 AH */
    out->least_odd4 = out->least + (family == IP_V4 ? 4 : AH_LEAST);
}

uint32_t pol_length_within(const struct pol_lengths *lengths, uint32_t first, uint32_t last)
{
    if (first < lengths->least)
        first = lengths->least;
    if (last > lengths->most)
        last = lengths->most;
    if (lengths->blocks) {
        /* in steps of 8 from the shortest; in steps of 4 once a header can be longer by that */
        uint32_t from = first > lengths->least_odd4 ? first : lengths->least_odd4;
        uint32_t even = lengths->least + round_up(first - lengths->least, 8);
        uint32_t odd = lengths->least_odd4 + round_up(from - lengths->least_odd4, 8);
        first = even < odd ? even : odd;
    }
    return first <= last ? first : 0;
}
