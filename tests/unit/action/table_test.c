/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <errno.h>

#include "action/action.h"

static void a_program_is_copied_and_found_by_its_id_alone(void **state)
{
    struct rcu *rcu = rcu_create(1);
    struct act_table *table = act_table_create(10, rcu);
    struct act_program program = {.discard = true};

    (void)state;
    assert_int_equal(act_table_set(table, 10, &program), 0);
    program.discard = false;
    assert_int_equal(act_apply(act_table_get(table, 10)), ACT_DROP_DISCARD);
    for (uint32_t id = 0; id < 10; id++)
        assert_null(act_table_get(table, id));
    assert_null(act_table_get(table, 11));
    assert_int_equal(act_table_set(table, 10, &program), 0);
    assert_int_equal(act_apply(act_table_get(table, 10)), ACT_PASS);
    act_table_free(table);
    rcu_free(rcu);
}

static void a_replaced_program_lives_until_its_readers_are_done(void **state)
{
    struct rcu *rcu = rcu_create(1);
    struct act_table *table = act_table_create(2, rcu);

    (void)state;
    rcu_reader_online(rcu, 0);
    act_table_set(table, 1, &(struct act_program){.discard = true});
    const struct act_program *seen = act_table_get(table, 1);
    act_table_set(table, 1, NULL);
    assert_null(act_table_get(table, 1));
    assert_int_equal(rcu_reclaim(rcu), 1);
    assert_true(seen->discard); /* ASan tells if it is gone */
    rcu_quiescent(rcu, 0);
    assert_int_equal(rcu_reclaim(rcu), 0);
    rcu_reader_offline(rcu, 0);
    act_table_free(table);
    rcu_free(rcu);
}

static void ids_beyond_the_capacity_are_refused(void **state)
{
    struct rcu *rcu = rcu_create(1);
    struct act_table *table = act_table_create(2, rcu);
    struct act_program program = {.discard = true};

    (void)state;
    assert_int_equal(act_table_set(table, 0, &program), -EINVAL);
    assert_int_equal(act_table_set(table, 3, &program), -EINVAL);
    act_table_free(table);
    act_table_free(NULL);
    rcu_free(rcu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_copied_and_found_by_its_id_alone),
        cmocka_unit_test(a_replaced_program_lives_until_its_readers_are_done),
        cmocka_unit_test(ids_beyond_the_capacity_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
