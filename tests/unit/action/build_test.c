/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include "action/build.h"

static void no_action_is_accept(void **state)
{
    struct act_program program = {.discard = true, .go_on = true};

    (void)state;
    assert_null(act_build(&(struct fs_actions){0}, &program));
    assert_false(program.discard);
    assert_false(program.go_on);
    assert_int_equal(act_apply(&program), ACT_PASS);
}

static void continue_is_carried_over(void **state)
{
    struct act_program program;

    (void)state;
    assert_null(act_build(&(struct fs_actions){.go_on = true}, &program));
    assert_true(program.go_on);
    assert_int_equal(act_apply(&program), ACT_PASS);
}

/* conforms: RFC 8955 proves 7.1-2 7.2-1 */
static void a_rate_of_zero_of_either_kind_is_discard_whatever_the_other_says(void **state)
{
    const struct fs_actions zero[] = {
        {.rate_bytes_set = true},
        {.rate_packets_set = true},
        {.rate_bytes_set = true, .rate_packets_set = true, .rate_packets_per_s = 1000},
        {.rate_packets_set = true, .rate_bytes_set = true, .rate_bytes_per_s = 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++) {
        struct act_program program;
        assert_null(act_build(&zero[i], &program));
        assert_int_equal(act_apply(&program), ACT_DROP_DISCARD);
    }
}

static void a_sample_is_carried_over_even_beside_discard(void **state)
{
    struct act_program program;

    (void)state;
    assert_null(act_build(&(struct fs_actions){.sample = true, .rate_bytes_set = true}, &program));
    assert_true(program.sample && program.discard);
}

static void limits_and_marks_are_carried_over(void **state)
{
    struct act_program program;

    (void)state;
    assert_null(act_build(&(struct fs_actions){.rate_bytes_set = true, .rate_bytes_per_s = 0.5f}, &program));
    assert_true(program.extra && program.rate_bytes_per_s == 0.5f && program.rate_packets_per_s == 0);
    assert_null(
        act_build(&(struct fs_actions){.rate_packets_set = true, .rate_packets_per_s = 7, .go_on = true}, &program));
    assert_true(program.extra && program.go_on && program.rate_packets_per_s == 7 && program.rate_bytes_per_s == 0);
    assert_null(act_build(&(struct fs_actions){.mark_set = true, .dscp = 0}, &program));
    assert_true(program.extra && program.mark && program.dscp == 0);
    assert_null(act_build(&(struct fs_actions){.rate_bytes_per_s = 3, .rate_packets_per_s = 3, .dscp = 3}, &program));
    assert_false(program.extra || program.mark || program.rate_bytes_per_s > 0 || program.rate_packets_per_s > 0);
}

static void what_is_discarded_is_neither_limited_nor_marked(void **state)
{
    const struct fs_actions actions = {
        .rate_bytes_set = true, .rate_packets_set = true, .rate_packets_per_s = 9, .mark_set = true, .dscp = 46};
    struct act_program program;

    (void)state;
    assert_null(act_build(&actions, &program));
    assert_true(program.discard);
    assert_false(program.extra);
}

static void an_action_that_cannot_be_carried_out_is_named(void **state)
{
    const struct {
        const char *name;
        struct fs_actions actions;
    } cases[] = {
        {"rate-limit", {.rate_undefined = true}},
        {"rate-limit", {.rate_undefined = true, .rate_bytes_set = true, .rate_bytes_per_s = 1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct act_program program;
        assert_string_equal(act_build(&cases[i].actions, &program), cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_action_is_accept),
        cmocka_unit_test(continue_is_carried_over),
        cmocka_unit_test(a_rate_of_zero_of_either_kind_is_discard_whatever_the_other_says),
        cmocka_unit_test(a_sample_is_carried_over_even_beside_discard),
        cmocka_unit_test(limits_and_marks_are_carried_over),
        cmocka_unit_test(what_is_discarded_is_neither_limited_nor_marked),
        cmocka_unit_test(an_action_that_cannot_be_carried_out_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
