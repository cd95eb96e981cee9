/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <errno.h>

#include "action/action.h"

static void a_program_is_copied_and_found_by_its_id_alone(void **state)
{
    struct rcu *rcu = rcu_create(1);
    struct act_table *table = act_table_create(10, 100, rcu);
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
    struct act_table *table = act_table_create(2, 100, rcu);

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

static void a_limit_stays_with_the_id_while_the_rates_do(void **state)
{
    struct rcu *rcu = rcu_create(1);
    struct act_table *table = act_table_create(2, 100, rcu);
    struct act_program program = {.extra = true, .rate_bytes_per_s = 1000, .rate_packets_per_s = 10};

    (void)state;
    assert_int_equal(act_table_set(table, 1, &program), 0);
    struct act_limit *limit = act_table_get(table, 1)->limit;
    assert_non_null(limit);
    act_policer_charge(&limit->bytes, 5, 700);

    program.mark = program.go_on = true; /* other actions may come and go */
    assert_int_equal(act_table_set(table, 1, &program), 0);
    assert_ptr_equal(act_table_get(table, 1)->limit, limit);
    assert_int_equal(act_policer_ahead(&limit->bytes, 5), 700);

    assert_int_equal(act_table_set(table, 2, &program), 0); /* an id of its own has a limit of its own */
    assert_ptr_not_equal(act_table_get(table, 2)->limit, limit);

    for (unsigned i = 0; i < 2; i++) { /* another rate of either kind starts afresh; ASan tells if `limit` is kept */
        limit = act_table_get(table, 1)->limit;
        rcu_reader_online(rcu, 0);
        *(i == 0 ? &program.rate_bytes_per_s : &program.rate_packets_per_s) += 1;
        assert_int_equal(act_table_set(table, 1, &program), 0);
        assert_ptr_not_equal(act_table_get(table, 1)->limit, limit);
        assert_int_equal(act_policer_ahead(&limit->packets, 5), 0); /* readers may still use it */
        rcu_quiescent(rcu, 0);
        rcu_reader_offline(rcu, 0);
        rcu_synchronize(rcu);
    }
    assert_int_equal(act_table_set(table, 1, NULL), 0);
    assert_int_equal(act_table_set(table, 2, &(struct act_program){.discard = true}), 0);
    assert_null(act_table_get(table, 2)->limit);
    act_table_set(table, 2, &program);
    act_table_free(table);
    rcu_free(rcu);
}

static void ids_beyond_the_capacity_are_refused(void **state)
{
    struct rcu *rcu = rcu_create(1);
    struct act_table *table = act_table_create(2, 100, rcu);
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
        cmocka_unit_test(a_limit_stays_with_the_id_while_the_rates_do),
        cmocka_unit_test(ids_beyond_the_capacity_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
