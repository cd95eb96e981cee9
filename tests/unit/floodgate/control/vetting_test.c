/* SPDX-License-Identifier: BSD-3-Clause */
/* Decisions on rules that outlive the moment: the operator's, those of time, of pace and of the circuit breaker. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "control/breaker.h"
#include "control/internal.h"
#include "control/rules_internal.h"
#include "policy/peer_policy.h"
#include "rules_bench.h"

#define NTP   "match destination 203.0.113.7/32 protocol =udp source-port =123"
#define OTHER "match destination 203.0.113.8/32"

static char why[256];

static void judge_policies_again(struct bench *bench)
{
    bench->peer.judge_again = bench->other.judge_again = true;
    rules_judge_again(bench->rules, false);
    bench->peer.judge_again = bench->other.judge_again = false;
}

/* ---- whose word it is ---- */

static void what_was_promoted_for_one_peer_is_not_for_another(void **state)
{
    struct bench *bench = *state;
    const struct pol_peer_policy trial = {.name = "trial", .dry_run = true};

    bench->peer.policy = bench->other.policy = &trial;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");
    assert_int_equal(rule->state, RULE_DRY_RUN);
    assert_true(rules_promote(bench->rules, rule->id, "test", why, sizeof why));
    assert_int_equal(rule->state, RULE_ACTIVE);
    announce(bench, &bench->other, NTP " then discard");
    assert_ptr_equal(rule->source, &bench->peer);
    withdraw(bench, &bench->peer, NTP);
    assert_ptr_equal(rule->source, &bench->other);
    assert_int_equal(rule->state, RULE_DRY_RUN);
    announce(bench, &bench->peer, NTP " then discard"); /* the better path again */
    assert_ptr_equal(rule->source, &bench->peer);
    assert_int_equal(rule->state, RULE_ACTIVE);
}

static void an_approval_is_for_one_peer_and_for_these_actions(void **state)
{
    struct bench *bench = *state;
    struct rule *rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then discard");

    rule->suspended_by_operator = true;
    assert_true(rules_resume(bench->rules, rule->id, "test", why, sizeof why)); /* approves, too */
    assert_true(rule_is_approved(rule));
    announce(bench, &bench->other, NTP " then discard");
    withdraw(bench, &bench->peer, NTP);
    assert_false(rule_is_approved(rule));
    announce(bench, &bench->peer, NTP " then discard");
    assert_true(rule_is_approved(rule));
    announce(bench, &bench->peer, NTP " then rate-limit 1mbps");
    assert_false(rule_is_approved(rule));
}

/* ---- time ---- */

static void the_age_of_a_rule_is_that_of_its_peers_announcement(void **state)
{
    struct bench *bench = *state;
    struct rule *rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then discard");

    rules_expire(bench->rules, rule->id, RULE_TOO_OLD);
    assert_int_equal(rule->state, RULE_REJECTED);
    announce(bench, &bench->other, NTP " then discard");
    assert_int_equal(rule->state, RULE_REJECTED); /* the best path is still the old one */
    withdraw(bench, &bench->peer, NTP);
    assert_int_equal(rule->state, RULE_ACTIVE);
}

static void a_raised_max_age_brings_rules_back(void **state)
{
    struct bench *bench = *state;
    struct pol_peer_policy policy = {.name = "aging", .max_age_s = 10};

    bench->peer.policy = &policy;
    struct rule *rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then discard");
    rule->since_ms -= 20 * MONO_MS_PER_S;
    rules_expire(bench->rules, rule->id, RULE_TOO_OLD);
    judge_policies_again(bench);
    assert_int_equal(rule->state, RULE_REJECTED);
    policy.max_age_s = 15;
    judge_policies_again(bench);
    assert_int_equal(rule->state, RULE_REJECTED);
    policy.max_age_s = 600;
    judge_policies_again(bench);
    assert_int_equal(rule->state, RULE_ACTIVE);
    rules_expire(bench->rules, rule->id, RULE_TOO_OLD);
    policy.max_age_s = 0;
    judge_policies_again(bench);
    assert_int_equal(rule->state, RULE_ACTIVE);
}

static void a_raised_idle_age_brings_rules_back(void **state)
{
    struct bench *bench = *state;
    struct pol_peer_policy policy = {.name = "aging", .idle_age_s = 10};

    bench->peer.policy = &policy;
    struct rule *rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then discard");
    rule->since_ms -= 100 * MONO_MS_PER_S;
    bench->dp->counters[rule->id].last_hit_tsc = (uint64_t)time(NULL) - 30;
    rules_expire(bench->rules, rule->id, RULE_IDLE);
    judge_policies_again(bench);
    assert_int_equal(rule->state, RULE_REJECTED);
    policy.idle_age_s = 60;
    judge_policies_again(bench);
    assert_int_equal(rule->state, RULE_ACTIVE);
}

static void the_sweep_retires_by_the_policys_ages(void **state)
{
    struct bench *bench = *state;
    const struct pol_peer_policy old = {.name = "old", .max_age_s = 10}, idle = {.name = "idle", .idle_age_s = 10};
    const struct cfg_guard none = {.set = false};
    struct breaker *breaker = breaker_create(bench->dp, bench->rules, NULL, &bench_log);

    breaker_configure(breaker, &none);
    bench->peer.policy = &old;
    bench->other.policy = &idle;
    const struct rule *aged = announce(bench, &bench->peer, NTP " then discard");
    const struct rule *unused = announce(bench, &bench->other, OTHER " then discard");
    mono_ms_t now = control_now();
    breaker_tick(breaker, now + 9 * MONO_MS_PER_S);
    assert_int_equal(aged->state, RULE_ACTIVE);
    assert_int_equal(unused->state, RULE_ACTIVE);
    bench->dp->counters[unused->id].last_hit_tsc = (uint64_t)time(NULL) + 3600; /* no clock goes backwards */
    breaker_tick(breaker, now + 11 * MONO_MS_PER_S);
    assert_int_equal(aged->state, RULE_REJECTED);
    assert_memory_equal(aged->reason, "max-age:", 8);
    assert_int_equal(unused->state, RULE_ACTIVE);
    bench->dp->counters[unused->id].last_hit_tsc = 0;
    breaker_tick(breaker, now + 22 * MONO_MS_PER_S);
    assert_int_equal(unused->state, RULE_REJECTED);
    assert_memory_equal(unused->reason, "idle-age:", 9);
    breaker_free(breaker);
}

/* ---- pace ---- */

static void changes_beyond_the_rate_wait_in_their_order(void **state)
{
    struct bench *bench = *state;
    const struct pol_peer_policy slow = {.name = "slow", .max_changes_per_s = 2};
    char text[96];

    bench->peer.policy = &slow;
    for (unsigned i = 0; i < 9; i++) {
        snprintf(text, sizeof text, "match destination 203.0.113.%u/32 then discard", i);
        const struct rule *rule = announce(bench, &bench->peer, text);
        assert_int_equal(rule->state, i < 2 ? RULE_ACTIVE : RULE_HELD);
    }
    assert_int_equal(rules_delayed(bench->rules), 7);
    mono_ms_t now = control_now();
    rules_pace_tick(bench->rules, now + MONO_MS_PER_S);
    assert_int_equal(rules_delayed(bench->rules), 5);
    assert_int_equal(find(bench, "match destination 203.0.113.3/32")->state, RULE_ACTIVE);
    assert_int_equal(find(bench, "match destination 203.0.113.4/32")->state, RULE_HELD);
    withdraw(bench, &bench->peer, "match destination 203.0.113.4/32"); /* never waits */
    assert_int_equal(rules_delayed(bench->rules), 4);
    rules_pace_tick(bench->rules, now + 3600 * MONO_MS_PER_S); /* an hour's rest is worth no more than a second's */
    assert_int_equal(rules_delayed(bench->rules), 2);
    assert_int_equal(find(bench, "match destination 203.0.113.6/32")->state, RULE_ACTIVE);
}

static void a_change_that_waits_leaves_what_is_in_force(void **state)
{
    struct bench *bench = *state;
    const struct pol_peer_policy slow = {.name = "slow", .max_changes_per_s = 1};

    bench->peer.policy = &slow;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");
    announce(bench, &bench->peer, NTP " then mark 8");
    assert_true(rule->delayed);
    assert_int_equal(rule->state, RULE_ACTIVE);
    assert_true(bench->dp->slots[rule->id].program.discard);
    rules_pace_tick(bench->rules, control_now() + MONO_MS_PER_S);
    assert_false(bench->dp->slots[rule->id].program.discard);
    assert_true(bench->dp->slots[rule->id].program.mark);
}

/* A reload does not wait: what the new policy refuses is out, and what it allows is in, at once. */
static void a_reload_judges_what_waits_and_is_in_force(void **state)
{
    struct bench *bench = *state;
    struct pol_peer_policy slow = {.name = "slow", .max_changes_per_s = 1};

    bench->peer.policy = &slow;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");
    announce(bench, &bench->peer, NTP " then mark 8");
    const struct rule *waits = announce(bench, &bench->peer, OTHER " then discard");
    slow.actions = POL_ACTION_RATE_LIMIT;
    judge_policies_again(bench);
    assert_int_equal(rule->state, RULE_REJECTED);
    assert_false(rule->in_force);
    assert_int_equal(waits->state, RULE_HELD); /* takes nothing: it is judged at its turn */
    rules_pace_tick(bench->rules, control_now() + MONO_MS_PER_S);
    assert_int_equal(waits->state, RULE_REJECTED);
}

static void what_waits_and_may_not_be_any_more_does_not_wait(void **state)
{
    struct bench *bench = *state;
    struct pol_peer_policy slow = {.name = "slow", .max_changes_per_s = 1};

    bench->peer.policy = &slow;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");
    announce(bench, &bench->peer, NTP " then mark 8");
    rules_judge_one(bench->rules, (struct rule *)(uintptr_t)rule); /* a route changed and nothing came of it */
    assert_true(rule->delayed && rule->in_force);
    slow.forbidden = 1u << FS_SOURCE_PORT;
    rules_judge_one(bench->rules, (struct rule *)(uintptr_t)rule);
    assert_false(rule->delayed || rule->in_force);
    assert_int_equal(rule->state, RULE_REJECTED);
}

/* ---- the circuit breaker ---- */

static const struct cfg_guard LIMIT_40 = {.set = true, .breaker = true, .max_drop_share = 40, .window_s = 1};

/* A second in which so many packets came and this rule, and that one, dropped so many. */
static void second_passes(struct bench *bench, uint64_t packets, const struct rule *first, uint64_t first_dropped,
                          const struct rule *second, uint64_t second_dropped)
{
    bench->dp->seen.rx_packets += packets;
    bench->dp->seen.drops[CNT_DROP_FLOWSPEC_DISCARD] += first_dropped + second_dropped;
    bench->dp->counters[first->id].dropped_packets += first_dropped;
    bench->dp->counters[second->id].dropped_packets += second_dropped;
}

struct breaker_bench {
    struct breaker *breaker;
    struct rule *old, *fresh;
    mono_ms_t now;
};

static struct breaker_bench breaker_set_up(struct bench *bench)
{
    struct breaker_bench b = {.breaker = breaker_create(bench->dp, bench->rules, NULL, &bench_log),
                              .now = control_now()};

    breaker_configure(b.breaker, &LIMIT_40);
    b.old = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then discard");
    b.fresh = (struct rule *)(uintptr_t)announce(bench, &bench->peer, OTHER " then discard");
    b.fresh->since_ms += 5 * MONO_MS_PER_S;
    breaker_tick(b.breaker, b.now);
    return b;
}

static void the_newest_rule_goes_first_and_only_as_many_as_needed(void **state)
{
    struct bench *bench = *state;
    struct breaker_bench b = breaker_set_up(bench);
    struct breaker_info info;

    for (unsigned i = 1; i <= 8; i++) {
        second_passes(bench, 250, b.old, 50, b.fresh, 150);
        breaker_tick(b.breaker, b.now + i * BREAKER_TICK_MS);
    }
    assert_int_equal(b.fresh->state, RULE_SUSPENDED);
    assert_memory_equal(b.fresh->reason, "breaker: rules dropped 80.0 %", 29);
    assert_int_equal(b.old->state, RULE_ACTIVE); /* 20 % alone */
    breaker_info_get(b.breaker, &info);
    assert_int_equal(info.trips, 1);
    breaker_free(b.breaker);
}

static void of_one_second_the_widest_goes_first(void **state)
{
    struct bench *bench = *state;
    struct breaker *breaker = breaker_create(bench->dp, bench->rules, NULL, &bench_log);
    const struct rule *narrow = announce(bench, &bench->peer, NTP " then discard");
    struct rule *wide =
        (struct rule *)(uintptr_t)announce(bench, &bench->peer, "match destination 203.0.0.0/16 then discard");
    mono_ms_t now = control_now();

    wide->since_ms = narrow->since_ms / MONO_MS_PER_S * MONO_MS_PER_S; /* a little older, in the same second */
    breaker_configure(breaker, &LIMIT_40);
    breaker_tick(breaker, now);
    for (unsigned i = 1; i <= 8; i++) {
        second_passes(bench, 250, narrow, 75, wide, 75);
        breaker_tick(breaker, now + i * BREAKER_TICK_MS);
    }
    assert_int_equal(wide->state, RULE_SUSPENDED);
    assert_int_equal(narrow->state, RULE_ACTIVE);
    breaker_free(breaker);
}

static void within_the_limit_or_before_the_window_is_over_nothing_trips(void **state)
{
    struct bench *bench = *state;
    struct breaker_bench b = breaker_set_up(bench);

    for (unsigned i = 1; i <= 40; i++) {
        second_passes(bench, 250, b.old, 50, b.fresh, 50); /* just 40 % */
        breaker_tick(b.breaker, b.now + i * BREAKER_TICK_MS);
    }
    second_passes(bench, 250, b.old, 50, b.fresh, 200); /* a quarter of the window: on average 55 % */
    breaker_tick(b.breaker, b.now + 41 * BREAKER_TICK_MS);
    assert_int_equal(b.fresh->state, RULE_SUSPENDED);
    breaker_free(b.breaker);
}

/* Drops are read a moment after packets, so that they can be more: a limit of 100 % is none all the same. */
static void no_more_than_all_was_dropped(void **state)
{
    static const struct cfg_guard LIMIT_100 = {.set = true, .breaker = true, .max_drop_share = 100, .window_s = 1};
    struct bench *bench = *state;
    struct breaker_bench b = breaker_set_up(bench);
    struct breaker_info info;

    breaker_configure(b.breaker, &LIMIT_100);
    for (unsigned i = 1; i <= 8; i++) {
        second_passes(bench, 250, b.old, 0, b.fresh, 251);
        breaker_tick(b.breaker, b.now + i * BREAKER_TICK_MS);
    }
    assert_int_equal(b.fresh->state, RULE_ACTIVE);
    breaker_info_get(b.breaker, &info);
    assert_true(info.packet_share > 99 && info.packet_share <= 100);
    breaker_free(b.breaker);
}

static void what_was_approved_stays_and_that_is_said(void **state)
{
    struct bench *bench = *state;
    struct breaker_bench b = breaker_set_up(bench);

    b.old->approved_for = b.fresh->approved_for = bench->peer.rib.number;
    unsigned errors = bench->errors;
    for (unsigned i = 1; i <= 8; i++) {
        second_passes(bench, 250, b.old, 50, b.fresh, 150);
        breaker_tick(b.breaker, b.now + i * BREAKER_TICK_MS);
    }
    assert_int_equal(b.fresh->state, RULE_ACTIVE);
    assert_int_equal(b.old->state, RULE_ACTIVE);
    assert_true(bench->errors > errors && bench->errors <= errors + 2); /* once a window */
    assert_non_null(strstr(bench->last_line, "none is left to suspend"));
    breaker_free(b.breaker);
}

#define VETTING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VETTING_TEST(what_was_promoted_for_one_peer_is_not_for_another),
        VETTING_TEST(an_approval_is_for_one_peer_and_for_these_actions),
        VETTING_TEST(the_age_of_a_rule_is_that_of_its_peers_announcement),
        VETTING_TEST(a_raised_max_age_brings_rules_back),
        VETTING_TEST(a_raised_idle_age_brings_rules_back),
        VETTING_TEST(the_sweep_retires_by_the_policys_ages),
        VETTING_TEST(changes_beyond_the_rate_wait_in_their_order),
        VETTING_TEST(a_change_that_waits_leaves_what_is_in_force),
        VETTING_TEST(a_reload_judges_what_waits_and_is_in_force),
        VETTING_TEST(what_waits_and_may_not_be_any_more_does_not_wait),
        VETTING_TEST(the_newest_rule_goes_first_and_only_as_many_as_needed),
        VETTING_TEST(of_one_second_the_widest_goes_first),
        VETTING_TEST(within_the_limit_or_before_the_window_is_over_nothing_trips),
        VETTING_TEST(no_more_than_all_was_dropped),
        VETTING_TEST(what_was_approved_stays_and_that_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
