/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static void take(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s);
    mix(s);
    s->v0 ^= word;
}

/* Up to eight octets, the first of them the lowest. */
static uint64_t word_of(const uint8_t *octets, size_t count)
{
    uint64_t word = 0;

    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)octets[i] << 8 * i;
    return word;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len)
{
    const uint8_t *octets = data;
    /* "somepseudorandomlygeneratedbytes" */
    struct state s = {key->word[0] ^ 0x736f6d6570736575u, key->word[1] ^ 0x646f72616e646f6du,
                      key->word[0] ^ 0x6c7967656e657261u, key->word[1] ^ 0x7465646279746573u};
    size_t at = 0;

    for (; at + 8 <= len; at += 8)
        take(&s, word_of(octets + at, 8));
    take(&s, word_of(octets + at, len - at) | (uint64_t)len << 56);
    s.v2 ^= 0xff;
    for (unsigned i = 0; i < 4; i++)
        mix(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
