/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include "base/idpool.h"

static void gives_each_id_once_up_to_capacity(void **state)
{
    struct idpool *pool = idpool_create(100);

    (void)state;
    for (uint32_t want = 1; want <= 100; want++)
        assert_int_equal(idpool_take(pool), want);
    assert_int_equal(idpool_take(pool), ID_NONE);
    assert_int_equal(idpool_used(pool), 100);
    idpool_free(pool);
}

static void reuses_the_oldest_freed_first(void **state)
{
    struct idpool *pool = idpool_create(3);

    (void)state;
    for (int i = 0; i < 3; i++)
        idpool_take(pool);
    idpool_give(pool, 2);
    idpool_give(pool, 1);
    assert_int_equal(idpool_used(pool), 1);
    assert_int_equal(idpool_take(pool), 2);
    assert_int_equal(idpool_take(pool), 1);
    assert_int_equal(idpool_take(pool), ID_NONE);
    idpool_give(pool, 3);
    assert_int_equal(idpool_take(pool), 3);
    idpool_free(pool);
}

static void an_empty_pool_has_nothing_to_give(void **state)
{
    struct idpool *pool = idpool_create(0);

    (void)state;
    assert_int_equal(idpool_take(pool), ID_NONE);
    idpool_free(pool);
    idpool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_id_once_up_to_capacity),
        cmocka_unit_test(reuses_the_oldest_freed_first),
        cmocka_unit_test(an_empty_pool_has_nothing_to_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
