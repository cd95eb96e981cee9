/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include "pace.h"

static unsigned taken(struct pace *pace, unsigned asked, uint64_t now_ms)
{
    unsigned count = 0;

    for (unsigned i = 0; i < asked; i++)
        count += pace_take(pace, now_ms);
    return count;
}

static void a_burst_goes_and_then_so_many_each_second(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 50, 5, 1000);
    assert_int_equal(taken(&pace, 1000, 1000), 50);
    assert_int_equal(taken(&pace, 1000, 1199), 0);
    assert_int_equal(taken(&pace, 1000, 1200), 1);
    assert_int_equal(taken(&pace, 1000, 3200), 10);
    assert_int_equal(taken(&pace, 1000, 3600000), 50); /* and no more than that after an hour */
    assert_int_equal(taken(&pace, 1000, UINT64_MAX), 50);
}

static void fractions_of_a_second_add_up(void **state)
{
    struct pace pace;
    unsigned count = 0;

    (void)state;
    pace_init(&pace, 10, 3, 0);
    taken(&pace, 10, 0);
    for (uint64_t now_ms = 1; now_ms <= 10000; now_ms++)
        count += pace_take(&pace, now_ms);
    assert_int_equal(count, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_goes_and_then_so_many_each_second),
        cmocka_unit_test(fractions_of_a_second_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
