/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <pthread.h>
#include <stdlib.h>

#include "rcu/rcu.h"

static int released[8];
static size_t released_count;

static void note(void *memory)
{
    released[released_count++] = *(int *)memory;
}

static void note_ctx(void *ctx, void *memory)
{
    *(int *)ctx += *(int *)memory;
}

static int forget(void **state)
{
    (void)state;
    released_count = 0;
    return 0;
}

static void with_no_reader_online_everything_is_free_at_once(void **state)
{
    struct rcu *rcu = rcu_create(2);
    int item = 1;

    (void)state;
    rcu_retire(rcu, note, &item);
    assert_int_equal(released_count, 0); /* only rcu_reclaim releases */
    assert_int_equal(rcu_reclaim(rcu), 0);
    assert_int_equal(released_count, 1);
    rcu_free(rcu);
}

static void waits_for_each_reader_that_was_online(void **state)
{
    struct rcu *rcu = rcu_create(3);
    int item = 1;

    (void)state;
    rcu_reader_online(rcu, 0);
    rcu_reader_online(rcu, 2);
    rcu_retire(rcu, note, &item);
    assert_int_equal(rcu_reclaim(rcu), 1);
    rcu_quiescent(rcu, 0);
    assert_int_equal(rcu_reclaim(rcu), 1);
    rcu_quiescent(rcu, 2);
    assert_int_equal(rcu_reclaim(rcu), 0);
    assert_int_equal(released_count, 1);
    rcu_reader_offline(rcu, 0);
    rcu_reader_offline(rcu, 2);
    rcu_free(rcu);
}

static void a_reader_that_goes_offline_is_no_longer_waited_for(void **state)
{
    struct rcu *rcu = rcu_create(1);
    int item = 1;

    (void)state;
    rcu_reader_online(rcu, 0);
    rcu_retire(rcu, note, &item);
    assert_int_equal(rcu_reclaim(rcu), 1);
    rcu_reader_offline(rcu, 0);
    assert_int_equal(rcu_reclaim(rcu), 0);
    rcu_free(rcu);
}

static void a_quiescent_point_before_the_retirement_does_not_count(void **state)
{
    struct rcu *rcu = rcu_create(1);
    int first = 1, second = 2;

    (void)state;
    rcu_reader_online(rcu, 0);
    rcu_retire(rcu, note, &first);
    rcu_quiescent(rcu, 0);
    rcu_retire(rcu, note, &second);
    assert_int_equal(rcu_reclaim(rcu), 1);
    assert_int_equal(released_count, 1);
    assert_int_equal(released[0], 1);
    rcu_quiescent(rcu, 0);
    assert_int_equal(rcu_reclaim(rcu), 0);
    assert_int_equal(released[1], 2);
    rcu_reader_offline(rcu, 0);
    rcu_free(rcu);
}

static void releases_in_the_order_of_retirement_with_its_context(void **state)
{
    struct rcu *rcu = rcu_create(1);
    int items[3] = {1, 2, 3}, sum = 0;

    (void)state;
    rcu_retire(rcu, note, &items[0]);
    rcu_retire_ctx(rcu, note_ctx, &sum, &items[1]);
    rcu_retire(rcu, note, &items[2]);
    rcu_reclaim(rcu);
    assert_int_equal(released_count, 2);
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 3);
    assert_int_equal(sum, 2);
    rcu_free(rcu);
}

static struct rcu *nested_rcu;

static void retire_another(void *memory)
{
    note(memory);
    rcu_retire(nested_rcu, note, memory);
}

static void a_release_function_may_retire_more(void **state)
{
    int item = 7;

    (void)state;
    nested_rcu = rcu_create(1);
    rcu_retire(nested_rcu, retire_another, &item);
    assert_int_equal(rcu_reclaim(nested_rcu), 0);
    assert_int_equal(released_count, 2);
    rcu_retire(nested_rcu, retire_another, &item);
    rcu_free(nested_rcu);
    assert_int_equal(released_count, 4);
}

static void free_releases_what_still_waits(void **state)
{
    struct rcu *rcu = rcu_create(1);
    int item = 1;

    (void)state;
    rcu_retire(rcu, note, &item);
    rcu_free(rcu);
    assert_int_equal(released_count, 1);
    rcu_free(NULL);
}

static void a_ticket_is_seen_once_every_online_reader_was_quiescent(void **state)
{
    struct rcu *rcu = rcu_create(2);

    (void)state;
    rcu_reader_online(rcu, 0);
    rcu_reader_online(rcu, 1);
    uint64_t first = rcu_ticket(rcu), second = rcu_ticket(rcu);
    assert_true(second > first);
    rcu_quiescent(rcu, 0);
    assert_false(rcu_seen(rcu, first));
    rcu_quiescent(rcu, 1);
    assert_true(rcu_seen(rcu, first));
    assert_true(rcu_seen(rcu, second));
    assert_false(rcu_seen(rcu, rcu_ticket(rcu)));
    rcu_reader_offline(rcu, 0);
    rcu_reader_offline(rcu, 1);
    rcu_free(rcu);
}

/* Readers check that what they loaded stays whole until their quiescent point. */
#define ALIVE 0x600dUL

struct shared {
    struct rcu *rcu;
    RCU_POINTER(uint64_t) slot;
    atomic_bool stop;
    atomic_uint broken;
    atomic_uint loops;
};

struct reader {
    struct shared *shared;
    unsigned number;
};

static void *reader_run(void *arg)
{
    struct reader *self = arg;
    struct shared *shared = self->shared;

    rcu_reader_online(shared->rcu, self->number);
    while (!atomic_load(&shared->stop)) {
        uint64_t *value = rcu_load(&shared->slot);
        for (int i = 0; i < 50; i++)
            if (*(volatile uint64_t *)value != ALIVE)
                atomic_fetch_add(&shared->broken, 1);
        atomic_fetch_add(&shared->loops, 1);
        rcu_quiescent(shared->rcu, self->number);
    }
    rcu_reader_offline(shared->rcu, self->number);
    return NULL;
}

static void poison_and_free(void *memory)
{
    *(volatile uint64_t *)memory = 0xdeadUL;
    free(memory);
}

static uint64_t *fresh_value(void)
{
    uint64_t *value = malloc(sizeof *value);

    *value = ALIVE;
    return value;
}

static void nothing_is_released_under_a_running_reader(void **state)
{
    struct shared shared = {.rcu = rcu_create(2)};
    struct reader readers[2] = {{&shared, 0}, {&shared, 1}};
    pthread_t threads[2];

    (void)state;
    rcu_publish(&shared.slot, fresh_value());
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader_run, &readers[i]), 0);
    for (int round = 0; round < 20000 || atomic_load(&shared.loops) < 100; round++) {
        uint64_t *old = rcu_load(&shared.slot);
        rcu_publish(&shared.slot, fresh_value());
        rcu_retire(shared.rcu, poison_and_free, old);
        if (round % 4000 == 0)
            rcu_synchronize(shared.rcu);
        else
            rcu_reclaim(shared.rcu);
    }
    atomic_store(&shared.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&shared.broken), 0);
    assert_int_equal(rcu_reclaim(shared.rcu), 0);
    free(rcu_load(&shared.slot));
    rcu_free(shared.rcu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(with_no_reader_online_everything_is_free_at_once, forget),
        cmocka_unit_test_setup(waits_for_each_reader_that_was_online, forget),
        cmocka_unit_test_setup(a_reader_that_goes_offline_is_no_longer_waited_for, forget),
        cmocka_unit_test_setup(a_quiescent_point_before_the_retirement_does_not_count, forget),
        cmocka_unit_test_setup(releases_in_the_order_of_retirement_with_its_context, forget),
        cmocka_unit_test_setup(a_release_function_may_retire_more, forget),
        cmocka_unit_test_setup(free_releases_what_still_waits, forget),
        cmocka_unit_test_setup(a_ticket_is_seen_once_every_online_reader_was_quiescent, forget),
        cmocka_unit_test(nothing_is_released_under_a_running_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
