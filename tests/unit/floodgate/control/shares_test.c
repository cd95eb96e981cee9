/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard's window, what it says of a rule, and the circuit breaker's scopes that are watched in it. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "control/breaker.h"
#include "control/guard.h"
#include "control/internal.h"
#include "flowspec/text.h"
#include "packet/key.h"
#include "rules_bench.h"

static struct guard *guard;
static struct breaker *breaker;
static struct cfg_guard limits;
static mono_ms_t now;

static int set_up_guard(void **state)
{
    set_up(state);
    struct bench *bench = *state;
    limits = (struct cfg_guard){.set = true,
                                .breaker = true,
                                .max_drop_share = 100,
                                .max_byte_share = 100,
                                .window_s = 10,
                                .sample = 1,
                                .min_samples = 100,
                                .hold_time_s = 3600,
                                .on_breach = CFG_BREACH_HOLD};
    guard = guard_create(bench->dp);
    breaker = breaker_create(bench->dp, bench->rules, guard, &bench_log);
    now = control_now();
    return 0;
}

static int tear_down_guard(void **state)
{
    breaker_free(breaker);
    guard_free(guard);
    return tear_down(state);
}

/* So many packets of that length to 203.0.113.HOST. */
static void see(unsigned count, uint8_t host, uint8_t protocol, uint16_t length)
{
    const struct pkt_key key = {.family = IP_V4,
                                .dst = {203, 0, 113, host},
                                .protocol = protocol,
                                .length = length,
                                .has = PKT_HAS_PORTS,
                                .dst_port = 443};

    for (unsigned i = 0; i < count; i++)
        guard_add(guard, &key, now);
}

static struct rule *rule_for(struct bench *bench, const char *text, double dropped_part)
{
    struct rule *rule = (struct rule *)(uintptr_t)announce(bench, &bench->peer, text);

    bench->dp->counters[rule->id].packets = 1000;
    bench->dp->counters[rule->id].dropped_packets = (uint64_t)(1000 * dropped_part);
    return rule;
}

static void watch(void)
{
    guard_configure(guard, &limits);
    breaker_configure(breaker, &limits);
}

/* Seconds pass, a look each; the window's packets stay. */
static void pass(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++)
        breaker_tick(breaker, now += MONO_MS_PER_S);
}

static void octets_over_their_limit_for_a_window_trip(void **state)
{
    struct bench *bench = *state;

    limits.max_byte_share = 40;
    watch();
    see(900, 1, 6, 100);
    see(100, 2, 17, 1400); /* a tenth of the packets, 61 % of the octets */
    struct rule *rule = rule_for(bench, "match destination 203.0.113.2/32 then discard", 1);
    pass(10);
    assert_int_equal(rule->state, RULE_ACTIVE);
    pass(2);
    assert_int_equal(rule->state, RULE_SUSPENDED);
    assert_memory_equal(rule->reason,
                        "breaker: rules dropped 60.9 % of all octets for 10 s, more than max-byte-share 40 %", 80);
    struct breaker_info info;
    breaker_info_get(breaker, &info);
    assert_int_equal(info.trips, 1);
    fake_dataplane_release(bench->dp);
    assert_true(rules_resume(bench->rules, rule->id, "test", (char[256]){0}, 256));
    assert_true(rule->in_force);
    pass(30);
    assert_int_equal(rule->state, RULE_ACTIVE); /* resumed by somebody who knows */
    assert_non_null(strstr(bench->last_line, "none is left to suspend"));
}

static void one_protocol_has_its_limit(void **state)
{
    struct bench *bench = *state;

    limits.max_protocol_share = 50;
    watch();
    see(900, 1, 6, 100);
    see(100, 2, 17, 100);
    struct rule *udp = rule_for(bench, "match protocol =udp then discard", 1);
    struct rule *some = rule_for(bench, "match destination 203.0.113.1/32 dscp =7 then discard", 1); /* takes none */
    pass(12);
    assert_int_equal(udp->state, RULE_SUSPENDED);
    assert_non_null(strstr(udp->reason, "100.0 % of protocol 17 for 10 s, more than max-protocol-share 50 %"));
    assert_int_equal(some->state, RULE_ACTIVE);
}

static void a_part_that_is_next_to_nothing_is_no_scope(void **state)
{
    struct bench *bench = *state;

    limits.max_protocol_share = 50;
    limits.max_destination_share = 50;
    watch();
    see(980, 1, 6, 100);
    see(20, 2, 17, 100); /* one packet in fifty */
    struct rule *rule = rule_for(bench, "match destination 203.0.113.2/32 then discard", 1);
    pass(30);
    assert_int_equal(rule->state, RULE_ACTIVE);
}

static void of_one_destination_only_as_much_as_needed_is_suspended(void **state)
{
    struct bench *bench = *state;

    limits.max_destination_share = 60;
    watch();
    see(300, 1, 6, 100);
    see(200, 1, 17, 100);
    see(500, 2, 6, 100);
    struct rule *tcp = rule_for(bench, "match destination 203.0.113.1/32 protocol =tcp then discard", 1);
    struct rule *udp = rule_for(bench, "match destination 203.0.113.1/32 protocol =udp then discard", 1);
    udp->since_ms += 5 * MONO_MS_PER_S; /* the newer one */
    pass(12);
    assert_int_equal(udp->state, RULE_SUSPENDED);
    assert_non_null(strstr(udp->reason, "100.0 % to 203.0.113.1 for 10 s, more than max-destination-share 60 %"));
    assert_int_equal(tcp->state, RULE_ACTIVE); /* 60 % alone: not above */
}

static void a_limit_counts_with_what_it_drops(void **state)
{
    struct bench *bench = *state;

    limits.max_destination_share = 60;
    watch();
    see(1000, 1, 17, 100);
    struct rule *rule = rule_for(bench, "match destination 203.0.113.1/32 then rate-limit 1mbps", 0.5);
    pass(30);
    assert_int_equal(rule->state, RULE_ACTIVE);
    bench->dp->counters[rule->id].dropped_packets = 700;
    pass(12);
    assert_int_equal(rule->state, RULE_SUSPENDED);
}

static void with_the_kill_switch_on_or_few_samples_nothing_trips(void **state)
{
    struct bench *bench = *state;

    limits.max_destination_share = 60;
    watch();
    see(99, 1, 17, 100);
    struct rule *rule = rule_for(bench, "match destination 203.0.113.1/32 then discard", 1);
    pass(30);
    assert_int_equal(rule->state, RULE_ACTIVE);
    see(1, 1, 17, 100);
    dataplane_bypass(bench->dp, true);
    pass(30);
    assert_int_equal(rule->state, RULE_ACTIVE);
    dataplane_bypass(bench->dp, false);
    pass(12);
    assert_int_equal(rule->state, RULE_SUSPENDED);
}

/* ---- the window ---- */

static void judge(const char *text, struct pol_verdict *verdict)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    assert_true(fs_text_parse(text, &rule, &actions, &error));
    struct pol_candidate candidate = {.rule = rule, .actions = &actions};
    guard_prepare(guard, &candidate);
    pol_judge(&candidate, verdict);
    fs_rule_free(rule);
}

static void the_window_is_bounded_in_number_and_in_time(void **state)
{
    (void)state;
    watch();
    see(GUARD_WINDOW - 1, 1, 6, 100);
    assert_int_equal(guard_samples(guard), GUARD_WINDOW - 1);
    see(1000, 2, 17, 100);
    assert_int_equal(guard_samples(guard), GUARD_WINDOW); /* the oldest went */
    now += 5 * MONO_MS_PER_S;
    see(500, 3, 17, 100);
    guard_collect(guard, now + 4 * MONO_MS_PER_S);
    assert_int_equal(guard_samples(guard), GUARD_WINDOW);
    guard_collect(guard, now + 6 * MONO_MS_PER_S); /* of 10 s: those of before are too old */
    assert_int_equal(guard_samples(guard), 500);
    guard_collect(guard, now + 11 * MONO_MS_PER_S);
    assert_int_equal(guard_samples(guard), 0);
}

/* The sums that go along with the window are those of what is in it, however often it was filled. */
static void what_is_said_of_a_rule_is_of_the_window_alone(void **state)
{
    struct pol_verdict verdict;

    (void)state;
    limits.max_drop_share = 30;
    limits.window_s = 3600;
    watch();
    for (unsigned i = 0; i < 5; i++)
        see(GUARD_WINDOW, (uint8_t)i, 17, 1400);
    see(GUARD_WINDOW / 4 * 3, 1, 6, 100);
    see(GUARD_WINDOW / 4, 2, 17, 100);
    judge("match protocol =udp then discard", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE); /* a quarter */
    judge("match protocol =tcp then discard", &verdict);
    assert_int_equal(verdict.state, POL_HELD);
    assert_memory_equal(verdict.reason,
                        "blast-radius: would take 75.0 % of all packets, more than max-drop-share 30 % (3072 of 4096",
                        90);
    assert_non_null(strstr(verdict.reason, "it takes packets to 203.0.113.1 (100 %); tcp 443 (100 %)"));
    judge("match destination 203.0.113.1/32 then accept", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE); /* takes nothing */
    limits.max_drop_share = 100;
    limits.max_byte_share = 70;
    watch();
    judge("match protocol =tcp then discard", &verdict);
    assert_non_null(strstr(verdict.reason, "75.0 % of all octets"));
}

static void a_guard_that_is_off_or_has_seen_little_says_nothing(void **state)
{
    struct bench *bench = *state;
    struct pol_verdict verdict;

    limits.max_drop_share = 1;
    watch();
    assert_int_equal(bench->dp->sample_every, 1);
    see(99, 1, 6, 100);
    judge("match protocol =tcp then discard", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    see(1, 1, 6, 100);
    judge("match protocol =tcp then discard", &verdict);
    assert_int_equal(verdict.state, POL_HELD);
    limits.set = false;
    watch();
    assert_int_equal(bench->dp->sample_every, 0);
    judge("match protocol =tcp then discard", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
}

#define GUARD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_guard, tear_down_guard)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARD_TEST(octets_over_their_limit_for_a_window_trip),
        GUARD_TEST(one_protocol_has_its_limit),
        GUARD_TEST(a_part_that_is_next_to_nothing_is_no_scope),
        GUARD_TEST(of_one_destination_only_as_much_as_needed_is_suspended),
        GUARD_TEST(a_limit_counts_with_what_it_drops),
        GUARD_TEST(with_the_kill_switch_on_or_few_samples_nothing_trips),
        GUARD_TEST(the_window_is_bounded_in_number_and_in_time),
        GUARD_TEST(what_is_said_of_a_rule_is_of_the_window_alone),
        GUARD_TEST(a_guard_that_is_off_or_has_seen_little_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
