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

static void an_action_that_cannot_be_carried_out_is_named(void **state)
{
    const struct {
        const char *name;
        struct fs_actions actions;
    } cases[] = {
        {"rate-limit", {.rate_bytes_set = true, .rate_bytes_per_s = 1}},
        {"rate-limit", {.rate_packets_set = true, .rate_packets_per_s = 0.5f}},
        {"rate-limit", {.rate_undefined = true}},
        {"mark", {.mark_set = true}},
        {"mark", {.mark_set = true, .rate_bytes_set = true}},
        {"redirect", {.redirect = {.kind = FS_REDIRECT_RT_IPV6}}},
        {"redirect-ip", {.redirect_ip_set = true}},
        {"sample", {.sample = true}},
        {"sample", {.sample = true, .rate_bytes_set = true}},
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
        cmocka_unit_test(an_action_that_cannot_be_carried_out_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
