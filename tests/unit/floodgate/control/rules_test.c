/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule table between a real RIB and a data plane that is only pretended. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowspec/text.h"
#include "policy/peer_policy.h"
#include "rules_bench.h"

#define NTP "match destination 203.0.113.7/32 protocol =udp source-port =123"

static void an_announced_rule_is_in_force(void **state)
{
    struct bench *bench = *state;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");

    assert_int_equal(rule->state, RULE_ACTIVE);
    assert_true(rule->in_force);
    assert_null(rule->reason);
    assert_string_equal(rule->source_name, "detector");
    assert_true(bench->dp->slots[rule->id].in_force);
    assert_true(bench->dp->slots[rule->id].program.discard);
    assert_true(fs_rule_equal(bench->dp->slots[rule->id].rule, rule->match));
    assert_int_equal(bench->peer.states[0][RULE_ACTIVE], 1);
}

static void a_withdrawn_rule_leaves_force_at_once(void **state)
{
    struct bench *bench = *state;
    uint32_t id = announce(bench, &bench->peer, NTP " then discard")->id;

    withdraw(bench, &bench->peer, NTP);
    assert_false(bench->dp->slots[id].in_force);
    assert_null(rules_next(bench->rules, NULL));
    assert_null(rules_find(bench->rules, id));
    assert_int_equal(bench->peer.states[0][RULE_ACTIVE], 0);
}

/* The fake fails the test where an id is opened or set while it is being cleared. */
static void a_full_table_waits_for_a_leaving_rules_id(void **state)
{
    struct bench *bench = *state;

    rules_free(bench->rules);
    bench->rules = rules_create(bench->dp, 1, &bench_log);
    uint32_t id = announce(bench, &bench->peer, NTP " then discard")->id;
    withdraw(bench, &bench->peer, NTP);
    assert_true(bench->dp->slots[id].clearing);
    const struct rule *rule = announce(bench, &bench->peer, "match destination 192.0.2.1/32 then discard");
    assert_non_null(rule);
    assert_int_equal(rule->id, id);
    assert_true(rule->in_force);
    assert_int_equal(bench->dp->slots[id].opened, 2);
}

static void a_rule_without_room_goes_in_once_there_is_some(void **state)
{
    struct bench *bench = *state;

    rules_free(bench->rules);
    bench->rules = rules_create(bench->dp, 1, &bench_log);
    announce(bench, &bench->peer, NTP " then discard");
    assert_null(announce(bench, &bench->peer, "match destination 192.0.2.1/32 then discard"));
    assert_false(rules_want_retry(bench->rules));
    withdraw(bench, &bench->peer, NTP);
    fake_dataplane_release(bench->dp);
    assert_true(rules_want_retry(bench->rules));
    rules_retry(bench->rules, bench->rib);
    const struct rule *rule = find(bench, "match destination 192.0.2.1/32");
    assert_non_null(rule);
    assert_true(rule->in_force);
}

static void an_action_change_replaces_the_program_without_a_gap(void **state)
{
    struct bench *bench = *state;
    uint32_t id = announce(bench, &bench->peer, NTP " then discard")->id;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then accept");

    assert_int_equal(rule->id, id);
    assert_int_equal(rule->state, RULE_ACTIVE);
    assert_int_equal(bench->dp->sets, 2);
    assert_int_equal(bench->dp->clears, 0);
    assert_false(bench->dp->slots[id].program.discard);
}

static void the_id_stays_when_another_source_takes_over(void **state)
{
    struct bench *bench = *state;
    uint32_t id = announce(bench, &bench->peer, NTP " then discard")->id;

    announce(bench, &bench->other, NTP " then discard");
    bgp_rib_source_down(bench->rib, &bench->peer.rib);
    const struct rule *rule = find(bench, NTP);
    assert_int_equal(rule->id, id);
    assert_string_equal(rule->source_name, "second");
    assert_int_equal(bench->peer.states[0][RULE_ACTIVE], 0);
    assert_int_equal(bench->other.states[0][RULE_ACTIVE], 1);
    assert_int_equal(bench->dp->sets, 1); /* the same actions: nothing to do */
    assert_int_equal(bench->dp->clears, 0);
}

static void a_session_that_closes_takes_its_rules_along(void **state)
{
    struct bench *bench = *state;

    announce(bench, &bench->peer, NTP " then discard");
    announce(bench, &bench->peer, "match destination 2001:db8::7/128 then discard");
    announce(bench, &bench->config, "match destination 192.0.2.1/32 then discard");
    assert_int_equal(fake_dataplane_in_force(bench->dp), 3);
    assert_int_equal(bgp_rib_source_down(bench->rib, &bench->peer.rib), 2);
    assert_int_equal(fake_dataplane_in_force(bench->dp), 1);
    assert_int_equal(rules_next(bench->rules, NULL)->source_kind, BGP_SOURCE_CONFIG);
}

static void a_rule_that_becomes_rejected_leaves_force(void **state)
{
    struct bench *bench = *state;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");
    uint32_t id = rule->id, count[RULE_STATE_COUNT];

    const struct pol_peer_policy policy = {.name = "drops", .actions = pol_action_bit("discard")};
    bench->peer.policy = &policy;
    rule = announce(bench, &bench->peer, NTP " then mark 46");
    bench->peer.policy = NULL;
    assert_int_equal(rule->id, id);
    assert_int_equal(rule->state, RULE_REJECTED);
    assert_non_null(strstr(rule->reason, "policy: mark is not among"));
    assert_false(bench->dp->slots[id].in_force);
    rules_count(bench->rules, count);
    assert_int_equal(count[RULE_REJECTED], 1);
    assert_int_equal(count[RULE_ACTIVE], 0);

    /* and back, while the data plane has not released it yet: in force as soon as it has */
    rule = announce(bench, &bench->peer, NTP " then discard");
    assert_int_equal(rule->state, RULE_ACTIVE);
    fake_dataplane_release(bench->dp);
    assert_true(bench->dp->slots[id].in_force);
    assert_true(rule->in_force);
}

static void a_rule_withdrawn_while_its_id_is_cleared_gives_the_id_once(void **state)
{
    struct bench *bench = *state;
    char why[128];
    uint32_t id = announce(bench, &bench->peer, NTP " then discard")->id;

    assert_true(rules_suspend(bench->rules, id, "test", why, sizeof why));
    withdraw(bench, &bench->peer, NTP);
    const struct rule *next = announce(bench, &bench->peer, "match destination 192.0.2.1/32 then discard");
    assert_int_not_equal(next->id, id);
    fake_dataplane_release(bench->dp);
    for (int i = 0; i < 99; i++) { /* of 100 ids one is out: each of the others comes once */
        char text[64];
        snprintf(text, sizeof text, "match destination 10.0.0.%d/32 then discard", i);
        const struct rule *rule = announce(bench, &bench->peer, text);
        assert_non_null(rule);
        assert_ptr_equal(rules_find(bench->rules, rule->id), rule);
    }
    assert_null(announce(bench, &bench->peer, "match destination 10.0.1.0/32 then discard"));
}

static void no_room_in_the_data_plane_rejects_and_retries(void **state)
{
    struct bench *bench = *state;

    bench->dp->room = 1;
    announce(bench, &bench->peer, NTP " then discard");
    const struct rule *rule = announce(bench, &bench->peer, "match destination 192.0.2.1/32 then discard");
    assert_int_equal(rule->state, RULE_REJECTED);
    assert_memory_equal(rule->reason, "memory: ", 8);
    assert_true(rules_want_retry(bench->rules));
    bench->dp->room = 2;
    rules_retry(bench->rules, bench->rib);
    assert_int_equal(rule->state, RULE_ACTIVE);
    assert_null(rule->reason);
    assert_false(rules_want_retry(bench->rules));
}

static void ids_run_out_with_one_line_in_the_log(void **state)
{
    struct bench *bench = *state;
    char text[64];

    for (int i = 0; i < 150; i++) {
        snprintf(text, sizeof text, "match destination 10.0.0.%d/32 then discard", i);
        announce(bench, &bench->peer, text);
    }
    assert_int_equal(fake_dataplane_in_force(bench->dp), 100);
    assert_int_equal(bench->warnings, 1);
    assert_int_equal(bgp_rib_source_down(bench->rib, &bench->peer.rib), 150);
    assert_int_equal(fake_dataplane_in_force(bench->dp), 0);
}

static void rules_stand_in_evaluation_order_ipv4_first(void **state)
{
    struct bench *bench = *state;

    announce(bench, &bench->peer, "match destination 2001:db8::/32 then discard");
    announce(bench, &bench->peer, "match destination 203.0.113.0/24 then discard");
    announce(bench, &bench->peer, NTP " then discard");
    announce(bench, &bench->peer, "match destination 2001:db8::7/128 then discard");
    const char *const order[] = {NTP, "match destination 203.0.113.0/24", "match destination 2001:db8::7/128",
                                 "match destination 2001:db8::/32"};
    const uint32_t ranks[] = {0, 1, 0, 1};
    const struct rule *rule = NULL;
    for (size_t i = 0; i < 4; i++) {
        rule = rules_next(bench->rules, rule);
        assert_ptr_equal(rule, find(bench, order[i]));
        assert_int_equal(rules_rank(bench->rules, rule), ranks[i]);
    }
    assert_null(rules_next(bench->rules, rule));
}

static void a_walk_goes_on_after_a_rule_that_is_here_or_is_gone(void **state)
{
    struct bench *bench = *state;
    const struct rule *first = announce(bench, &bench->peer, NTP " then discard");
    const struct rule *second = announce(bench, &bench->peer, "match destination 203.0.113.0/24 then discard");
    const struct rule *third = announce(bench, &bench->peer, "match destination 2001:db8::7/128 then discard");
    struct fs_rule *key = fs_rule_dup(second->match);

    assert_ptr_equal(rules_after(bench->rules, first->match), second);
    assert_ptr_equal(rules_after(bench->rules, key), third);
    withdraw(bench, &bench->peer, "match destination 203.0.113.0/24");
    assert_ptr_equal(rules_after(bench->rules, first->match), third);
    assert_ptr_equal(rules_after(bench->rules, key), third);
    assert_null(rules_after(bench->rules, third->match));
    fs_rule_free(key);
}

static void the_operator_suspends_and_resumes(void **state)
{
    struct bench *bench = *state;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");
    char why[128];

    assert_false(rules_resume(bench->rules, rule->id, "test", why, sizeof why));
    assert_string_equal(why, "rule 1 is active, not suspended");
    assert_true(rules_suspend(bench->rules, rule->id, "test", why, sizeof why));
    assert_int_equal(rule->state, RULE_SUSPENDED);
    assert_false(bench->dp->slots[rule->id].in_force);
    assert_false(rules_suspend(bench->rules, rule->id, "test", why, sizeof why));
    assert_string_equal(why, "rule 1 is suspended, not active");

    /* the peer changes its mind about the action: the operator's word stays */
    announce(bench, &bench->peer, NTP " then accept");
    assert_int_equal(rule->state, RULE_SUSPENDED);
    fake_dataplane_release(bench->dp);
    assert_false(bench->dp->slots[rule->id].in_force);

    assert_true(rules_resume(bench->rules, rule->id, "test", why, sizeof why));
    assert_int_equal(rule->state, RULE_ACTIVE);
    assert_true(bench->dp->slots[rule->id].in_force);
    assert_int_equal(bench->dp->slots[rule->id].opened, 1); /* its counters went on */
    assert_false(rules_suspend(bench->rules, 77, "test", why, sizeof why));
    assert_string_equal(why, "there is no rule 77");
}

static void a_data_plane_at_rest_releases_at_once(void **state)
{
    struct bench *bench = *state;
    char why[128];

    bench->dp->release_at_once = true;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");
    assert_true(rules_suspend(bench->rules, rule->id, "test", why, sizeof why));
    assert_false(bench->dp->slots[rule->id].in_force);
    assert_true(rules_resume(bench->rules, rule->id, "test", why, sizeof why));
    assert_true(bench->dp->slots[rule->id].in_force);
    withdraw(bench, &bench->peer, NTP);
    assert_int_equal(fake_dataplane_in_force(bench->dp), 0);
}

static void state_names_parse_back(void **state)
{
    enum rule_state parsed;

    (void)state;
    for (unsigned i = 0; i < RULE_STATE_COUNT; i++) {
        assert_true(rule_state_parse(rule_state_name((enum rule_state)i), &parsed));
        assert_int_equal(parsed, i);
    }
    assert_false(rule_state_parse("actve", &parsed));
}

#define RULES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#define HOST(n) "match destination 192.0.2." #n "/32 then discard"

static void a_rule_beyond_the_peers_limit_waits_for_a_place(void **state)
{
    static const struct pol_peer_policy TWO = {.name = "two", .max_rules = 2}, THREE = {.name = "two", .max_rules = 3};
    struct bench *bench = *state;

    bench->peer.policy = &TWO;
    announce(bench, &bench->peer, HOST(2));
    announce(bench, &bench->peer, HOST(3));
    const struct rule *third = announce(bench, &bench->peer, HOST(1));
    assert_int_equal(third->state, RULE_REJECTED);
    assert_string_equal(third->reason, "max-rules: the peer has its 2 rules, the most that policy two allows");
    /* announced once more, or by others, nothing changes for it */
    assert_int_equal(announce(bench, &bench->peer, HOST(2))->state, RULE_ACTIVE);
    assert_int_equal(announce(bench, &bench->other, HOST(9))->state, RULE_ACTIVE);
    assert_false(rules_want_retry(bench->rules));

    withdraw(bench, &bench->peer, HOST(3));
    assert_true(rules_want_retry(bench->rules));
    rules_retry(bench->rules, bench->rib);
    assert_int_equal(third->state, RULE_ACTIVE);
    assert_false(rules_want_retry(bench->rules));

    const struct rule *fourth = announce(bench, &bench->peer, HOST(4));
    assert_int_equal(fourth->state, RULE_REJECTED);
    bench->peer.policy = &THREE;
    bench->peer.judge_again = true;
    rules_judge_again(bench->rules, false);
    assert_int_equal(fourth->state, RULE_ACTIVE);
    assert_int_equal(third->state, RULE_ACTIVE);
}

/* An operator hears once that rules are not enforced for want of memory, and once that they are again. */
static void rules_that_find_no_memory_are_told_once(void **state)
{
    struct bench *bench = *state;
    unsigned errors = bench->errors;

    bench->dp->room = 1;
    announce(bench, &bench->peer, HOST(1));
    assert_int_equal(bench->errors, errors);
    const struct rule *second = announce(bench, &bench->peer, HOST(2)), *third = announce(bench, &bench->peer, HOST(3));
    assert_int_equal(second->state, RULE_REJECTED);
    assert_memory_equal(second->reason, "memory: no room for the rule in the data plane", 46);
    assert_int_equal(third->state, RULE_REJECTED);
    assert_int_equal(bench->errors, errors + 1);
    rules_retry(bench->rules, bench->rib);
    assert_int_equal(bench->errors, errors + 1);
    bench->dp->room = 2;
    rules_retry(bench->rules, bench->rib);
    assert_int_equal(second->state, RULE_ACTIVE);
    assert_true(rules_want_retry(bench->rules));
    bench->dp->room = 3;
    rules_retry(bench->rules, bench->rib);
    assert_int_equal(third->state, RULE_ACTIVE);
    assert_string_equal(bench->last_line, "the data plane has memory for every rule again");
    assert_int_equal(bench->errors, errors + 1);
}

/* A flood of rules that are refused for what they are must not push out those that are in force. */
static void a_refused_rule_takes_no_place(void **state)
{
    static const struct pol_peer_policy TWO = {.name = "two", .max_rules = 2, .min_length_ipv4 = 32};
    struct bench *bench = *state;

    bench->peer.policy = &TWO;
    const struct rule *first = announce(bench, &bench->peer, HOST(2));
    for (unsigned n = 0; n < 5; n++) {
        char text[96];
        snprintf(text, sizeof text, "match destination 192.0.2.%u/32 packet-length 99971 then discard", 10 + n);
        assert_int_equal(announce(bench, &bench->peer, text)->state, RULE_NEVER_MATCHES);
        snprintf(text, sizeof text, "match destination 192.0.%u.0/24 then discard", 10 + n);
        assert_int_equal(announce(bench, &bench->peer, text)->state, RULE_REJECTED);
    }
    const struct rule *second = announce(bench, &bench->peer, HOST(3)), *third = announce(bench, &bench->peer, HOST(4));
    assert_int_equal(second->state, RULE_ACTIVE);
    assert_int_equal(third->state, RULE_REJECTED);
    assert_int_equal(bench->peer.placed, 2);
    bench->peer.judge_again = true; /* again, those that have a place keep it */
    rules_judge_again(bench->rules, false);
    assert_int_equal(first->state, RULE_ACTIVE);
    assert_int_equal(second->state, RULE_ACTIVE);
    assert_false(rules_want_retry(bench->rules));
    /* one that is refused from now on frees its place */
    static const struct pol_peer_policy MARKS = {
        .name = "two", .max_rules = 2, .required = 1u << FS_PROTOCOL, .min_length_ipv4 = 32};
    announce(bench, &bench->peer, "match destination 192.0.2.9/32 protocol =udp then discard");
    bench->peer.policy = &MARKS;
    rules_judge_again(bench->rules, false);
    assert_true(rules_want_retry(bench->rules));
    rules_retry(bench->rules, bench->rib);
    assert_int_equal(find(bench, "match destination 192.0.2.9/32 protocol =udp")->state, RULE_ACTIVE);
    assert_int_equal(bench->peer.placed, 1);
}

static void a_rule_moves_with_its_best_path_to_another_policy(void **state)
{
    static const struct pol_peer_policy NONE = {.name = "none", .min_length_ipv4 = 32, .actions = POL_ACTION_MARK};
    struct bench *bench = *state;

    bench->other.policy = &NONE;
    announce(bench, &bench->other, HOST(1));
    const struct rule *rule = find(bench, HOST(1));
    assert_int_equal(rule->state, RULE_REJECTED);
    announce(bench, &bench->peer, HOST(1)); /* of the lower router id: the better path */
    assert_int_equal(rule->state, RULE_ACTIVE);
    withdraw(bench, &bench->peer, HOST(1));
    assert_int_equal(rule->state, RULE_REJECTED);
    assert_string_equal(rule->reason, "policy: discard is not among the actions of policy none: mark");
}

static void a_refused_rule_of_the_configuration_is_a_warning(void **state)
{
    struct bench *bench = *state;

    announce(bench, &bench->peer, "match packet-length 99971 then discard");
    announce(bench, &bench->config, HOST(1));
    assert_int_equal(bench->warnings, 0);
    announce(bench, &bench->config, "match packet-length 99972 then discard");
    assert_int_equal(bench->warnings, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULES_TEST(an_announced_rule_is_in_force),
        RULES_TEST(a_withdrawn_rule_leaves_force_at_once),
        RULES_TEST(a_full_table_waits_for_a_leaving_rules_id),
        RULES_TEST(a_rule_without_room_goes_in_once_there_is_some),
        RULES_TEST(an_action_change_replaces_the_program_without_a_gap),
        RULES_TEST(the_id_stays_when_another_source_takes_over),
        RULES_TEST(a_session_that_closes_takes_its_rules_along),
        RULES_TEST(a_rule_that_becomes_rejected_leaves_force),
        RULES_TEST(a_rule_withdrawn_while_its_id_is_cleared_gives_the_id_once),
        RULES_TEST(no_room_in_the_data_plane_rejects_and_retries),
        RULES_TEST(ids_run_out_with_one_line_in_the_log),
        RULES_TEST(rules_stand_in_evaluation_order_ipv4_first),
        RULES_TEST(a_walk_goes_on_after_a_rule_that_is_here_or_is_gone),
        RULES_TEST(the_operator_suspends_and_resumes),
        RULES_TEST(a_data_plane_at_rest_releases_at_once),
        cmocka_unit_test(state_names_parse_back),
        RULES_TEST(a_rule_beyond_the_peers_limit_waits_for_a_place),
        RULES_TEST(rules_that_find_no_memory_are_told_once),
        RULES_TEST(a_refused_rule_takes_no_place),
        RULES_TEST(a_rule_moves_with_its_best_path_to_another_policy),
        RULES_TEST(a_refused_rule_of_the_configuration_is_a_warning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
