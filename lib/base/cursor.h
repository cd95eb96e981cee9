/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounded reads and writes of wire formats.
 *
 * A cursor never leaves its buffer. The first read or write that would is remembered in `failed`; it and every later
 * one does nothing (reads give 0 or NULL). So a codec reads a whole structure and asks once, at the end, whether all
 * of it was there. Multi-octet integers are big-endian on the wire and host order in the caller's hands.
 * No function here allocates; buffers belong to the caller and must outlive the cursor.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed; /* a read went past `end` */
};

struct byte_writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed; /* a write did not fit */
};

static inline struct byte_reader br_init(const void *data, size_t len)
{
    const uint8_t *at = data;

    return (struct byte_reader){.at = at, .end = len ? at + len : at, .failed = false};
}

/* Octets not read yet; 0 once a read has failed. */
static inline size_t br_left(const struct byte_reader *r)
{
    return r->failed ? 0 : (size_t)(r->end - r->at);
}

/* Takes `len` octets and returns where they start, or NULL when fewer are left (a length of 0 never fails). */
const uint8_t *br_bytes(struct byte_reader *r, size_t len);

/* Takes `len` octets as a reader of their own; a failed one when fewer are left. */
struct byte_reader br_sub(struct byte_reader *r, size_t len);

uint8_t br_u8(struct byte_reader *r);
uint16_t br_u16(struct byte_reader *r);
uint32_t br_u32(struct byte_reader *r);
uint64_t br_u64(struct byte_reader *r);

static inline struct byte_writer bw_init(void *data, size_t len)
{
    uint8_t *at = data;

    return (struct byte_writer){.start = at, .at = at, .end = at + len, .failed = false};
}

/* Octets written so far. */
static inline size_t bw_len(const struct byte_writer *w)
{
    return (size_t)(w->at - w->start);
}

/* Octets that still fit; 0 once a write has failed. */
static inline size_t bw_left(const struct byte_writer *w)
{
    return w->failed ? 0 : (size_t)(w->end - w->at);
}

void bw_bytes(struct byte_writer *w, const void *data, size_t len);
void bw_u8(struct byte_writer *w, uint8_t v);
void bw_u16(struct byte_writer *w, uint16_t v);
void bw_u32(struct byte_writer *w, uint32_t v);
void bw_u64(struct byte_writer *w, uint64_t v);

/* Overwrites two octets written before, at offset `where` (for length fields that are known afterwards). */
void bw_patch_u16(struct byte_writer *w, size_t where, uint16_t v);

#endif
