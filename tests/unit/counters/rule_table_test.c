/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "counters/counters.h"

struct memory {
    unsigned allocations, releases, fail_from;
};

/* Hands out memory full of rubbish: the table must not rely on zeroes. */
static void *dirty_alloc(void *ctx, size_t size)
{
    struct memory *memory = ctx;

    if (memory->fail_from && memory->allocations + 1 >= memory->fail_from)
        return NULL;
    memory->allocations++;
    return memset(malloc(size), 0xa5, size);
}

static void dirty_release(void *ctx, void *block, size_t size)
{
    struct memory *memory = ctx;

    memset(block, 0xa5, size); /* ASan tells if the size is not the one asked for */
    memory->releases++;
    free(block);
}

static void a_reset_id_counts_from_zero_and_alone(void **state)
{
    struct memory memory = {0};
    struct cnt_rule_table *table = cnt_rule_table_create(100000, dirty_alloc, dirty_release, &memory);
    const uint32_t ids[] = {1, 2, 1023, 1024, 1025, 65536, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_int_equal(cnt_rule_table_reset(table, ids[i]), 0);
        assert_int_equal(cnt_get(&cnt_rule_of(table, ids[i])->packets), 0);
        cnt_add(&cnt_rule_of(table, ids[i])->packets, ids[i]);
        cnt_add(&cnt_rule_of(table, ids[i])->last_hit_tsc, 9);
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        assert_int_equal(cnt_get(&cnt_rule_of(table, ids[i])->packets), ids[i]);
    assert_int_equal(cnt_rule_table_reset(table, 2), 0);
    assert_int_equal(cnt_get(&cnt_rule_of(table, 2)->packets), 0);
    assert_int_equal(cnt_get(&cnt_rule_of(table, 2)->last_hit_tsc), 0);
    assert_int_equal(cnt_get(&cnt_rule_of(table, 1)->packets), 1);
    cnt_rule_table_free(table);
    assert_int_equal(memory.releases, memory.allocations);
}

static void memory_is_taken_only_for_ids_in_use(void **state)
{
    struct memory memory = {0};
    struct cnt_rule_table *table = cnt_rule_table_create(1000000, dirty_alloc, dirty_release, &memory);

    (void)state;
    assert_int_equal(memory.allocations, 0);
    cnt_rule_table_reset(table, 1);
    cnt_rule_table_reset(table, 2);
    assert_int_equal(memory.allocations, 1);
    cnt_rule_table_reset(table, 1000000);
    assert_int_equal(memory.allocations, 2);
    cnt_rule_table_free(table);
}

static void says_when_memory_or_capacity_ends(void **state)
{
    struct memory memory = {.fail_from = 2};
    struct cnt_rule_table *table = cnt_rule_table_create(5000, dirty_alloc, dirty_release, &memory);

    (void)state;
    assert_int_equal(cnt_rule_table_reset(table, 1), 0);
    assert_int_equal(cnt_rule_table_reset(table, 5000), -ENOMEM);
    assert_int_equal(cnt_rule_table_reset(table, 0), -EINVAL);
    assert_int_equal(cnt_rule_table_reset(table, 5001), -EINVAL);
    cnt_rule_table_free(table);
    cnt_rule_table_free(NULL);
}

static void without_an_allocator_it_uses_the_heap(void **state)
{
    struct cnt_rule_table *table = cnt_rule_table_create(3, NULL, NULL, NULL);

    (void)state;
    assert_int_equal(cnt_rule_table_reset(table, 3), 0);
    assert_int_equal(cnt_get(&cnt_rule_of(table, 3)->bytes), 0);
    cnt_rule_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_id_counts_from_zero_and_alone),
        cmocka_unit_test(memory_is_taken_only_for_ids_in_use),
        cmocka_unit_test(says_when_memory_or_capacity_ends),
        cmocka_unit_test(without_an_allocator_it_uses_the_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
