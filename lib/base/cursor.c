/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/cursor.h"

#include <string.h>

const uint8_t *br_bytes(struct byte_reader *r, size_t len)
{
    if (r->failed || (size_t)(r->end - r->at) < len) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *start = r->at;
    if (len > 0)
        r->at += len;
    return start;
}

struct byte_reader br_sub(struct byte_reader *r, size_t len)
{
    const uint8_t *start = br_bytes(r, len);

    if (r->failed)
        return (struct byte_reader){.at = r->end, .end = r->end, .failed = true};
    return br_init(start, len);
}

static uint64_t read_be(struct byte_reader *r, size_t len)
{
    const uint8_t *p = br_bytes(r, len);
    uint64_t v = 0;

    if (r->failed)
        return 0;
    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    return v;
}

uint8_t br_u8(struct byte_reader *r)
{
    return (uint8_t)read_be(r, 1);
}

uint16_t br_u16(struct byte_reader *r)
{
    return (uint16_t)read_be(r, 2);
}

uint32_t br_u32(struct byte_reader *r)
{
    return (uint32_t)read_be(r, 4);
}

uint64_t br_u64(struct byte_reader *r)
{
    return read_be(r, 8);
}

void bw_bytes(struct byte_writer *w, const void *data, size_t len)
{
    if (w->failed || (size_t)(w->end - w->at) < len) {
        w->failed = true;
        return;
    }
    if (len > 0)
        memcpy(w->at, data, len);
    w->at += len;
}

static void write_be(struct byte_writer *w, uint64_t v, size_t len)
{
    uint8_t octets[8];

    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)(v >> (8 * (len - 1 - i)));
    bw_bytes(w, octets, len);
}

void bw_u8(struct byte_writer *w, uint8_t v)
{
    write_be(w, v, 1);
}

void bw_u16(struct byte_writer *w, uint16_t v)
{
    write_be(w, v, 2);
}

void bw_u32(struct byte_writer *w, uint32_t v)
{
    write_be(w, v, 4);
}

void bw_u64(struct byte_writer *w, uint64_t v)
{
    write_be(w, v, 8);
}

void bw_patch_u16(struct byte_writer *w, size_t where, uint16_t v)
{
    if (w->failed || bw_len(w) < where + 2) {
        w->failed = true;
        return;
    }
    w->start[where] = (uint8_t)(v >> 8);
    w->start[where + 1] = (uint8_t)v;
}
