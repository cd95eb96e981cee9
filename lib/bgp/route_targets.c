/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/route_targets.h"

#include <string.h>

#include "base/cursor.h"

#define SUBTYPE       0x02 /* route target, in each of the types below */
#define TYPE_AS2      0x00
#define TYPE_IPV4     0x01
#define TYPE_AS4      0x02
#define COMM_OCTETS   8
#define COMM6_OCTETS  20
#define COMM6_TYPE_RT 0x0002

/* False: the community is none. */
static bool target_read(const uint8_t *octets, struct fs_route_target *out)
{
    static const uint8_t KINDS[] = {
        [TYPE_AS2] = FS_REDIRECT_RT_AS2, [TYPE_IPV4] = FS_REDIRECT_RT_IPV4, [TYPE_AS4] = FS_REDIRECT_RT_AS4};
    struct byte_reader r = br_init(octets, COMM_OCTETS);
    unsigned type = br_u8(&r);

    if (br_u8(&r) != SUBTYPE || type > TYPE_AS4)
        return false;
    *out = (struct fs_route_target){.kind = KINDS[type]};
    out->admin = type == TYPE_AS2 ? br_u16(&r) : br_u32(&r);
    out->value = type == TYPE_AS2 ? br_u32(&r) : br_u16(&r);
    return true;
}

static bool target6_read(const uint8_t *octets, struct fs_route_target *out)
{
    struct byte_reader r = br_init(octets, COMM6_OCTETS);

    if (br_u16(&r) != COMM6_TYPE_RT)
        return false;
    *out = (struct fs_route_target){.kind = FS_REDIRECT_RT_IPV6};
    memcpy(out->admin_v6, br_bytes(&r, sizeof out->admin_v6), sizeof out->admin_v6);
    out->value = br_u16(&r);
    return true;
}

void bgp_route_targets_each(const struct bgp_attrs *attrs,
                            void (*visit)(void *ctx, const struct fs_route_target *target), void *ctx)
{
    struct fs_route_target target;

    for (size_t at = 0; at + COMM_OCTETS <= attrs->ext_comms_len; at += COMM_OCTETS)
        if (target_read(attrs->ext_comms + at, &target))
            visit(ctx, &target);
    for (size_t at = 0; at + COMM6_OCTETS <= attrs->ext_comms6_len; at += COMM6_OCTETS)
        if (target6_read(attrs->ext_comms6 + at, &target))
            visit(ctx, &target);
}

struct search {
    const struct fs_route_target *wanted;
    bool found;
};

static void compare(void *ctx, const struct fs_route_target *target)
{
    struct search *search = ctx;
    const struct fs_route_target *wanted = search->wanted;

    search->found = search->found ||
                    (target->kind == wanted->kind && target->value == wanted->value && target->admin == wanted->admin &&
                     memcmp(target->admin_v6, wanted->admin_v6, sizeof target->admin_v6) == 0);
}

bool bgp_route_target_has(const struct bgp_attrs *attrs, const struct fs_route_target *target)
{
    struct search search = {.wanted = target};

    bgp_route_targets_each(attrs, compare, &search);
    return search.found;
}

bool bgp_route_target_of_rd(uint64_t rd, uint8_t out[BGP_ROUTE_TARGET_OCTETS])
{
    struct byte_writer w = bw_init(out, BGP_ROUTE_TARGET_OCTETS);
    unsigned type = (unsigned)(rd >> 48);

    if (type > TYPE_AS4)
        return false;
    bw_u8(&w, (uint8_t)type);
    bw_u8(&w, SUBTYPE);
    bw_u16(&w, (uint16_t)(rd >> 32)); /* both put the administrator and the value into the same six octets */
    bw_u32(&w, (uint32_t)rd);
    return true;
}
