/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard's window, what it says of a rule, and the circuit breaker's scopes that are watched in it. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/breaker.h"
#include "control/guard.h"
#include "control/internal.h"
#include "control/window.h"
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
static void see_in(uint16_t vrf, unsigned count, uint8_t host, uint8_t protocol, uint16_t length)
{
    const struct pkt_key key = {.family = IP_V4,
                                .dst = {203, 0, 113, host},
                                .protocol = protocol,
                                .length = length,
                                .has = PKT_HAS_PORTS,
                                .dst_port = 443};

    for (unsigned i = 0; i < count; i++)
        guard_add(guard, &key, vrf, now);
}

static void see(unsigned count, uint8_t host, uint8_t protocol, uint16_t length)
{
    see_in(0, count, host, protocol, length);
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

/* All of a small VRF is little of everything, and is seen all the same: packets, too, which counters tell only as a
 * sum. */
static void each_vrf_is_watched_by_itself(void **state)
{
    static const struct {
        double *limit;
        const char *words;
    } CASES[] = {
        {&limits.max_drop_share, "100.0 % of all packets in VRF default for 10 s, more than max-drop-share 60 %"},
        {&limits.max_byte_share, "100.0 % of all octets in VRF default for 10 s, more than max-byte-share 60 %"},
        {&limits.max_protocol_share,
         "100.0 % of protocol 17 in VRF default for 10 s, more than max-protocol-share 60 %"},
        {&limits.max_destination_share,
         "100.0 % to 203.0.113.1 in VRF default for 10 s, more than max-destination-share 60 %"},
    };
    struct bench *bench = *state;

    see_in(1, 3000, 1, 17, 1400); /* in the other VRF that very address is another host, which loses nothing */
    see_in(0, 200, 1, 17, 100);
    see_in(2, 99, 1, 17, 100); /* too few to say anything of */
    struct rule *rule = rule_for(bench, "match destination 203.0.113.1/32 then discard", 1);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        limits.max_drop_share = limits.max_byte_share = 100;
        limits.max_protocol_share = limits.max_destination_share = 0;
        *CASES[i].limit = 60;
        watch();
        pass(12);
        assert_int_equal(rule->state, RULE_SUSPENDED);
        assert_non_null(strstr(rule->reason, CASES[i].words));
        fake_dataplane_release(bench->dp);
        assert_true(rules_resume(bench->rules, rule->id, "test", (char[256]){0}, 256));
        rule->approved_for = 0; /* as if nobody had looked */
    }
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

/* `count` 0: of the default VRF. */
static void judge_in(const char *text, uint16_t count, const uint16_t *numbers, struct pol_verdict *verdict)
{
    const struct pol_vrfs importing = {.importing = count, .feasible = count, .trusted = true, .why = ""};
    struct vrf_set *vrfs = calloc(1, sizeof *vrfs + count * sizeof vrfs->numbers[0]);
    struct guard_question question;
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    assert_non_null(vrfs);
    vrfs->count = count;
    for (uint16_t i = 0; i < count; i++)
        vrfs->numbers[i] = numbers[i];
    assert_true(fs_text_parse(text, &rule, &actions, &error));
    struct pol_candidate candidate = {.rule = rule, .actions = &actions, .vrfs = count > 0 ? &importing : NULL};
    guard_prepare(guard, count > 0 ? vrfs : NULL, &question, &candidate);
    pol_judge(&candidate, verdict);
    fs_rule_free(rule);
    free(vrfs);
}

static void judge(const char *text, struct pol_verdict *verdict)
{
    judge_in(text, 0, NULL, verdict);
}

static void the_window_is_bounded_in_number_and_in_time(void **state)
{
    (void)state;
    watch();
    see(WINDOW_SIZE - 1, 1, 6, 100);
    assert_int_equal(window_count(guard_window(guard)), WINDOW_SIZE - 1);
    see(1000, 2, 17, 100);
    assert_int_equal(window_count(guard_window(guard)), WINDOW_SIZE); /* the oldest went */
    now += 5 * MONO_MS_PER_S;
    see(500, 3, 17, 100);
    guard_collect(guard, now + 4 * MONO_MS_PER_S);
    assert_int_equal(window_count(guard_window(guard)), WINDOW_SIZE);
    guard_collect(guard, now + 6 * MONO_MS_PER_S); /* of 10 s: those of before are too old */
    assert_int_equal(window_count(guard_window(guard)), 500);
    guard_collect(guard, now + 11 * MONO_MS_PER_S);
    assert_int_equal(window_count(guard_window(guard)), 0);
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
        see(WINDOW_SIZE, (uint8_t)i, 17, 1400);
    see(WINDOW_SIZE / 4 * 3, 1, 6, 100);
    see(WINDOW_SIZE / 4, 2, 17, 100);
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

/* A rule is tried on the traffic of the VRFs that it is for, and those of a rule without any are the default one. */
static void a_rule_is_measured_by_the_traffic_of_its_vrfs(void **state)
{
    static const struct {
        const char *text;
        uint16_t vrfs[2], count;
        uint32_t taken, seen; /* taken 0: nothing is said */
    } CASES[] = {
        {"match destination 203.0.113.1/32 then discard", {0}, 0, 200, 400},
        {"match destination 203.0.113.2/32 then discard", {0}, 0, 200, 400},
        {"match rd 65000:1 destination 203.0.113.1/32 then discard", {1}, 1, 0, 0},
        {"match rd 65000:1 destination 203.0.113.2/32 then discard", {1}, 1, 1600, 1600},
        {"match rd 65000:1 destination 203.0.113.2/32 then discard", {1, 2}, 2, 1600, 2000},
        {"match rd 65000:1 destination 203.0.113.1/32 then discard", {2}, 1, 400, 400},
        {"match rd 65000:1 destination 203.0.113.1/32 then discard", {3}, 1, 0, 0}, /* without traffic */
    };
    struct pol_verdict verdict;
    char words[80];

    (void)state;
    limits.max_drop_share = 30;
    watch();
    see_in(0, 200, 1, 17, 100);
    see_in(0, 200, 2, 17, 100);
    see_in(1, 1600, 2, 17, 100);
    see_in(2, 400, 1, 17, 100);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        judge_in(CASES[i].text, CASES[i].count, CASES[i].vrfs, &verdict);
        assert_int_equal(verdict.state, CASES[i].taken > 0 ? POL_HELD : POL_ACTIVE);
        snprintf(words, sizeof words, "(%u of %u packets sampled", CASES[i].taken, CASES[i].seen);
        assert_true(CASES[i].taken == 0 || strstr(verdict.reason, words) != NULL);
        assert_true(CASES[i].taken == 0 ||
                    (strstr(verdict.reason, "% of all packets of its VRFs, ") != NULL) == (CASES[i].count > 0));
    }
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
        GUARD_TEST(each_vrf_is_watched_by_itself),
        GUARD_TEST(a_limit_counts_with_what_it_drops),
        GUARD_TEST(with_the_kill_switch_on_or_few_samples_nothing_trips),
        GUARD_TEST(the_window_is_bounded_in_number_and_in_time),
        GUARD_TEST(what_is_said_of_a_rule_is_of_the_window_alone),
        GUARD_TEST(a_rule_is_measured_by_the_traffic_of_its_vrfs),
        GUARD_TEST(a_guard_that_is_off_or_has_seen_little_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
