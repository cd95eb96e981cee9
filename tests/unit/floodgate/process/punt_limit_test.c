/* SPDX-License-Identifier: BSD-3-Clause */
/* How many packets of a kind the control thread takes. */
#include "cm.h"

#include "dataplane/punt_limit.h"

#define HZ    2000000000u
#define START (100 * (uint64_t)HZ)

static unsigned admitted(struct punt_limit *limit, uint64_t now, unsigned of)
{
    unsigned count = 0;

    for (unsigned i = 0; i < of; i++)
        count += punt_limit_admit(limit, now);
    return count;
}

static void a_burst_and_then_the_rate(void **state)
{
    struct punt_limit limit = {0};
    unsigned count = 0;

    (void)state;
    punt_limit_set(&limit, 5000, HZ);
    assert_int_equal(admitted(&limit, START, 10000), 500);
    for (unsigned ms = 1; ms <= 1000; ms++)
        count += admitted(&limit, START + ms * (HZ / 1000), 100);
    assert_in_range(count, 4995, 5005);
}

/* A worker's clock is the moment its burst began: it may be behind another's. */
static void a_worker_that_is_behind_gets_nothing_twice(void **state)
{
    struct punt_limit limit = {0};

    (void)state;
    punt_limit_set(&limit, 5000, HZ);
    assert_int_equal(admitted(&limit, START, 300), 300);
    assert_int_equal(admitted(&limit, START - HZ / 1000, 1000), 195);
    assert_int_equal(admitted(&limit, START, 1000), 5);
}

static void what_comes_at_once_is_bounded(void **state)
{
    struct punt_limit limit = {0};

    (void)state;
    punt_limit_set(&limit, 10, HZ);
    assert_int_equal(admitted(&limit, START, 5000), 64);
    limit = (struct punt_limit){0};
    punt_limit_set(&limit, 10000000, HZ);
    assert_int_equal(admitted(&limit, START, 5000), 1024);
}

static void a_limit_of_none_and_a_new_one(void **state)
{
    struct punt_limit limit = {0};

    (void)state;
    punt_limit_set(&limit, 0, HZ);
    assert_int_equal(admitted(&limit, START, 100), 0);
    punt_limit_set(&limit, 1000, HZ);
    assert_int_equal(admitted(&limit, START, 1000), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_and_then_the_rate),
        cmocka_unit_test(a_worker_that_is_behind_gets_nothing_twice),
        cmocka_unit_test(what_comes_at_once_is_bounded),
        cmocka_unit_test(a_limit_of_none_and_a_new_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
