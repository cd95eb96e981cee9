/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shares of lengths are those of the table seen from AS 6447 (routeviews) and from RIPE's collectors in 2024, rounded.
 * Prefixes lie in allocations of the regional registries, many of them next to each other: what a trie of them costs in
 * memory and in cache misses hangs on that.
 */
#include "full_table.h"

#include <stdlib.h>
#include <string.h>

#define SET_FREE UINT32_MAX

struct share {
    uint8_t length;
    uint16_t per_mille; /* of the table */
};

static const struct share SHARES_V4[] = {{24, 596}, {23, 102}, {22, 113}, {21, 53}, {20, 46},
                                         {19, 26},  {18, 15},  {17, 9},   {16, 14}, {15, 8},
                                         {14, 7},   {13, 4},   {12, 4},   {11, 2},  {10, 1}};
static const struct share SHARES_V6[] = {{48, 460}, {32, 135}, {44, 95}, {40, 85}, {36, 45}, {46, 38},
                                         {47, 33},  {45, 22},  {42, 20}, {33, 15}, {29, 15}, {38, 12},
                                         {34, 10},  {35, 8},   {43, 4},  {28, 2},  {64, 1}};

/* An allocation that longer prefixes are drawn from. */
struct block {
    uint8_t octets[16];
    unsigned length;
};

static unsigned draw_length(const struct share *shares, unsigned count, struct bench_random *random)
{
    uint32_t at = bench_below(random, 1000);

    for (unsigned i = 0; i < count; i++) {
        if (at < shares[i].per_mille)
            return shares[i].length;
        at -= shares[i].per_mille;
    }
    return shares[0].length;
}

static void fill_bits(uint8_t *octets, unsigned first, unsigned size, struct bench_random *random)
{
    for (unsigned bit = first; bit < size; bit++)
        if (bench_random(random) & 1)
            octets[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
}

static void draw_block(struct block *block, unsigned family, struct bench_random *random)
{
    static const uint8_t REGIONS[][2] = {{0x20, 0x01}, {0x24, 0x00}, {0x26, 0x00},
                                         {0x28, 0x00}, {0x2a, 0x00}, {0x2c, 0x0f}};

    memset(block, 0, sizeof *block);
    if (family == IP_V4) {
        do
            block->octets[0] = (uint8_t)bench_between(random, 1, 223);
        while (block->octets[0] == 10 || block->octets[0] == 127);
        block->length = bench_between(random, 14, 20);
        fill_bits(block->octets, 8, block->length, random);
    } else {
        const uint8_t *region = REGIONS[bench_below(random, sizeof REGIONS / sizeof REGIONS[0])];
        memcpy(block->octets, region, 2);
        block->length = bench_between(random, 29, 34);
        fill_bits(block->octets, 13, block->length, random);
    }
}

static uint64_t hash_of(const struct ip_prefix *prefix)
{
    uint64_t hash = prefix->length, word;

    for (unsigned i = 0; i < 16; i += 8) {
        memcpy(&word, prefix->octets + i, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static bool same(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return a->length == b->length && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

/* Puts the prefix behind the others unless it is among them; `set` is a hash table of places, `mask` + 1 slots. */
static void add(struct full_table *table, const struct ip_prefix *prefix, uint32_t *set, uint32_t mask)
{
    uint32_t at = (uint32_t)hash_of(prefix) & mask;

    while (set[at] != SET_FREE) {
        if (same(&table->prefixes[set[at]], prefix))
            return;
        at = (at + 1) & mask;
    }
    set[at] = table->count;
    table->prefixes[table->count++] = *prefix;
}

static void draw_prefix(struct ip_prefix *prefix, unsigned family, const struct block *block,
                        struct bench_random *random)
{
    bool v4 = family == IP_V4;

    *prefix = (struct ip_prefix){.family = (uint8_t)family};
    prefix->length = (uint8_t)(v4 ? draw_length(SHARES_V4, sizeof SHARES_V4 / sizeof SHARES_V4[0], random)
                                  : draw_length(SHARES_V6, sizeof SHARES_V6 / sizeof SHARES_V6[0], random));
    memcpy(prefix->octets, block->octets, sizeof prefix->octets);
    if (prefix->length > block->length)
        fill_bits(prefix->octets, block->length, prefix->length, random);
    ip_bits_keep(prefix->octets, sizeof prefix->octets, 0, prefix->length);
}

bool full_table_make(struct full_table *table, unsigned family, unsigned count, struct bench_random *random)
{
    unsigned blocks = count / 12 + 16;
    uint32_t mask = 1;

    while (mask < 2 * count)
        mask = mask * 2 + 1;
    *table = (struct full_table){.family = family, .prefixes = malloc(count * sizeof table->prefixes[0])};
    struct block *block = malloc(blocks * sizeof *block);
    uint32_t *set = malloc(((size_t)mask + 1) * sizeof *set);
    bool fine = table->prefixes != NULL && block != NULL && set != NULL;
    if (fine) {
        memset(set, 0xff, ((size_t)mask + 1) * sizeof *set);
        for (unsigned i = 0; i < blocks; i++)
            draw_block(&block[i], family, random);
    }
    while (fine && table->count < count) {
        struct ip_prefix prefix;
        draw_prefix(&prefix, family, &block[bench_below(random, blocks)], random);
        add(table, &prefix, set, mask);
    }
    free(block);
    free(set);
    return fine;
}

void full_table_free(struct full_table *table)
{
    free(table->prefixes);
    table->prefixes = NULL;
}

void full_table_address(const struct full_table *table, unsigned at, struct bench_random *random, uint8_t address[16])
{
    memcpy(address, table->prefixes[at].octets, 16);
    fill_bits(address, table->prefixes[at].length, ip_family_bits(table->family), random);
}

int full_table_match(const struct full_table *table, const uint8_t *gone, const uint8_t address[16])
{
    int best = -1;

    for (unsigned i = 0; i < table->count; i++) {
        const struct ip_prefix *prefix = &table->prefixes[i];
        if ((best >= 0 && prefix->length <= table->prefixes[best].length) || (gone != NULL && gone[i]))
            continue;
        if (ip_bits_equal(prefix->octets, address, prefix->length))
            best = (int)i;
    }
    return best;
}
