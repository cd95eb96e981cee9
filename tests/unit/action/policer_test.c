/* SPDX-License-Identifier: BSD-3-Clause */
/* Policers on a clock that the test moves: nothing here depends on how fast the machine is. */
#include "../cm.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "action/policer.h"

#define SECOND_NS   1000000000ull
#define YEAR_NS     (365ull * 24 * 3600 * SECOND_NS)
#define PACKETS_RUN 200000u

/* Offers packets of `bytes` at `offered_per_s` from *now_ns for `duration_ns`, in bursts of 32; how many pass. */
static uint64_t offer(struct act_limit *limit, uint64_t *now_ns, uint64_t duration_ns, double offered_per_s,
                      uint32_t bytes)
{
    double gap_ns = 32 * 1e9 / offered_per_s;
    uint64_t passed = 0, start_ns = *now_ns;

    for (double at = 0; at < (double)duration_ns; at += gap_ns) {
        struct act_meter meter = {.limit = NULL};
        for (unsigned i = 0; i < 32; i++)
            passed += act_meter_admit(&meter, limit, start_ns + (uint64_t)at, bytes);
        act_meter_close(&meter);
    }
    *now_ns = start_ns + duration_ns;
    return passed;
}

/* Rates from 1 kbit/s to 400 Gbit/s, offered the double, one second after the burst is spent. */
static void each_rate_holds_within_one_per_cent_over_a_second(void **state)
{
    const double rates[] = {125, 1250, 12500, 125e3, 1.25e6, 12.5e6, 125e6, 1.25e9, 12.5e9, 50e9};
    const uint32_t sizes[] = {20, 64, 46, 1500, 9000};

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            struct act_limit limit;
            uint64_t now_ns = YEAR_NS / 3;
            double packets_per_s = rates[i] / sizes[j];
            /* high rates: a hundredth of a second has packets enough, and is the sharper test */
            uint64_t span_ns = packets_per_s > 1e7 ? SECOND_NS / 100 : SECOND_NS;
            /* low rates: seconds enough for some packets */
            if (packets_per_s < 1000)
                span_ns = (uint64_t)(1000 / packets_per_s * 1e9);
            double offered = fmax(2 * packets_per_s, 32 * 1000 * 1e9 / (double)span_ns);
            act_limit_init(&limit, rates[i], 0, 100);
            act_policer_charge(&limit.bytes, now_ns, limit.bytes.burst);
            double got = (double)offer(&limit, &now_ns, span_ns, offered, sizes[j]);
            double want = packets_per_s * (double)span_ns / 1e9;
            if (fabs(got - want) > 0.01 * want + 1)
                fail_msg("%g B/s, packets of %u octets: %g passed, %g expected", rates[i], sizes[j], got, want);
        }
    }
}

static void packet_rates_hold_and_ignore_sizes(void **state)
{
    const double rates[] = {0.5, 1, 10, 1e3, 1e5, 1e7, 6e8};

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct act_limit limit;
        uint64_t now_ns = 12345;
        uint64_t span_ns = rates[i] < 1000 ? (uint64_t)(1000 / rates[i] * 1e9) : SECOND_NS / (rates[i] > 1e6 ? 100 : 1);
        act_limit_init(&limit, 0, rates[i], 100);
        act_policer_charge(&limit.packets, now_ns, limit.packets.burst);
        double want = rates[i] * (double)span_ns / 1e9;
        double got = (double)offer(&limit, &now_ns, span_ns, fmax(3 * rates[i], 64 * 1e12 / (double)span_ns), 9000);
        if (fabs(got - want) > 0.01 * want + 1)
            fail_msg("%g packets/s: %g passed, %g expected", rates[i], got, want);
    }
}

static void traffic_below_the_rate_loses_nothing(void **state)
{
    struct act_limit limit;
    uint64_t now_ns = SECOND_NS;

    (void)state;
    act_limit_init(&limit, 1e6, 2000, 100);
    for (unsigned i = 0; i < 2000; i++, now_ns += SECOND_NS / 1000) { /* 1000 packets/s of 990 octets: 99 per cent */
        struct act_meter meter = {.limit = NULL};
        assert_true(act_meter_admit(&meter, &limit, now_ns, 990));
        act_meter_close(&meter);
    }
}

/* A full bucket passes exactly the burst, however long it has been filling. */
static void the_burst_is_bounded(void **state)
{
    const struct {
        double bytes_per_s, packets_per_s;
        uint32_t burst_ms, size, want;
    } cases[] = {
        {1e6, 0, 100, 100, 1000},  {1e6, 0, 1000, 100, 10000}, {1e6, 0, 1, 100, 15},       {125, 0, 100, 100, 15},
        {125, 0, 100, 1500, 1},    {0.1, 0, 100, 100, 15},     {0, 1000, 100, 9000, 100},  {0, 1, 100, 100, 1},
        {0, 0.001, 100, 100, 1},   {1e6, 1000, 100, 100, 100}, {1e6, 1e6, 100, 100, 1000}, {1e6, 20000, 100, 64, 1562},
        {50e9, 0, 1, 1000, 50000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned round = 0; round < 2; round++) {
            struct act_limit limit;
            uint64_t now_ns = round * YEAR_NS, passed = 0;
            struct act_meter meter = {.limit = NULL};
            act_limit_init(&limit, cases[i].bytes_per_s, cases[i].packets_per_s, cases[i].burst_ms);
            for (unsigned n = 0; n < PACKETS_RUN; n++) {
                passed += act_meter_admit(&meter, &limit, now_ns, cases[i].size);
                if (n % 32 == 31)
                    act_meter_close(&meter);
            }
            act_meter_close(&meter);
            if (passed != cases[i].want)
                fail_msg("case %zu: %lu passed, not %u", i, (unsigned long)passed, cases[i].want);
        }
    }
}

static void a_packet_larger_than_the_burst_passes_and_its_debt_is_paid(void **state)
{
    struct act_limit limit;
    struct act_meter meter = {.limit = NULL};
    uint64_t now_ns = SECOND_NS;

    (void)state;
    act_limit_init(&limit, 1000, 0, 100);
    assert_true(act_meter_admit(&meter, &limit, now_ns, 9000));
    act_meter_close(&meter);
    now_ns += 8990 * SECOND_NS / 1000; /* ten octets are still owed */
    assert_true(act_meter_admit(&meter, &limit, now_ns, 1490));
    assert_false(act_meter_admit(&meter, &limit, now_ns, 9000));
    assert_false(act_meter_admit(&meter, &limit, now_ns, 1));
    act_meter_close(&meter);
}

static void a_packet_that_one_rate_refuses_costs_the_other_nothing(void **state)
{
    struct act_limit limit;
    struct act_meter meter = {.limit = NULL};

    (void)state;
    act_limit_init(&limit, 10000, 20, 100); /* bursts: 1500 octets, 2 packets */
    assert_true(act_meter_admit(&meter, &limit, 0, 1000));
    assert_false(act_meter_admit(&meter, &limit, 0, 1000));
    assert_true(act_meter_admit(&meter, &limit, 0, 400));
    assert_false(act_meter_admit(&meter, &limit, 0, 10));
    act_meter_close(&meter);
    assert_int_equal(act_policer_ahead(&limit.bytes, 0), 1400);
    assert_int_equal(act_policer_ahead(&limit.packets, 0), 2 * ACT_PACKET_UNITS);
}

/* Pauses of every length up to the end of the clock, at every rate: after them there is a burst, no more, no less. */
static void years_of_uptime_and_any_float_do_no_harm(void **state)
{
    const double rates[] = {1e-45, 1e-6, 0.1, 1, 125, 1e9, 50e9, 3.4e38};

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct act_limit limit;
        uint64_t now_ns = 0;
        act_limit_init(&limit, rates[i], rates[i], 100);
        for (unsigned year = 0; year < 290; year++, now_ns += YEAR_NS + 987654321) {
            struct act_meter meter = {.limit = NULL};
            bool passes = act_meter_admit(&meter, &limit, now_ns, 1400);
            act_meter_close(&meter);
            /* 1e-6 per second: 31 octets a year; the packet's debt is 45 years */
            if (!passes && (rates[i] >= 0.1 || year == 0))
                fail_msg("%g per second: nothing passes in year %u", rates[i], year);
            assert_true(act_policer_ahead(&limit.bytes, now_ns) <= limit.bytes.burst);
        }
    }
}

/* Offered without pause in the first moment of each of many seconds, by two views that take turns. */
static void the_clocks_of_workers_may_differ_a_little(void **state)
{
    struct act_limit limit;
    uint64_t now_ns = SECOND_NS, passed = 0;

    (void)state;
    act_limit_init(&limit, 0, 1000, 100);
    act_policer_charge(&limit.packets, now_ns, limit.packets.burst);
    for (unsigned i = 0; i < 10000; i++, now_ns += SECOND_NS / 1000) {
        struct act_meter ahead = {.limit = NULL}, behind = {.limit = NULL};
        passed += act_meter_admit(&ahead, &limit, now_ns, 64);
        act_meter_close(&ahead);
        passed += act_meter_admit(&behind, &limit, now_ns - SECOND_NS / 2, 64); /* off for half a second */
        act_meter_close(&behind);
    }
    assert_in_range(passed, 9900, 10100);
}

struct contender {
    pthread_t thread;
    struct act_limit *limit;
    _Atomic uint64_t *now_ns;
    uint64_t passed;
};

/* The clock is shared and moved by both: 1 us for each burst that either offers. */
static void *contend(void *argument)
{
    struct contender *own = argument;

    for (unsigned n = 0; n < 50000; n++) {
        struct act_meter meter = {.limit = NULL};
        uint64_t now_ns = atomic_fetch_add(own->now_ns, 1000);
        for (unsigned i = 0; i < 32; i++)
            own->passed += act_meter_admit(&meter, own->limit, now_ns, 100);
        act_meter_close(&meter);
    }
    return NULL;
}

static void two_workers_share_one_rate(void **state)
{
    const double rates[] = {125e3, 12.5e6, 1.25e9}; /* offered: 3.2 GB/s in 0.1 s */

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct act_limit limit;
        _Atomic uint64_t now_ns = SECOND_NS;
        struct contender both[2] = {{.limit = &limit, .now_ns = &now_ns}, {.limit = &limit, .now_ns = &now_ns}};
        act_limit_init(&limit, rates[i], 0, 10);
        for (unsigned t = 0; t < 2; t++)
            pthread_create(&both[t].thread, NULL, contend, &both[t]);
        for (unsigned t = 0; t < 2; t++)
            pthread_join(both[t].thread, NULL);
        double want = rates[i] * 0.1 + (double)limit.bytes.burst; /* octets */
        double got = 100 * (double)(both[0].passed + both[1].passed);
        /* over by a burst of packets at most: two that spend the same room are both charged for it */
        if (got < 0.99 * want - 100 || got > 1.01 * want + 32 * 100)
            fail_msg("%g B/s: %g octets passed, %g expected", rates[i], got, want);
    }
}

/* Charges at one moment add up to the octet, whoever comes between. */
static void *charge(void *argument)
{
    struct contender *own = argument;

    for (unsigned n = 0; n < 500000; n++)
        act_policer_charge(&own->limit->bytes, SECOND_NS, 3);
    return NULL;
}

static void no_charge_is_lost_between_two_workers(void **state)
{
    struct act_limit limit;
    struct contender both[2] = {{.limit = &limit}, {.limit = &limit}};

    (void)state;
    act_limit_init(&limit, 1e6, 0, 100);
    for (unsigned t = 0; t < 2; t++)
        pthread_create(&both[t].thread, NULL, charge, &both[t]);
    for (unsigned t = 0; t < 2; t++)
        pthread_join(both[t].thread, NULL);
    assert_int_equal(act_policer_ahead(&limit.bytes, SECOND_NS), 3000000);
}

static void room_is_told_in_octets_and_packets(void **state)
{
    struct act_limit limit;

    (void)state;
    act_limit_init(&limit, 100000, 1000, 100);
    act_policer_charge(&limit.bytes, SECOND_NS, 9900);
    act_policer_charge(&limit.packets, SECOND_NS, 100 * ACT_PACKET_UNITS);
    struct act_room bytes = act_limit_bytes_room(&limit, SECOND_NS, 101);
    struct act_room packets = act_limit_packets_room(&limit, SECOND_NS);
    assert_true(bytes.limits && bytes.burst == 10000 && bytes.room == 100 && !bytes.conforms);
    assert_true(packets.limits && packets.burst == 100 && packets.room == 0 && !packets.conforms);
    assert_true(act_limit_bytes_room(&limit, SECOND_NS, 100).conforms);
    assert_int_equal(act_limit_packets_room(&limit, SECOND_NS + 2 * SECOND_NS / 1000).room, 2);
    act_limit_init(&limit, 100000, 0, 100);
    packets = act_limit_packets_room(&limit, SECOND_NS);
    assert_true(!packets.limits && packets.conforms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rate_holds_within_one_per_cent_over_a_second),
        cmocka_unit_test(packet_rates_hold_and_ignore_sizes),
        cmocka_unit_test(traffic_below_the_rate_loses_nothing),
        cmocka_unit_test(the_burst_is_bounded),
        cmocka_unit_test(a_packet_larger_than_the_burst_passes_and_its_debt_is_paid),
        cmocka_unit_test(a_packet_that_one_rate_refuses_costs_the_other_nothing),
        cmocka_unit_test(years_of_uptime_and_any_float_do_no_harm),
        cmocka_unit_test(the_clocks_of_workers_may_differ_a_little),
        cmocka_unit_test(two_workers_share_one_rate),
        cmocka_unit_test(no_charge_is_lost_between_two_workers),
        cmocka_unit_test(room_is_told_in_octets_and_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
