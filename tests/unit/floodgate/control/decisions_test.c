/* SPDX-License-Identifier: BSD-3-Clause */
/* What was decided about rules outlives their absence, and a restart. */
#include "cm.h"

#include <string.h>
#include <time.h>

#include "control/decisions.h"
#include "control/internal.h"
#include "control/journal.h"
#include "control/rules_internal.h"
#include "rules_bench.h"

#define NTP "match destination 203.0.113.7/32 protocol =udp source-port =123"

static char why[256];
static struct decisions *decisions;

static int set_up_decisions(void **state)
{
    set_up(state);
    struct bench *bench = *state;
    decisions = decisions_create();
    rules_remember_in(bench->rules, decisions);
    return 0;
}

static int tear_down_decisions(void **state)
{
    tear_down(state);
    decisions_free(decisions);
    return 0;
}

/* An entry of the journal, so long ago. */
static void replay(const char *event, const char *peer, const char *text, double age_s)
{
    const struct journal_entry entry = {
        .event = event, .peer = peer, .state = "", .step = "operator", .by = "uid 0", .text = text, .reason = ""};

    decisions_replay(decisions, &entry, age_s, control_now());
}

static void a_suspended_rule_is_suspended_when_it_comes_again(void **state)
{
    struct bench *bench = *state;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");

    assert_true(rules_suspend(bench->rules, rule->id, "test", why, sizeof why));
    withdraw(bench, &bench->peer, NTP);
    assert_int_equal(decisions_count(decisions), 1);
    rule = announce(bench, &bench->other, NTP " then discard"); /* another peer's */
    assert_int_equal(rule->state, RULE_ACTIVE);
    withdraw(bench, &bench->other, NTP);
    rule = announce(bench, &bench->peer, NTP " then rate-limit 1mbps"); /* whatever its actions */
    assert_int_equal(rule->state, RULE_SUSPENDED);
    assert_int_equal(decisions_count(decisions), 0);
    assert_true(rules_resume(bench->rules, rule->id, "test", why, sizeof why));
    assert_int_equal(rule->state, RULE_ACTIVE);
}

static void what_the_breaker_suspended_stays_so_over_a_flap(void **state)
{
    struct bench *bench = *state;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");

    rules_trip(bench->rules, rule->id, "breaker: too much");
    withdraw(bench, &bench->peer, NTP);
    rule = announce(bench, &bench->peer, NTP " then discard");
    assert_int_equal(rule->state, RULE_SUSPENDED);
    assert_string_equal(rule->reason, "breaker: too much");
}

static void an_approval_is_remembered_for_the_same_actions(void **state)
{
    struct bench *bench = *state;
    struct rule *rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then discard");

    rule->approved_for = bench->peer.rib.number;
    withdraw(bench, &bench->peer, NTP);
    rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then discard");
    assert_true(rule_is_approved(rule));
    withdraw(bench, &bench->peer, NTP);
    rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, NTP " then rate-limit 1mbps");
    assert_false(rule_is_approved(rule));
}

static void after_an_hour_it_is_forgotten(void **state)
{
    struct bench *bench = *state;
    const struct rule *rule = announce(bench, &bench->peer, NTP " then discard");

    assert_true(rules_suspend(bench->rules, rule->id, "test", why, sizeof why));
    withdraw(bench, &bench->peer, NTP);
    decisions_age(decisions, control_now() + (DECISIONS_KEPT_S - 1) * MONO_MS_PER_S);
    assert_int_equal(decisions_count(decisions), 1);
    decisions_age(decisions, control_now() + (DECISIONS_KEPT_S + 1) * MONO_MS_PER_S);
    assert_int_equal(decisions_count(decisions), 0);
    assert_int_equal(announce(bench, &bench->peer, NTP " then discard")->state, RULE_ACTIVE);
}

/* Who deletes a rule of one's own and adds it again wants it as it is. */
static void rules_of_our_own_begin_anew(void **state)
{
    struct bench *bench = *state;
    const struct rule *rule = announce(bench, &bench->config, NTP " then discard");

    assert_true(rules_suspend(bench->rules, rule->id, "test", why, sizeof why));
    withdraw(bench, &bench->config, NTP);
    assert_int_equal(announce(bench, &bench->config, NTP " then discard")->state, RULE_ACTIVE);
}

static void the_journal_says_what_was_decided_before_a_restart(void **state)
{
    struct bench *bench = *state;

    replay("suspend", "detector", NTP " then discard", 90000);
    replay("dry-run", "second", "match destination 203.0.113.8/32 then discard", 90000);
    replay("verdict", "detector", "match destination 203.0.113.9/32 then discard", 90000);
    replay("suspend", "detector", "match destination 203.0.113.10/32 then discard", 10);
    replay("resume", "detector", "match destination 203.0.113.10/32 then discard", 9);
    replay("suspend", "configuration", "match destination 203.0.113.11/32 then discard", 90000);
    replay("suspend", "operator", "match destination 203.0.113.12/32 then discard", 9);
    assert_int_equal(decisions_count(decisions), 4);
    assert_int_equal(announce(bench, &bench->peer, NTP " then discard")->state, RULE_SUSPENDED);
    assert_int_equal(announce(bench, &bench->other, "match destination 203.0.113.8/32 then discard")->state,
                     RULE_DRY_RUN);
    assert_int_equal(announce(bench, &bench->peer, "match destination 203.0.113.9/32 then discard")->state,
                     RULE_ACTIVE);
    const struct rule *resumed = announce(bench, &bench->peer, "match destination 203.0.113.10/32 then discard");
    assert_int_equal(resumed->state, RULE_ACTIVE);
    assert_true(rule_is_approved(resumed));
    assert_int_equal(announce(bench, &bench->config, "match destination 203.0.113.11/32 then discard")->state,
                     RULE_SUSPENDED);
    assert_int_equal(decisions_count(decisions), 0);
}

static void a_rule_that_was_gone_has_what_is_left_of_its_hour(void **state)
{
    (void)state;
    replay("suspend", "detector", NTP " then discard", 90000);
    replay("withdrawn", "detector", NTP " then discard", DECISIONS_KEPT_S - 60);
    assert_int_equal(decisions_count(decisions), 1);
    decisions_age(decisions, control_now() + 61 * MONO_MS_PER_S);
    assert_int_equal(decisions_count(decisions), 0);
    replay("suspend", "detector", NTP " then discard", 90000);
    replay("withdrawn", "detector", NTP " then discard", DECISIONS_KEPT_S + 1);
    assert_int_equal(decisions_count(decisions), 0);
    replay("suspend", "configuration", NTP " then discard", 20);
    replay("withdrawn", "configuration", NTP " then discard", 10); /* from the file, by the operator */
    assert_int_equal(decisions_count(decisions), 0);
}

static void kill(const char *peer, const char *to)
{
    decisions_replay(decisions, &(struct journal_entry){.event = "kill-switch", .peer = peer, .state = to}, 0, 0);
}

static void the_last_word_about_a_kill_switch_counts(void **state)
{
    (void)state;
    assert_false(decisions_killed(decisions));
    kill("", "on");
    kill("detector", "on");
    kill("second", "on");
    kill("second", "off");
    assert_true(decisions_killed(decisions));
    assert_true(decisions_take_killed(decisions, "detector"));
    assert_false(decisions_take_killed(decisions, "detector")); /* it is the peer's own now */
    assert_false(decisions_take_killed(decisions, "second"));
    kill("", "off");
    assert_false(decisions_killed(decisions));
}

/* Reads what was added to the journal, as a restart does. */
static void on_entry(void *ctx, const struct journal_entry *entry)
{
    double age_s = (double)time(NULL) - (double)entry->time_ms / 1000;

    decisions_replay(ctx, entry, age_s, control_now());
}

/* The journal's files have gone twice since these were decided: what waits for its rule was written again. */
static void what_waits_for_its_rule_is_written_again(void **state)
{
    const struct cfg_journal memory = {.entries = 100};
    struct journal *journal = journal_open(&memory, NULL, &bench_log);
    struct decisions *fresh = decisions_create();
    struct bench *bench = *state;

    replay("suspend", "detector", NTP " then discard", 90000);
    replay("dry-run", "second", "match destination 203.0.113.8/32 then discard", 90000);
    replay("breaker", "detector", "match destination 203.0.113.9/32 then discard", 90000);
    replay("approve", "detector", "match destination 203.0.113.10/32 then discard", 90000);
    replay("promote", "detector", "match destination 203.0.113.11/32 then discard", 90000);
    replay("suspend", "detector", "match destination 203.0.113.12/32 then discard", 90000);
    replay("withdrawn", "detector", "match destination 203.0.113.12/32 then discard", DECISIONS_KEPT_S - 100);
    kill("third", "on");
    assert_int_equal(decisions_record(decisions, journal, control_now()), 8);
    journal_each(journal, &(struct journal_query){.limit = 100}, on_entry, fresh);
    journal_close(journal);
    assert_int_equal(decisions_count(fresh), 6);
    assert_true(decisions_take_killed(fresh, "third"));
    decisions_age(fresh, control_now() + 110 * MONO_MS_PER_S); /* what was withdrawn has no new hour */
    assert_int_equal(decisions_count(fresh), 5);
    rules_remember_in(bench->rules, fresh);
    assert_int_equal(announce(bench, &bench->peer, NTP " then discard")->state, RULE_SUSPENDED);
    assert_int_equal(announce(bench, &bench->other, "match destination 203.0.113.8/32 then discard")->state,
                     RULE_DRY_RUN);
    const struct rule *tripped = announce(bench, &bench->peer, "match destination 203.0.113.9/32 then discard");
    assert_int_equal(tripped->state, RULE_SUSPENDED);
    assert_memory_equal(tripped->reason, "breaker: ", 9);
    assert_true(rule_is_approved(announce(bench, &bench->peer, "match destination 203.0.113.10/32 then discard")));
    assert_int_equal(announce(bench, &bench->peer, "match destination 203.0.113.11/32 then discard")->promoted_for,
                     bench->peer.rib.number);
    assert_int_equal(decisions_count(fresh), 0);
    rules_remember_in(bench->rules, decisions);
    decisions_free(fresh);
}

#define DECISIONS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_decisions, tear_down_decisions)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DECISIONS_TEST(a_suspended_rule_is_suspended_when_it_comes_again),
        DECISIONS_TEST(what_the_breaker_suspended_stays_so_over_a_flap),
        DECISIONS_TEST(an_approval_is_remembered_for_the_same_actions),
        DECISIONS_TEST(after_an_hour_it_is_forgotten),
        DECISIONS_TEST(rules_of_our_own_begin_anew),
        DECISIONS_TEST(the_journal_says_what_was_decided_before_a_restart),
        DECISIONS_TEST(a_rule_that_was_gone_has_what_is_left_of_its_hour),
        DECISIONS_TEST(what_waits_for_its_rule_is_written_again),
        DECISIONS_TEST(the_last_word_about_a_kill_switch_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
