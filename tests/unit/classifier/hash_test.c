/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash table and the summaries of its buckets: what is in it is found and never denied, and what is gone is denied
 * again. Built with few summaries, so that a table also outgrows them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/hash.h"

#define BUCKETS 4
#define ITEMS   20000
#define STEP    500 /* items of a small table */

struct fixture {
    struct rcu *rcu;
    struct mem mem;
    struct hash_table table;
    uint64_t random;
    struct hash_item items[ITEMS];
    bool inside[ITEMS];
};

static uint64_t next(struct fixture *f)
{
    f->random = f->random * 6364136223846793005u + 1442695040888963407u;
    return hash_mix(f->random, 0x9e3779b97f4a7c15u);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f == NULL)
        return -1;
    f->rcu = rcu_create(1);
    f->mem.rcu = f->rcu;
    arena_init(&f->mem.arena, &cls_system_memory);
    for (unsigned i = 0; i < ITEMS; i++)
        f->items[i].hash = next(f);
    *state = f;
    return hash_init(&f->table, &f->mem, BUCKETS, true) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hash_fini(&f->table, &f->mem);
    rcu_free(f->rcu);
    size_t left = f->mem.used;
    arena_fini(&f->mem.arena);
    free(f);
    return left > 0; /* all of it was given back */
}

static void change(struct fixture *f, unsigned i, bool in)
{
    if (f->inside[i] == in)
        return;
    if (in)
        assert_true(hash_insert(&f->table, &f->mem, &f->items[i]));
    else
        hash_remove(&f->table, &f->mem, &f->items[i]);
    f->inside[i] = in;
}

static bool found(const struct fixture *f, const struct hash_item *item)
{
    const struct hash_bucket *bucket = hash_bucket_of(&f->table, item->hash);
    unsigned count = 0;

    for (unsigned i = 0; i < HASH_BUCKET; i++)
        count += hash_entry_fits(hash_entry(bucket, i), item->hash) && hash_entry_item(hash_entry(bucket, i)) == item;
    assert_true(count <= 1);
    return count == 1;
}

static bool may_have(const struct fixture *f, uint64_t hash)
{
    const struct hash_directory *directory = rcu_load(&f->table.directory);

    return directory->summaries == NULL || hash_may_have(&f->table, directory, hash);
}

/* What is inside is found. How many others the summaries do not deny. */
static unsigned look_at_all(const struct fixture *f)
{
    unsigned in_vain = 0;

    for (unsigned i = 0; i < ITEMS; i++) {
        assert_int_equal(found(f, &f->items[i]), f->inside[i]);
        if (f->inside[i])
            assert_true(may_have(f, f->items[i].hash));
        else
            in_vain += may_have(f, f->items[i].hash);
    }
    return in_vain;
}

static unsigned summaries(const struct fixture *f)
{
    const struct hash_directory *directory = rcu_load(&f->table.directory);

    return directory->summaries != NULL ? BUCKETS << directory->depth : 0;
}

/* The table grows out of its summaries, and shrinks until it has some again: all the while nothing is denied. */
static void what_is_inside_is_never_denied(void **state)
{
    static const unsigned percent[] = {90, 50, 70, 30, 90, 10, 50, 0};
    struct fixture *f = *state;
    bool without = false, again = false;

    for (unsigned phase = 0; phase < sizeof percent / sizeof percent[0]; phase++) {
        for (unsigned n = 0; n < 3 * ITEMS; n++) {
            change(f, (unsigned)(next(f) % ITEMS), next(f) % 100 < percent[phase]);
            if (n % (ITEMS / 4) == 0)
                look_at_all(f);
        }
        without |= summaries(f) == 0;
        again |= without && summaries(f) > 0;
        rcu_reclaim(f->rcu);
    }
    assert_true(without && again);
    for (unsigned i = 0; i < ITEMS; i++)
        change(f, i, false);
    assert_int_equal(f->table.count, 0);
}

/* What is not inside is mostly denied; so it is when it was, and when the table has been larger. */
static void what_is_gone_is_denied(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < STEP; i++)
        change(f, i, true);
    assert_true(summaries(f) > 0);
    unsigned at_first = look_at_all(f);
    assert_true(at_first < (ITEMS - STEP) / 5);
    for (unsigned i = STEP; i < 3 * STEP; i++)
        change(f, i, true);
    for (unsigned i = STEP; i < 3 * STEP; i++)
        change(f, i, false);
    assert_true(look_at_all(f) < (ITEMS - STEP) / 5);
    for (unsigned i = 0; i < STEP; i++)
        change(f, i, false);
    assert_int_equal(look_at_all(f), 0);
}

/* Two items of one bucket and one tag: what one leaves, the other needs. */
static void a_bit_stays_while_somebody_needs_it(void **state)
{
    struct fixture *f = *state;
    uint64_t hash = f->items[0].hash;

    f->items[1].hash = hash;
    f->items[2].hash = hash ^ (uint64_t)1 << HASH_TAG_SHIFT; /* shares one bit of two, HASH_TAG_MASK or not */
    change(f, 0, true);
    change(f, 1, true);
    change(f, 2, true);
    change(f, 1, false);
    assert_true(may_have(f, hash));
    change(f, 0, false);
    assert_true(may_have(f, f->items[2].hash));
    assert_false(may_have(f, hash));
    change(f, 2, false);
    assert_false(may_have(f, f->items[2].hash));
}

/* Without memory for a split nothing is changed: what was inside is found, and what was refused is not. */
static void a_failed_insert_changes_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned i = 0;

    f->mem.limit = f->mem.used + 4096;
    for (; i < ITEMS && hash_insert(&f->table, &f->mem, &f->items[i]); i++)
        f->inside[i] = true;
    assert_true(i > 0 && i < ITEMS);
    look_at_all(f);
    f->mem.limit = 0;
    change(f, i, true);
    look_at_all(f);
    for (i = 0; i < ITEMS; i++)
        change(f, i, false);
}

/* Puts the items from STEP to `end` in or out. Those below stay, and a reader may still have the old directory. */
static void change_behind(struct fixture *f, const struct hash_directory *old, unsigned end, bool in)
{
    for (unsigned i = STEP; i < end; i++) {
        change(f, i, in);
        for (unsigned n = 0; i % 50 == 0 && n < STEP; n++)
            assert_true(old->summaries == NULL || hash_may_have(&f->table, old, f->items[n].hash));
    }
    assert_ptr_not_equal(rcu_load(&f->table.directory), old);
}

/* Through splits, merges and directories of other sizes. */
static void an_old_directory_denies_nobody_who_stays(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < STEP; i++)
        change(f, i, true);
    assert_true(summaries(f) > 0);
    change_behind(f, rcu_load(&f->table.directory), 8 * STEP, true);
    assert_true(summaries(f) > 0);
    change_behind(f, rcu_load(&f->table.directory), 8 * STEP, false);
    for (unsigned i = 0; i < STEP; i++)
        change(f, i, false);
}

/* Readers may find it free when they look for what fitted. */
static void a_free_entry_does_not_hide_the_next_that_fits(void **state)
{
    struct fixture *f = *state;
    struct hash_bucket bucket = {{0}};
    const void *other = &f->items[1];

    atomic_store(&bucket.entries[3], (uint64_t)(uintptr_t)&f->items[0]);
    assert_ptr_equal(hash_pick(&bucket, 1u << 3, other), &f->items[0]);
    assert_ptr_equal(hash_pick(&bucket, 1u << 0 | 1u << 2 | 1u << 3 | 1u << 5, other), &f->items[0]);
    assert_ptr_equal(hash_pick(&bucket, 1u << 0 | 1u << 2, other), other);
    assert_ptr_equal(hash_pick(&bucket, 0, other), other);
    atomic_store(&bucket.entries[HASH_BUCKET - 1], (uint64_t)(uintptr_t)&f->items[2]);
    assert_ptr_equal(hash_pick(&bucket, 0, other), other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_inside_is_never_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_gone_is_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bit_stays_while_somebody_needs_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_insert_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_directory_denies_nobody_who_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_free_entry_does_not_hide_the_next_that_fits, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
