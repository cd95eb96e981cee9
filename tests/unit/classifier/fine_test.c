/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fine grade of the filter: a rule that is there is never denied, one that has gone is denied again, and readers
 * use it only while it tells addresses apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/fine.h"
#include "classifier/hash.h"

#define RULES 4000

static const uint8_t BITS[FINE_LEVELS] = {8, 16, 20, 22, 24, 26, 28, 30};

struct rule {
    uint64_t address;
    uint32_t pair;
    unsigned slot, length;
    bool inside;
};

struct fixture {
    struct rcu *rcu;
    struct mem mem;
    struct fine fine;
    uint64_t random;
    struct rule rules[RULES];
};

static uint64_t next(struct fixture *f)
{
    f->random = f->random * 6364136223846793005u + 1442695040888963407u;
    return hash_mix(f->random, 0x9e3779b97f4a7c15u);
}

/* The first bits of an address in network order. */
static uint64_t prefix(uint64_t address, unsigned length)
{
    return length == 0 ? 0 : htobe64(address & ~(uint64_t)0 << (64 - length));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f == NULL)
        return -1;
    f->rcu = rcu_create(1);
    f->mem.rcu = f->rcu;
    arena_init(&f->mem.arena, &cls_system_memory);
    *state = f;
    if (!fine_init(&f->fine, &f->mem, BITS))
        return -1;
    for (unsigned i = 0; i < RULES; i++) {
        unsigned length = (unsigned)(next(f) % 33);
        f->rules[i].address = prefix(next(f), length);
        f->rules[i].length = length;
        f->rules[i].slot = fine_slot(&f->fine, 0, length);
        f->rules[i].pair = next(f) % 3 == 0 ? 0 : fine_pair(6, (uint16_t)(next(f) % 50));
    }
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fine_fini(&f->fine, &f->mem);
    rcu_free(f->rcu);
    size_t left = f->mem.used;
    arena_fini(&f->mem.arena);
    free(f);
    return left > 0; /* all of it was given back */
}

static void change(struct fixture *f, struct rule *rule, bool in)
{
    if (rule->inside == in)
        return;
    fine_count(&f->fine, rule->slot, rule->address, rule->pair, in);
    rule->inside = in;
}

/* Of a packet to an address below the rule's. */
static bool may_have(struct fixture *f, const struct rule *rule)
{
    uint32_t pair = rule->pair != 0 ? rule->pair : fine_pair(17, (uint16_t)next(f));
    uint64_t address = rule->address | htobe64(next(f) >> rule->length);

    return fine_mask(&f->fine, address, pair, fine_octets) >> rule->slot & 1;
}

static void a_slot_is_of_the_level_and_the_length(void **state)
{
    const struct fixture *f = *state;

    assert_int_equal(fine_slot(&f->fine, 0, 7), FINE_SLOT_ALWAYS);
    assert_int_equal(fine_slot(&f->fine, 8, 32), FINE_SLOT_ALWAYS);
    assert_int_equal(fine_slot(&f->fine, 0, 8), 0);
    assert_int_equal(fine_slot(&f->fine, 0, 15), 0); /* seven apart */
    assert_int_equal(fine_slot(&f->fine, 0, 14), 6);
    assert_int_equal(fine_slot(&f->fine, 0, 16), 8);
    assert_int_equal(fine_slot(&f->fine, 0, 27), 41);
    assert_int_equal(fine_slot(&f->fine, 0, 32), 58);
}

static void what_is_there_is_never_denied(void **state)
{
    struct fixture *f = *state;

    for (unsigned turn = 0; turn < 50; turn++) {
        for (unsigned i = 0; i < RULES; i++)
            change(f, &f->rules[i], next(f) & 1);
        for (unsigned i = 0; i < RULES; i++)
            if (f->rules[i].inside)
                assert_true(may_have(f, &f->rules[i]));
    }
}

static void what_has_gone_is_denied_again(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < RULES; i++)
        change(f, &f->rules[i], true);
    assert_true(f->fine.places_used > 0);
    assert_int_equal(atomic_load(&f->fine.kinds), 1u << FINE_ANY | 1u << FINE_PAIR);
    for (unsigned i = 0; i < RULES; i++)
        change(f, &f->rules[i], false);
    assert_int_equal(f->fine.places_used, 0);
    assert_int_equal(atomic_load(&f->fine.kinds), 0);
    for (unsigned i = 0; i < RULES; i++)
        assert_int_equal(may_have(f, &f->rules[i]), f->rules[i].slot == FINE_SLOT_ALWAYS);
}

/* Other ports, and another address with the same port, are told apart. */
static void another_packet_is_denied(void **state)
{
    struct fixture *f = *state;
    struct rule rule = {.address = prefix(0xc633640000000000u, 24), .pair = fine_pair(6, 80)};

    rule.slot = fine_slot(&f->fine, 0, 24);
    change(f, &rule, true);
    assert_true(fine_mask(&f->fine, rule.address, fine_pair(6, 80), fine_octets) >> rule.slot & 1);
    assert_false(fine_mask(&f->fine, rule.address, fine_pair(6, 443), fine_octets) >> rule.slot & 1);
    assert_false(fine_mask(&f->fine, rule.address, fine_pair(17, 80), fine_octets) >> rule.slot & 1);
    assert_false(fine_mask(&f->fine, prefix(0xc633650000000000u, 24), fine_pair(6, 80), fine_octets) >> rule.slot & 1);
    change(f, &rule, false);
}

/* More rules at one place than can be counted: its bit stays, and none is denied. */
static void a_full_count_denies_nobody(void **state)
{
    struct fixture *f = *state;
    uint64_t address = prefix(0x0a00000000000000u, 8);
    unsigned slot = fine_slot(&f->fine, 0, 8);

    for (unsigned i = 0; i < 300; i++)
        fine_count(&f->fine, slot, address, 0, true);
    for (unsigned i = 0; i < 300; i++) {
        assert_true(fine_mask(&f->fine, address, fine_pair(6, 80), fine_octets) >> slot & 1);
        fine_count(&f->fine, slot, address, 0, false);
    }
}

/* Rule `number` of many with addresses of their own; readers turn to it, or away. */
static void scattered_count(struct fixture *f, uint64_t number, bool more)
{
    unsigned length = BITS[number % FINE_LEVELS];

    fine_count(&f->fine, fine_slot(&f->fine, 0, length), htobe64(number << 44 | number), fine_pair(6, (uint16_t)number),
               more);
    fine_choose(&f->fine, true);
}

static void readers_use_it_while_it_tells_addresses_apart(void **state)
{
    struct fixture *f = *state;
    const uint32_t places = (uint32_t)FINE_LEVELS << FINE_PLACE_BITS;
    uint64_t added = 0, end = 1u << 20;

    fine_choose(&f->fine, false);
    assert_false(fine_used(&f->fine));
    fine_choose(&f->fine, true);
    for (; fine_used(&f->fine) && added < end; added++)
        scattered_count(f, added, true);
    assert_in_range(added, places / 2, end - 1);
    assert_int_equal(f->fine.places_used, places / 2 + places / 8 + 1);
    while (!fine_used(&f->fine) && added-- > 0)
        scattered_count(f, added, false);
    assert_int_equal(f->fine.places_used, places / 2);
}

/* Without it every packet is the coarse grade's, and nothing is counted. */
static void little_memory_is_left_to_the_rules(void **state)
{
    struct fixture *f = *state;
    struct fine none;

    f->mem.limit = f->mem.used + (4u << 20);
    assert_true(fine_init(&none, &f->mem, BITS));
    assert_null(none.masks);
    fine_count(&none, fine_slot(&none, 0, 24), prefix(0xc633640000000000u, 24), 0, true);
    fine_choose(&none, true);
    assert_false(fine_used(&none));
    fine_fini(&none, &f->mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slot_is_of_the_level_and_the_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_there_is_never_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_gone_is_denied_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_packet_is_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_count_denies_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_use_it_while_it_tells_addresses_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(little_memory_is_left_to_the_rules, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
