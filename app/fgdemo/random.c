/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "traffic.h"

/* SplitMix64 (Steele, Lea, Flood, 2014). */
uint32_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

uint32_t random_below(struct random *random, uint32_t limit)
{
    return (uint32_t)((uint64_t)random_next(random) * limit >> 32);
}

uint32_t random_between(struct random *random, uint32_t first, uint32_t last)
{
    return first + random_below(random, last - first + 1);
}

void random_fill(struct random *random, uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)random_next(random);
}

struct ip_addr addr_of(const char *text)
{
    struct ip_addr addr;
    bool valid = ip_addr_parse(text, &addr);

    assert(valid);
    (void)valid;
    return addr;
}

struct ip_addr addr_within(struct random *random, const char *text, unsigned bits)
{
    struct ip_addr addr = addr_of(text);
    unsigned last = ip_family_bits(addr.family) - 1;

    for (unsigned i = 0; i < bits; i++) {
        if (random_next(random) & 1)
            addr.octets[(last - i) / 8] |= (uint8_t)(1u << i % 8);
    }
    return addr;
}

void send_whole(const struct frame *frame, uint32_t id, frame_sink sink, void *ctx)
{
    struct frame pieces[FRAME_PIECES_MAX];
    size_t count = frame_fragment(frame, id, pieces);

    for (size_t i = 0; i < count; i++)
        sink(ctx, &pieces[i]);
}
