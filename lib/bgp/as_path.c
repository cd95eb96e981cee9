/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/as_path.h"

#include "base/cursor.h"
#include "bgp/update.h"

static bool is_confed(unsigned type)
{
    return type == BGP_AS_CONFED_SEQUENCE || type == BGP_AS_CONFED_SET;
}

static uint32_t read_as(struct byte_reader *r, unsigned width)
{
    return width == 2 ? br_u16(r) : br_u32(r);
}

bool bgp_as_path_valid(const uint8_t *path, size_t len, unsigned width, bool allow_confed)
{
    struct byte_reader r = br_init(path, len);

    while (br_left(&r) > 0) {
        unsigned type = br_u8(&r), count = br_u8(&r);
        if (type < BGP_AS_SET || type > BGP_AS_CONFED_SET || count == 0 || (is_confed(type) && !allow_confed))
            return false;
        for (unsigned i = 0; i < count; i++) {
            /* RFC 7607 2: AS 0 makes it malformed; so does what is not there */
            if (read_as(&r, width) == 0)
                return false;
        }
    }
    return !r.failed;
}

unsigned bgp_as_path_count(const uint8_t *path, size_t len)
{
    struct byte_reader r = br_init(path, len);
    unsigned ases = 0;

    while (br_left(&r) > 0) {
        unsigned type = br_u8(&r), count = br_u8(&r);
        br_bytes(&r, (size_t)count * 4);
        if (type == BGP_AS_SEQUENCE)
            ases += count;
        else if (type == BGP_AS_SET)
            ases++;
    }
    return ases;
}

bool bgp_as_path_contains(const uint8_t *path, size_t len, uint32_t as)
{
    struct byte_reader r = br_init(path, len);

    while (br_left(&r) > 0) {
        br_u8(&r);
        for (unsigned count = br_u8(&r); count > 0; count--) {
            if (br_u32(&r) == as)
                return true;
        }
    }
    return false;
}

unsigned bgp_as_path_length(const struct bgp_attrs *attrs)
{
    return bgp_as_path_count(attrs->as_path, attrs->as_path_len);
}

uint32_t bgp_as_path_first(const struct bgp_attrs *attrs)
{
    struct byte_reader r = br_init(attrs->as_path, attrs->as_path_len);

    while (br_left(&r) > 0) {
        unsigned type = br_u8(&r), count = br_u8(&r);
        if (type == BGP_AS_SEQUENCE)
            return br_u32(&r);
        if (!is_confed(type))
            return 0; /* a set has no first */
        br_bytes(&r, (size_t)count * 4);
    }
    return 0;
}

/* ASes of a 2-octet path, counted as bgp_as_path_count does. */
static unsigned count_narrow(const uint8_t *path, size_t len)
{
    struct byte_reader r = br_init(path, len);
    unsigned ases = 0;

    while (br_left(&r) > 0) {
        unsigned type = br_u8(&r), count = br_u8(&r);
        br_bytes(&r, (size_t)count * 2);
        ases += type == BGP_AS_SEQUENCE ? count : type == BGP_AS_SET;
    }
    return ases;
}

/*
 * Widens segments of a 2-octet path until `ases` ASes are out; a sequence may be cut, anything else goes whole.
 * Confederation segments count for nothing and go along as they come.
 */
static void widen(struct byte_reader *r, unsigned ases, struct byte_writer *w)
{
    while (br_left(r) > 0) {
        unsigned type = r->at[0], count = r->at[1], take = count;
        if (!is_confed(type) && ases == 0)
            return;
        if (type == BGP_AS_SEQUENCE && count > ases)
            take = ases;
        br_bytes(r, 2);
        bw_u8(w, (uint8_t)type);
        bw_u8(w, (uint8_t)take);
        for (unsigned i = 0; i < count; i++) {
            uint16_t as = br_u16(r);
            if (i < take)
                bw_u32(w, as);
        }
        ases -= type == BGP_AS_SEQUENCE ? take : type == BGP_AS_SET;
    }
}

/* RFC 6793 6: confederation segments do not belong into an AS4_PATH; the rest of it counts. */
static void copy_without_confed(const uint8_t *path, size_t len, struct byte_writer *w)
{
    struct byte_reader r = br_init(path, len);

    while (br_left(&r) > 0) {
        const uint8_t *segment = r.at;
        size_t size = 2 + (size_t)segment[1] * 4;
        br_bytes(&r, size);
        if (!is_confed(segment[0]))
            bw_bytes(w, segment, size);
    }
}

size_t bgp_as_path_merge(const uint8_t *path, size_t len, const uint8_t *as4, size_t as4_len, uint8_t *out)
{
    struct byte_reader r = br_init(path, len);
    struct byte_writer w = bw_init(out, 2 * len + as4_len);
    unsigned old = count_narrow(path, len), fresh = bgp_as_path_count(as4, as4_len);

    /* RFC 6793 4.2.3: an AS4_PATH longer than the AS_PATH is ignored; else it replaces the path's tail */
    if (old < fresh) {
        fresh = 0;
        as4_len = 0;
    }
    widen(&r, old - fresh, &w);
    copy_without_confed(as4, as4_len, &w);
    return bw_len(&w);
}

size_t bgp_as4_path(const uint8_t *path, size_t len, uint8_t *out)
{
    struct byte_writer w = bw_init(out, len);

    copy_without_confed(path, len, &w);
    return bw_len(&w);
}

size_t bgp_as_path_prepend(const uint8_t *path, size_t len, uint32_t as, uint8_t *out)
{
    struct byte_writer w = bw_init(out, len + 6);

    /* a sequence at the start takes one more, as long as its count has room for it */
    while (len > 0 && is_confed(path[0])) {
        size_t size = 2 + (size_t)path[1] * 4;
        path += size;
        len -= size;
    }
    bool joins = len > 0 && path[0] == BGP_AS_SEQUENCE && path[1] < UINT8_MAX;
    bw_u8(&w, BGP_AS_SEQUENCE);
    bw_u8(&w, joins ? (uint8_t)(path[1] + 1) : 1);
    bw_u32(&w, as);
    if (joins) {
        size_t size = (size_t)path[1] * 4;
        bw_bytes(&w, path + 2, size);
        path += 2 + size;
        len -= 2 + size;
    }
    copy_without_confed(path, len, &w);
    return bw_len(&w);
}

size_t bgp_as_path_narrow(const uint8_t *path, size_t len, uint8_t *out, bool *needs_as4)
{
    struct byte_reader r = br_init(path, len);
    struct byte_writer w = bw_init(out, len);

    *needs_as4 = false;
    while (br_left(&r) > 0) {
        unsigned type = br_u8(&r), count = br_u8(&r);
        bw_u8(&w, (uint8_t)type);
        bw_u8(&w, (uint8_t)count);
        for (; count > 0; count--) {
            uint32_t as = br_u32(&r);
            *needs_as4 |= as > UINT16_MAX && !is_confed(type);
            bw_u16(&w, (uint16_t)(as > UINT16_MAX ? BGP_AS_TRANS : as));
        }
    }
    return bw_len(&w);
}
