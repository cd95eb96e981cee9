/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions <-> extended communities: RFC 8955 section 7, RFC 8956 section 6.1, draft-ietf-idr-flowspec-redirect-ip.
 *
 * One table, keyed by the community's type and sub-type, holds how each is read and written. Its order is ascending,
 * which is also the order of encoding: equal actions are equal octets.
 */
#include <math.h>
#include <string.h>

#include "base/cursor.h"
#include "flowspec/actions.h"

#define ACTION_TERMINAL 0x01 /* in the 6th octet of the value, RFC 8955 7.3 */
#define ACTION_SAMPLE   0x02
#define DSCP_MASK       0x3f
#define COPY            0x01 /* in the last octet of a redirect-to-IP */

#define COMM_OCTETS  8
#define COMM6_OCTETS 20

/* Reads the value behind the two octets of type. */
typedef void (*comm_read_fn)(struct byte_reader *in, struct fs_actions *out);

/* Writes the value if the actions ask for this community; false when they do not. */
typedef bool (*comm_write_fn)(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out);

struct comm {
    uint16_t type;
    comm_read_fn read;
    comm_write_fn write;
};

/* ---- rates, RFC 8955 7.1 and 7.2 ---- */

/* False where the rate is no finite number. */
static bool read_float(struct byte_reader *in, float *rate)
{
    uint32_t bits = br_u32(in);

    memcpy(rate, &bits, sizeof *rate);
    if (isnan(*rate) || (isinf(*rate) && *rate > 0))
        return false;
    /* "negative values MUST be treated as zero"; so is the negative zero */
    if (*rate <= 0)
        *rate = 0;
    return true;
}

/* Of two rates of one kind the lower counts (7.7). */
static void read_rate(struct byte_reader *in, bool *set, float *lowest, bool *undefined)
{
    float rate;

    br_u16(in); /* the AS number is informational */
    if (!read_float(in, &rate)) {
        *undefined = true;
        return;
    }
    if (!*set || rate < *lowest)
        *lowest = rate;
    *set = true;
}

static void write_rate(float rate, uint32_t local_as, struct byte_writer *out)
{
    uint32_t bits;

    memcpy(&bits, &rate, sizeof bits);
    bw_u16(out, (uint16_t)local_as);
    bw_u32(out, bits);
}

static void read_rate_bytes(struct byte_reader *in, struct fs_actions *out)
{
    read_rate(in, &out->rate_bytes_set, &out->rate_bytes_per_s, &out->rate_undefined);
}

/* A rate that was undefined stays so: it must not turn into no rate at all on its way through. */
static bool write_rate_bytes(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    if (!actions->rate_bytes_set)
        return false;
    write_rate(actions->rate_bytes_per_s, local_as, out);
    return true;
}

static bool write_rate_undefined(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    if (!actions->rate_undefined)
        return false;
    write_rate(NAN, local_as, out);
    return true;
}

static void read_rate_packets(struct byte_reader *in, struct fs_actions *out)
{
    read_rate(in, &out->rate_packets_set, &out->rate_packets_per_s, &out->rate_undefined);
}

static bool write_rate_packets(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    if (!actions->rate_packets_set)
        return false;
    write_rate(actions->rate_packets_per_s, local_as, out);
    return true;
}

/* ---- traffic-action and traffic-marking, RFC 8955 7.3 and 7.5 ---- */

static void skip_reserved(struct byte_reader *in)
{
    br_bytes(in, 5);
}

static void write_reserved(struct byte_writer *out)
{
    static const uint8_t ZEROS[5];

    bw_bytes(out, ZEROS, sizeof ZEROS);
}

static void read_traffic_action(struct byte_reader *in, struct fs_actions *out)
{
    skip_reserved(in);
    uint8_t bits = br_u8(in);

    out->go_on = out->go_on || (bits & ACTION_TERMINAL);
    out->sample = out->sample || (bits & ACTION_SAMPLE);
}

static bool write_traffic_action(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    if (!actions->go_on && !actions->sample)
        return false;
    write_reserved(out);
    bw_u8(out, (uint8_t)((actions->go_on ? ACTION_TERMINAL : 0) | (actions->sample ? ACTION_SAMPLE : 0)));
    return true;
}

static void read_mark(struct byte_reader *in, struct fs_actions *out)
{
    skip_reserved(in);
    uint8_t dscp = br_u8(in) & DSCP_MASK;

    if (!out->mark_set)
        out->dscp = dscp;
    out->mark_set = true;
}

static bool write_mark(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    if (!actions->mark_set)
        return false;
    write_reserved(out);
    bw_u8(out, actions->dscp & DSCP_MASK);
    return true;
}

/* ---- redirect to a route target, RFC 8955 7.4, RFC 8956 6.1 ---- */

/* The first redirect of several counts. */
static void keep_target(struct fs_actions *out, const struct fs_route_target *target)
{
    if (out->redirect.kind == FS_REDIRECT_NONE)
        out->redirect = *target;
}

static void read_target_as2(struct byte_reader *in, struct fs_actions *out)
{
    struct fs_route_target target = {.kind = FS_REDIRECT_RT_AS2};

    target.admin = br_u16(in);
    target.value = br_u32(in);
    keep_target(out, &target);
}

static bool write_target_as2(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    if (actions->redirect.kind != FS_REDIRECT_RT_AS2)
        return false;
    bw_u16(out, (uint16_t)actions->redirect.admin);
    bw_u32(out, actions->redirect.value);
    return true;
}

/* IPv4 addresses and 4-octet AS numbers share their shape. */
static void read_target_wide(struct byte_reader *in, struct fs_actions *out, enum fs_redirect_kind kind)
{
    struct fs_route_target target = {.kind = (uint8_t)kind};

    target.admin = br_u32(in);
    target.value = br_u16(in);
    keep_target(out, &target);
}

static bool write_target_wide(const struct fs_actions *actions, enum fs_redirect_kind kind, struct byte_writer *out)
{
    if (actions->redirect.kind != kind)
        return false;
    bw_u32(out, actions->redirect.admin);
    bw_u16(out, (uint16_t)actions->redirect.value);
    return true;
}

static void read_target_ipv4(struct byte_reader *in, struct fs_actions *out)
{
    read_target_wide(in, out, FS_REDIRECT_RT_IPV4);
}

static bool write_target_ipv4(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    return write_target_wide(actions, FS_REDIRECT_RT_IPV4, out);
}

static void read_target_as4(struct byte_reader *in, struct fs_actions *out)
{
    read_target_wide(in, out, FS_REDIRECT_RT_AS4);
}

static bool write_target_as4(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    return write_target_wide(actions, FS_REDIRECT_RT_AS4, out);
}

static void read_target_ipv6(struct byte_reader *in, struct fs_actions *out)
{
    struct fs_route_target target = {.kind = FS_REDIRECT_RT_IPV6};
    const uint8_t *address = br_bytes(in, sizeof target.admin_v6);

    memcpy(target.admin_v6, address, sizeof target.admin_v6);
    target.value = br_u16(in);
    keep_target(out, &target);
}

static bool write_target_ipv6(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    if (actions->redirect.kind != FS_REDIRECT_RT_IPV6)
        return false;
    bw_bytes(out, actions->redirect.admin_v6, sizeof actions->redirect.admin_v6);
    bw_u16(out, (uint16_t)actions->redirect.value);
    return true;
}

/* ---- redirect to an address, draft-ietf-idr-flowspec-redirect-ip ---- */

static void read_redirect_ip(struct byte_reader *in, struct fs_actions *out, enum ip_family family)
{
    struct ip_addr address = {.family = (uint8_t)family};
    size_t octets = ip_family_bits(family) / 8;

    memcpy(address.octets, br_bytes(in, octets), octets);
    bool copy = br_u16(in) & COPY;
    if (out->redirect_ip_set)
        return;
    out->redirect_ip_set = true;
    out->redirect_ip_copy = copy;
    out->redirect_ip = address;
}

static bool write_redirect_ip(const struct fs_actions *actions, enum ip_family family, struct byte_writer *out)
{
    if (!actions->redirect_ip_set || actions->redirect_ip.family != family)
        return false;
    bw_bytes(out, actions->redirect_ip.octets, ip_family_bits(family) / 8);
    bw_u16(out, actions->redirect_ip_copy ? COPY : 0);
    return true;
}

static void read_redirect_ipv4(struct byte_reader *in, struct fs_actions *out)
{
    read_redirect_ip(in, out, IP_V4);
}

static bool write_redirect_ipv4(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    return write_redirect_ip(actions, IP_V4, out);
}

static void read_redirect_ipv6(struct byte_reader *in, struct fs_actions *out)
{
    read_redirect_ip(in, out, IP_V6);
}

static bool write_redirect_ipv6(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    return write_redirect_ip(actions, IP_V6, out);
}

/* The older form (draft-simpson-idr-flowspec-redirect): the address is the next hop of MP_REACH. */
static void read_redirect_next_hop(struct byte_reader *in, struct fs_actions *out)
{
    skip_reserved(in);
    bool copy = br_u8(in) & COPY;

    if (out->redirect_ip_set)
        return;
    out->redirect_ip_set = true;
    out->redirect_ip_copy = copy;
    out->redirect_ip = (struct ip_addr){.family = IP_NONE};
}

static bool write_redirect_next_hop(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    if (!actions->redirect_ip_set || actions->redirect_ip.family != IP_NONE)
        return false;
    write_reserved(out);
    bw_u8(out, actions->redirect_ip_copy ? COPY : 0);
    return true;
}

/* ---- rates for each source prefix, as flowspec-xdp has them: the octets of the AS number hold their bounds ---- */

static void read_per_source(struct byte_reader *in, struct fs_per_source *lowest, bool *undefined)
{
    uint32_t sources = (br_u8(in) + 1u) * FS_SOURCES_STEP;
    uint8_t length = br_u8(in);
    float rate;

    if (!read_float(in, &rate))
        *undefined = true;
    else if (!lowest->set || rate < lowest->rate_per_s)
        *lowest = (struct fs_per_source){.set = true,
                                         .length = length < FS_SOURCE_LENGTH_MAX ? length : FS_SOURCE_LENGTH_MAX,
                                         .rate_per_s = rate,
                                         .sources = sources};
}

static bool write_per_source(const struct fs_per_source *limit, struct byte_writer *out)
{
    uint32_t bits;

    if (!limit->set)
        return false;
    memcpy(&bits, &limit->rate_per_s, sizeof bits);
    bw_u8(out, (uint8_t)(limit->sources / FS_SOURCES_STEP - 1));
    bw_u8(out, limit->length);
    bw_u32(out, bits);
    return true;
}

static void read_source_bytes(struct byte_reader *in, struct fs_actions *out)
{
    read_per_source(in, &out->source_bytes, &out->rate_undefined);
}

static bool write_source_bytes(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    return write_per_source(&actions->source_bytes, out);
}

static void read_source_packets(struct byte_reader *in, struct fs_actions *out)
{
    read_per_source(in, &out->source_packets, &out->rate_undefined);
}

static bool write_source_packets(const struct fs_actions *actions, uint32_t local_as, struct byte_writer *out)
{
    (void)local_as;
    return write_per_source(&actions->source_packets, out);
}

static const struct comm COMMS[] = {
    {0x010c, read_redirect_ipv4, write_redirect_ipv4},
    {0x0800, read_redirect_next_hop, write_redirect_next_hop},
    {0x8006, read_rate_bytes, write_rate_bytes},
    {0x8006, NULL, write_rate_undefined},
    {0x8007, read_traffic_action, write_traffic_action},
    {0x8008, read_target_as2, write_target_as2},
    {0x8009, read_mark, write_mark},
    {0x800c, read_rate_packets, write_rate_packets},
    {0x8108, read_target_ipv4, write_target_ipv4},
    {0x8208, read_target_as4, write_target_as4},
    {0x8306, read_source_bytes, write_source_bytes},
    {0x830c, read_source_packets, write_source_packets},
};

static const struct comm COMMS6[] = {
    {0x000c, read_redirect_ipv6, write_redirect_ipv6},
    {0x000d, read_target_ipv6, write_target_ipv6},
};

#define COMM_COUNT  (sizeof COMMS / sizeof COMMS[0])
#define COMM6_COUNT (sizeof COMMS6 / sizeof COMMS6[0])

static void decode_all(const uint8_t *octets, size_t len, size_t size, const struct comm *table, size_t count,
                       struct fs_actions *out)
{
    for (size_t at = 0; at + size <= len; at += size) {
        struct byte_reader in = br_init(octets + at, size);
        uint16_t type = br_u16(&in);

        for (size_t i = 0; i < count; i++) {
            if (table[i].type == type && table[i].read) {
                table[i].read(&in, out);
                break;
            }
        }
    }
}

void fs_actions_decode(const uint8_t *comms, size_t len, const uint8_t *comms6, size_t len6, struct fs_actions *out)
{
    memset(out, 0, sizeof *out);
    decode_all(comms, len, COMM_OCTETS, COMMS, COMM_COUNT, out);
    decode_all(comms6, len6, COMM6_OCTETS, COMMS6, COMM6_COUNT, out);
}

/* Writes one community into `slot`; whether it was wanted. */
static bool encode_one(const struct comm *comm, const struct fs_actions *actions, uint32_t local_as, uint8_t *slot,
                       size_t size)
{
    struct byte_writer out = bw_init(slot, size);

    bw_u16(&out, comm->type);
    return comm->write(actions, local_as, &out);
}

void fs_actions_encode(const struct fs_actions *actions, uint32_t local_as, struct fs_ext_comms *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < COMM_COUNT && out->count < FS_EXT_COMM_MAX; i++)
        out->count += encode_one(&COMMS[i], actions, local_as, out->comms[out->count], COMM_OCTETS);
    for (size_t i = 0; i < COMM6_COUNT && out->count6 < FS_EXT_COMM6_MAX; i++)
        out->count6 += encode_one(&COMMS6[i], actions, local_as, out->comms6[out->count6], COMM6_OCTETS);
}
