/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sieve of the filter: a prefix that is there is never denied, one that has gone is denied again, shapes that it
 * does not hold are let through, and it pays only where it takes slots from the coarse grade.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/sieve.h"

#define PREFIXES 4000
#define BITS     24

struct prefix {
    uint64_t address;
    unsigned slot, length;
    bool inside;
};

struct fixture {
    struct rcu *rcu;
    struct mem mem;
    struct filter filter;
    struct sieve sieve;
    uint64_t random;
    struct prefix prefixes[PREFIXES];
};

static uint64_t next(struct fixture *f)
{
    f->random = f->random * 6364136223846793005u + 1442695040888963407u;
    return hash_mix(f->random, 0x9e3779b97f4a7c15u);
}

/* The first bits of an address in network order. */
static uint64_t first_bits(uint64_t address, unsigned length)
{
    return length == 0 ? 0 : htobe64(address & ~(uint64_t)0 << (64 - length));
}

/* Shapes have slots by length, so that some share a bit of the sieve. */
static int set_up(void **state)
{
    static const uint8_t COARSE[FILTER_LEVELS] = {8, 20};
    struct fixture *f = aligned_alloc(MEM_LINE, sizeof *f);

    if (f == NULL)
        return -1;
    memset(f, 0, sizeof *f);
    f->rcu = rcu_create(1);
    f->mem.rcu = f->rcu;
    arena_init(&f->mem.arena, &cls_system_memory);
    *state = f;
    if (!filter_init(&f->filter, &f->mem, COARSE, 64) || !sieve_init(&f->sieve, &f->mem, BITS))
        return -1;
    for (unsigned i = 0; i < PREFIXES; i++) {
        struct prefix *prefix = &f->prefixes[i];
        prefix->length = 8 + (unsigned)(next(f) % 40);
        prefix->address = first_bits(0x0a00000000000000u | next(f) >> 10, prefix->length);
        prefix->slot = prefix->length;
    }
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    filter_fini(&f->filter, &f->mem);
    sieve_fini(&f->sieve, &f->mem);
    rcu_free(f->rcu);
    size_t left = f->mem.used;
    arena_fini(&f->mem.arena);
    free(f);
    return left > 0; /* all of it was given back */
}

static void change(struct fixture *f, struct prefix *prefix, bool in)
{
    unsigned slot = prefix->slot, length = prefix->length;

    if (prefix->inside == in)
        return;
    if (in)
        sieve_add(&f->sieve, slot, 0, length, prefix->address,
                  filter_add(&f->filter, slot, 0, length, prefix->address));
    else
        sieve_drop(&f->sieve, slot, 0, length, prefix->address,
                   filter_drop(&f->filter, slot, 0, length, prefix->address));
    prefix->inside = in;
}

static void change_all(struct fixture *f, bool in)
{
    for (unsigned i = 0; i < PREFIXES; i++)
        change(f, &f->prefixes[i], in);
}

/* To an address below the prefix. */
static bool may_have(struct fixture *f, const struct prefix *prefix)
{
    uint64_t address = prefix->address | htobe64(next(f) >> prefix->length);

    return sieve_mask(&f->sieve, address) >> prefix->slot & 1;
}

static void what_is_there_is_never_denied(void **state)
{
    struct fixture *f = *state;

    sieve_use(&f->sieve, true);
    for (unsigned turn = 0; turn < 50; turn++) {
        for (unsigned i = 0; i < PREFIXES; i++)
            change(f, &f->prefixes[i], next(f) & 1);
        for (unsigned i = 0; i < PREFIXES; i++)
            if (f->prefixes[i].inside)
                assert_true(may_have(f, &f->prefixes[i]));
    }
}

static void what_has_gone_is_denied_again(void **state)
{
    struct fixture *f = *state;

    sieve_use(&f->sieve, true);
    change_all(f, true);
    assert_true(f->sieve.places_used > 0);
    change_all(f, false);
    assert_int_equal(f->sieve.places_used, 0);
    assert_int_equal(f->sieve.slots_used, 0);
    assert_int_equal(f->sieve.coarse_slots, 0);
    for (unsigned i = 0; i < PREFIXES; i++)
        assert_int_equal(may_have(f, &f->prefixes[i]), f->prefixes[i].length < BITS);
}

static void shapes_beyond_it_are_let_through(void **state)
{
    struct fixture *f = *state;
    uint64_t address = first_bits(0x0a01020300000000u, 32);

    sieve_use(&f->sieve, true);
    sieve_add(&f->sieve, 5, 0, 32, first_bits(0x0a09080700000000u, 32), 1);
    assert_int_equal(sieve_mask(&f->sieve, address), ~((uint64_t)1 << 5));
    sieve_add(&f->sieve, FILTER_LAST_SLOT, 0, 32, first_bits(0x0a09080700000000u, 32), 0);
    sieve_add(&f->sieve, 6, 8, 32, first_bits(0x0a09080700000000u, 32), 0);
    sieve_add(&f->sieve, 7, 0, BITS - 1, first_bits(0x0a09080700000000u, BITS - 1), 1);
    assert_int_equal(sieve_mask(&f->sieve, address), ~((uint64_t)1 << 5));
    sieve_use(&f->sieve, false);
    assert_int_equal(sieve_mask(&f->sieve, address), UINT64_MAX);
}

/* A slot that long prefixes had goes to a shape that the sieve does not hold, and back. */
static void a_slot_goes_to_another_shape(void **state)
{
    struct fixture *f = *state;
    uint64_t address = first_bits(0x0a01020300000000u, 32), other = first_bits(0x0b01020300000000u, 32);

    sieve_use(&f->sieve, true);
    sieve_add(&f->sieve, 5, 0, 32, other, 1);
    assert_false(sieve_mask(&f->sieve, address) >> 5 & 1);
    sieve_drop(&f->sieve, 5, 0, 32, other, -1);
    sieve_add(&f->sieve, 5, 0, 16, first_bits(0x0a01000000000000u, 16), 1);
    assert_true(sieve_mask(&f->sieve, address) >> 5 & 1);
    sieve_drop(&f->sieve, 5, 0, 16, first_bits(0x0a01000000000000u, 16), -1);
    sieve_add(&f->sieve, 5, 0, 28, first_bits(0x0a01020300000000u, 28), 1);
    assert_true(sieve_mask(&f->sieve, address) >> 5 & 1);
    assert_false(sieve_mask(&f->sieve, other) >> 5 & 1);
}

/* More prefixes at one place than can be counted: its bit stays, and none is denied. */
static void a_full_count_denies_nobody(void **state)
{
    struct fixture *f = *state;
    uint64_t address = first_bits(0x0a01020300000000u, 32);

    sieve_use(&f->sieve, true);
    for (unsigned i = 0; i < 300; i++)
        sieve_add(&f->sieve, 5, 0, 56, address, i == 0);
    for (unsigned i = 0; i < 300; i++) {
        assert_true(sieve_mask(&f->sieve, address) >> 5 & 1);
        sieve_drop(&f->sieve, 5, 0, 56, address, i == 299 ? -1 : 0);
    }
}

/* Prefix `i` of a set with sixteen below each of 256 places of the coarse grade: of as many shapes, or of one. */
static void set_change(struct fixture *f, unsigned i, unsigned shapes, bool in)
{
    uint64_t number = 0x0a00000000000000u | (uint64_t)i << (64 - BITS);
    struct prefix prefix = {.length = BITS + i % shapes, .slot = i % shapes, .inside = !in};

    prefix.address = first_bits(number, prefix.length);
    change(f, &prefix, in);
}

static void it_pays_where_it_takes_slots_away(void **state)
{
    struct fixture *f = *state;
    const unsigned count = 256 * 16;

    assert_false(sieve_pays(&f->sieve, &f->filter));
    for (unsigned i = 0; i < count; i++)
        set_change(f, i, 1, true);
    assert_false(sieve_pays(&f->sieve, &f->filter)); /* one slot in each place of both */
    for (unsigned i = 0; i < count; i++)
        set_change(f, i, 1, false);
    for (unsigned i = 0; i < count; i++)
        set_change(f, i, 4, true);
    assert_true(sieve_pays(&f->sieve, &f->filter)); /* four in the coarse grade's, one in the sieve's */
    sieve_use(&f->sieve, true);
    for (unsigned i = 0; i < count; i++)
        if (i % 4 != 0)
            set_change(f, i, 4, false);
    assert_false(sieve_pays(&f->sieve, &f->filter));
}

/* Without it all that the coarse grade lets through is let through. */
static void little_memory_is_left_to_the_rules(void **state)
{
    struct fixture *f = *state;
    struct sieve none;

    f->mem.limit = f->mem.used + (4u << 20);
    assert_true(sieve_init(&none, &f->mem, BITS));
    assert_null(none.masks);
    sieve_add(&none, 5, 0, 32, first_bits(0x0a09080700000000u, 32), 1);
    assert_false(sieve_pays(&none, &f->filter));
    assert_int_equal(sieve_mask(&none, first_bits(0x0a01020300000000u, 32)), UINT64_MAX);
    sieve_fini(&none, &f->mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_is_never_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_gone_is_denied_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shapes_beyond_it_are_let_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slot_goes_to_another_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_count_denies_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_pays_where_it_takes_slots_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(little_memory_is_left_to_the_rules, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
