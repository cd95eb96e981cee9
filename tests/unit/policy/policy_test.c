/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <string.h>

#include "policy/policy.h"

static const struct fs_rule plain_rule = {.family = IP_V4};
static const struct fs_rule vpn_rule = {.family = IP_V4, .has_rd = true};
static const struct fs_actions plain_actions;
static const struct fs_actions undefined_rate = {.rate_undefined = true};

struct seen {
    size_t count;
    char steps[12][32];
    struct pol_verdict verdicts[12];
};

static void note(void *ctx, const char *step, const struct pol_verdict *verdict)
{
    struct seen *seen = ctx;

    strncpy(seen->steps[seen->count], step, sizeof seen->steps[0] - 1);
    seen->verdicts[seen->count++] = *verdict;
}

static void a_rule_that_passes_every_step_is_active_without_a_reason(void **state)
{
    const struct pol_candidate candidate = {.rule = &plain_rule, .actions = &plain_actions};
    struct pol_verdict verdict;

    (void)state;
    memset(&verdict, 0xff, sizeof verdict);
    pol_judge(&candidate, &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    assert_string_equal(verdict.reason, "");
}

static void assert_rejected(struct pol_candidate candidate, const char *word)
{
    struct pol_verdict verdict;

    pol_judge(&candidate, &verdict);
    assert_int_equal(verdict.state, POL_REJECTED);
    assert_int_equal(strncmp(verdict.reason, word, strlen(word)), 0);
    assert_int_equal(strncmp(verdict.reason + strlen(word), ": ", 2), 0);
    assert_true(strlen(verdict.reason) > strlen(word) + 10);
}

static void each_rejection_starts_with_its_word_and_says_why(void **state)
{
    (void)state;
    assert_rejected((struct pol_candidate){&plain_rule, &undefined_rate, NULL}, "actions");
    assert_rejected((struct pol_candidate){&vpn_rule, &plain_actions, NULL}, "no-vrf");
    assert_rejected((struct pol_candidate){&plain_rule, &plain_actions, "sample"}, "unsupported-action");
}

static void a_warning_of_an_early_step_is_heard_behind_those_that_accept(void **state)
{
    const struct fs_term term = {.op = FS_OP_EQ, .value = 99971};
    const struct fs_component length = {.type = FS_PACKET_LENGTH, .term_count = 1};
    struct pol_verdict verdict;
    struct seen seen = {.count = 0};
    struct fs_rule *rule;

    (void)state;
    assert_int_equal(fs_rule_build(IP_V4, NULL, &length, 1, &term, &rule), FS_OK);
    pol_judge_each(&(struct pol_candidate){.rule = rule, .actions = &plain_actions, .senseless_passes = true}, note,
                   &seen, &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    assert_true(verdict.warning);
    assert_int_equal(strncmp(verdict.reason, "senseless: ", 11), 0);
    assert_string_equal(seen.verdicts[0].reason, verdict.reason);
    assert_string_equal(seen.verdicts[1].reason, "");
    fs_rule_free(rule);
}

static void a_vpn_rule_needs_one_vrf_that_imports_it_and_bears_it_out(void **state)
{
    static const struct {
        struct pol_vrfs vrfs;
        enum pol_state state;
        const char *reason;
    } CASES[] = {
        {{.importing = 0, .trusted = true, .why = "no VRF wants 65000:1"},
         POL_NOT_IMPORTED,
         "no-vrf: no VRF wants 65000:1"},
        {{.importing = 0, .why = "no VRF wants 65000:1"},
         POL_REJECTED,
         "no-vrf: no VRF wants 65000:1; without a VRF no routes bear it out, so it is not handed on"},
        {{.importing = 2, .feasible = 0, .why = "in VRF red: no route"},
         POL_REJECTED,
         "infeasible: in VRF red: no route"},
        {{.importing = 2, .feasible = 1}, POL_ACTIVE, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct pol_verdict verdict;
        pol_judge(&(struct pol_candidate){.rule = &vpn_rule, .actions = &plain_actions, .vrfs = &CASES[i].vrfs},
                  &verdict);
        assert_string_equal(verdict.reason, CASES[i].reason);
        assert_int_equal(verdict.state, CASES[i].state);
    }
}

/* What its policy does not allow is not for others either. */
static void a_vpn_rule_that_no_vrf_imports_is_judged_by_its_policy_first(void **state)
{
    static const struct pol_peer_policy nothing_allowed = {.name = "none", .required = 1u << FS_DESTINATION};
    static const struct pol_vrfs vrfs = {.trusted = true, .why = "no VRF wants it"};
    struct pol_verdict verdict;

    (void)state;
    pol_judge(&(struct pol_candidate){.rule = &vpn_rule,
                                      .actions = &plain_actions,
                                      .vrfs = &vrfs,
                                      .unsupported_action = "mark",
                                      .policy = &nothing_allowed},
              &verdict);
    assert_int_equal(verdict.state, POL_REJECTED);
    assert_string_equal(verdict.step, "policy");
}

static void an_unsupported_action_is_named(void **state)
{
    const struct pol_candidate candidate = {&plain_rule, &plain_actions, "redirect"};
    struct pol_verdict verdict;

    (void)state;
    pol_judge(&candidate, &verdict);
    assert_string_equal(verdict.reason, "unsupported-action: redirect is not carried out by this version, "
                                        "so the rule is not enforced");
}

static void the_first_step_that_does_not_accept_decides(void **state)
{
    struct pol_verdict verdict;

    (void)state;
    pol_judge(&(struct pol_candidate){&vpn_rule, &undefined_rate, "mark"}, &verdict);
    assert_int_equal(strncmp(verdict.reason, "actions:", 8), 0);
    pol_judge(&(struct pol_candidate){&vpn_rule, &plain_actions, "sample"}, &verdict);
    assert_int_equal(strncmp(verdict.reason, "no-vrf:", 7), 0);
}

static void judging_each_step_reports_all_and_concludes_as_pol_judge_does(void **state)
{
    const struct pol_candidate candidates[] = {
        {&plain_rule, &plain_actions, NULL},
        {&vpn_rule, &undefined_rate, "mark"},
        {&vpn_rule, &plain_actions, NULL},
        {&plain_rule, &plain_actions, "sample"},
    };
    const unsigned refusals[] = {0, 3, 1, 1};

    (void)state;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        struct pol_verdict one, all;
        struct seen seen = {0};
        unsigned refused = 0;
        pol_judge(&candidates[i], &one);
        pol_judge_each(&candidates[i], note, &seen, &all);
        assert_int_equal(one.state, all.state);
        assert_string_equal(one.reason, all.reason);
        assert_int_equal(seen.count, 10);
        for (size_t step = 0; step < seen.count; step++)
            refused += seen.verdicts[step].state != POL_ACTIVE;
        assert_int_equal(refused, refusals[i]);
        assert_string_equal(seen.steps[0], "sense");
        assert_string_equal(seen.steps[1], "actions");
        assert_string_equal(seen.steps[2], "feasibility");
        assert_string_equal(seen.steps[3], "policy");
        assert_string_equal(seen.steps[4], "max-rules");
        assert_string_equal(seen.steps[5], "protect");
        assert_string_equal(seen.steps[6], "vrf");
        assert_string_equal(seen.steps[7], "enforceable");
        assert_string_equal(seen.steps[8], "cost");
        assert_string_equal(seen.steps[9], "blast-radius");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_that_passes_every_step_is_active_without_a_reason),
        cmocka_unit_test(each_rejection_starts_with_its_word_and_says_why),
        cmocka_unit_test(a_warning_of_an_early_step_is_heard_behind_those_that_accept),
        cmocka_unit_test(a_vpn_rule_needs_one_vrf_that_imports_it_and_bears_it_out),
        cmocka_unit_test(a_vpn_rule_that_no_vrf_imports_is_judged_by_its_policy_first),
        cmocka_unit_test(an_unsupported_action_is_named),
        cmocka_unit_test(the_first_step_that_does_not_accept_decides),
        cmocka_unit_test(judging_each_step_reports_all_and_concludes_as_pol_judge_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
