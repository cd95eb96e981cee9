/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The trie with its table of starts against one without, over random prefixes that come and go; and what both say
 * against a plain array.
 */
#include "../cm.h"

#include <stdlib.h>
#include <string.h>

#include "base/prefix_trie.h"

#define PREFIXES 600
#define STEPS    30000

struct pair {
    struct slab nodes;
    struct prefix_trie with, without;
    struct ip_prefix prefixes[PREFIXES];
    bool held[PREFIXES];
    uint64_t random;
};

static unsigned pick(struct pair *pair, unsigned below)
{
    pair->random = pair->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(pair->random >> 33) % below;
}

/* Short and long ones, many within one another: few different first octets, and few beyond the table's bits. */
static struct ip_prefix random_prefix(struct pair *pair, unsigned family)
{
    struct ip_prefix prefix = {.family = (uint8_t)family, .length = (uint8_t)pick(pair, ip_family_bits(family) + 1)};

    for (unsigned i = 0; i < ip_family_bits(family) / 8; i++)
        prefix.octets[i] = (uint8_t)(pick(pair, 3) == 0 ? pick(pair, 256) : pick(pair, 2) * 0x81);
    ip_bits_keep(prefix.octets, sizeof prefix.octets, 0, prefix.length);
    return prefix;
}

static void expect_same(const struct prefix_trie *a, uint32_t x, const struct prefix_trie *b, uint32_t y)
{
    struct ip_prefix p, q;

    assert_int_equal(x == SLAB_NONE, y == SLAB_NONE);
    if (x == SLAB_NONE)
        return;
    trie_prefix_of(trie_at(a, x), &p);
    trie_prefix_of(trie_at(b, y), &q);
    assert_int_equal(p.length, q.length);
    assert_memory_equal(p.octets, q.octets, sizeof p.octets);
}

static int index_of(const struct pair *pair, const struct ip_prefix *prefix)
{
    for (int i = 0; i < PREFIXES; i++)
        if (pair->prefixes[i].length == prefix->length &&
            memcmp(pair->prefixes[i].octets, prefix->octets, sizeof prefix->octets) == 0)
            return i;
    return -1;
}

/* The longest held prefix that covers `key`, from the array. */
static int longest(const struct pair *pair, const struct ip_prefix *key)
{
    int best = -1;

    for (int i = 0; i < PREFIXES; i++) {
        const struct ip_prefix *p = &pair->prefixes[i];
        if (pair->held[i] && p->length <= key->length && ip_bits_equal(p->octets, key->octets, p->length) &&
            (best < 0 || p->length > pair->prefixes[best].length))
            best = i;
    }
    return best;
}

static void look(struct pair *pair, unsigned family)
{
    struct ip_prefix prefix = pick(pair, 2) == 0 ? pair->prefixes[pick(pair, PREFIXES)] : random_prefix(pair, family);
    struct trie_key key = trie_key_of(&prefix);
    uint32_t x = trie_match(&pair->with, &key), y = trie_match(&pair->without, &key);

    expect_same(&pair->with, x, &pair->without, y);
    assert_int_equal(x == SLAB_NONE, longest(pair, &prefix) < 0);
    if (x != SLAB_NONE) {
        struct ip_prefix found;
        trie_prefix_of(trie_at(&pair->with, x), &found);
        assert_int_equal(found.length, pair->prefixes[longest(pair, &prefix)].length);
    }
    expect_same(&pair->with, trie_find(&pair->with, &key), &pair->without, trie_find(&pair->without, &key));
    expect_same(&pair->with, trie_after(&pair->with, &key), &pair->without, trie_after(&pair->without, &key));
    x = y = SLAB_NONE;
    do {
        x = trie_within(&pair->with, &key, x);
        y = trie_within(&pair->without, &key, y);
        expect_same(&pair->with, x, &pair->without, y);
    } while (x != SLAB_NONE);
}

static void change(struct pair *pair)
{
    const unsigned i = pick(pair, PREFIXES);
    struct trie_key key = trie_key_of(&pair->prefixes[i]);

    if (pair->held[i]) {
        trie_remove(&pair->with, trie_find(&pair->with, &key));
        trie_remove(&pair->without, trie_find(&pair->without, &key));
    } else {
        assert_int_not_equal(trie_insert(&pair->with, &key), SLAB_NONE);
        assert_int_not_equal(trie_insert(&pair->without, &key), SLAB_NONE);
    }
    pair->held[i] = !pair->held[i];
}

/* `start_at`: from so many prefixes on there is a table; it comes and goes where that is about half of all. */
static void run(unsigned family, size_t start_at)
{
    static struct pair pair;

    pair = (struct pair){.random = family + start_at};
    slab_init(&pair.nodes, sizeof(struct trie_node));
    trie_init(&pair.with, &pair.nodes, (uint8_t)family, 1);
    trie_init(&pair.without, &pair.nodes, (uint8_t)family, 2);
    pair.with.start_at = start_at;
    pair.without.start_at = SIZE_MAX;
    for (unsigned i = 0; i < PREFIXES; i++)
        do
            pair.prefixes[i] = random_prefix(&pair, family);
        while (index_of(&pair, &pair.prefixes[i]) < (int)i);
    for (unsigned i = 0; i < STEPS; i++) {
        change(&pair);
        if (i % 8 == 0)
            look(&pair, family);
    }
    assert_true(start_at > 1 || pair.with.starts != NULL);
    trie_fini(&pair.with);
    slab_clear(&pair.nodes);
}

static void a_table_of_starts_changes_no_answer(void **state)
{
    (void)state;
    run(IP_V4, 1);
    run(IP_V6, 1);
    run(IP_V4, PREFIXES / 2);
}

static void it_comes_and_goes_with_the_size(void **state)
{
    struct slab nodes;
    struct prefix_trie trie;

    (void)state;
    slab_init(&nodes, sizeof(struct trie_node));
    trie_init(&trie, &nodes, IP_V4, 0);
    for (uint32_t i = 0; i < TRIE_START_AT; i++) {
        assert_null(trie.starts);
        assert_int_not_equal(trie_insert(&trie, &(struct trie_key){.high = (uint64_t)i << 40, .length = 24}), 0);
    }
    assert_non_null(trie.starts);
    for (uint32_t i = TRIE_START_AT; i-- > 0;)
        trie_remove(&trie, trie_find(&trie, &(struct trie_key){.high = (uint64_t)i << 40, .length = 24}));
    assert_null(trie.starts);
    assert_int_equal(nodes.used, 0);
    slab_clear(&nodes);
}

static size_t starts_written(const struct prefix_trie *trie)
{
    size_t count = 0;

    for (size_t i = 0; i < (size_t)1 << TRIE_START_BITS; i++)
        count += trie->starts[i] != SLAB_NONE;
    return count;
}

/* A peer whose default route comes and goes all the time must not have the whole table written each time. */
static void short_prefixes_cost_no_table(void **state)
{
    const struct trie_key seven = {.high = UINT64_C(10) << 56, .length = 7}, eight = {.high = seven.high, .length = 8};
    const struct trie_key zero = {.length = 0};
    struct slab nodes;
    struct prefix_trie trie;

    (void)state;
    slab_init(&nodes, sizeof(struct trie_node));
    trie_init(&trie, &nodes, IP_V4, 0);
    trie.start_at = 1;
    trie_insert(&trie, &zero);
    trie_insert(&trie, &seven);
    assert_int_equal(starts_written(&trie), 0);
    trie_insert(&trie, &eight);
    assert_int_equal(starts_written(&trie), 1 << (TRIE_START_BITS - 8));
    trie_remove(&trie, trie_find(&trie, &eight)); /* what is above it is not in the table, nor comes there */
    assert_int_equal(starts_written(&trie), 0);
    trie_fini(&trie);
    slab_clear(&nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_starts_changes_no_answer),
        cmocka_unit_test(it_comes_and_goes_with_the_size),
        cmocka_unit_test(short_prefixes_cost_no_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
