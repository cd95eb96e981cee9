/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring in which a worker leaves headers, and the count of rules by destination. */
#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "control/destination_count.h"
#include "dataplane/sampler.h"
#include "flowspec/text.h"

static struct sampler *sampler;

static int set_up(void **state)
{
    (void)state;
    sampler = aligned_alloc(64, (sizeof *sampler + 63) / 64 * 64);
    assert_non_null(sampler);
    memset(sampler, 0, sizeof *sampler);
    sampler->random = 0x9e3779b97f4a7c15u;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(sampler);
    return 0;
}

/* `bursts` bursts of `size` packets, numbered by their length, come in by the port. */
static void pass(unsigned port, unsigned bursts, unsigned size, uint32_t *number)
{
    struct pkt_key keys[32];

    for (unsigned b = 0; b < bursts; b++) {
        memset(keys, 0, sizeof keys);
        for (unsigned i = 0; i < size; i++) {
            keys[i].family = IP_V4;
            keys[i].length = (*number)++;
        }
        sampler_pass(sampler, port, (uint16_t)port, keys, size);
    }
}

static unsigned take_all(void)
{
    struct pkt_key keys[64];
    uint16_t vrfs[64];
    unsigned count = 0, taken;

    while ((taken = sampler_take(sampler, keys, vrfs, 64)) > 0)
        count += taken;
    return count;
}

static void every_packet_is_taken_where_every_one_is_asked_for(void **state)
{
    struct pkt_key keys[SAMPLER_RING];
    uint16_t vrfs[SAMPLER_RING];
    uint32_t number = 0;

    (void)state;
    atomic_store(&sampler->every, 1);
    pass(0, 10, 32, &number);
    assert_int_equal(sampler_take(sampler, keys, vrfs, SAMPLER_RING), 320);
    for (uint32_t i = 0; i < 320; i++)
        assert_int_equal(keys[i].length, i); /* in their order */
    pass(3, 1, 2, &number);
    assert_int_equal(sampler_take(sampler, keys, vrfs, SAMPLER_RING), 2);
    assert_int_equal(vrfs[0], 3); /* of the port */
    assert_int_equal(vrfs[1], 3);
    assert_int_equal(sampler_take(sampler, keys, vrfs, SAMPLER_RING), 0);
}

static void none_is_taken_where_none_is_asked_for(void **state)
{
    uint32_t number = 0;

    (void)state;
    pass(0, 100, 32, &number);
    assert_int_equal(take_all(), 0);
}

/* One in N on average, at each port by itself, whatever the size of the bursts. */
static void one_in_so_many_is_taken(void **state)
{
    static const unsigned SIZES[] = {1, 7, 32};
    uint32_t number = 0;

    (void)state;
    atomic_store(&sampler->every, 100);
    for (unsigned port = 0; port < 3; port++) {
        unsigned taken = 0, packets = 0;
        while (packets < 200000) {
            pass(port, 64, SIZES[port], &number);
            packets += 64 * SIZES[port];
            taken += take_all();
        }
        assert_in_range(taken, packets / 100 * 9 / 10, packets / 100 * 11 / 10);
    }
}

/* Traffic that repeats itself every N packets is seen as it is: each of its kinds is about as often in the samples. */
static void traffic_with_a_period_is_seen_as_it_is(void **state)
{
    unsigned seen[10] = {0};
    struct pkt_key keys[32];
    uint16_t vrfs[32];
    uint32_t number = 0;

    (void)state;
    atomic_store(&sampler->every, 10);
    for (unsigned i = 0; i < 2000; i++) {
        pass(0, 1, 30, &number);
        unsigned taken = sampler_take(sampler, keys, vrfs, 32);
        for (unsigned k = 0; k < taken; k++)
            seen[keys[k].length % 10]++;
    }
    for (unsigned kind = 0; kind < 10; kind++)
        assert_in_range(seen[kind], 450, 750); /* of 6000 a tenth each */
}

static void what_the_ring_has_no_room_for_is_left_out(void **state)
{
    struct pkt_key keys[SAMPLER_RING];
    uint16_t vrfs[SAMPLER_RING];
    uint32_t number = 0;

    (void)state;
    atomic_store(&sampler->every, 1);
    pass(0, SAMPLER_RING / 32 + 5, 32, &number);
    assert_int_equal(sampler_take(sampler, keys, vrfs, SAMPLER_RING), SAMPLER_RING);
    assert_int_equal(keys[0].length, 0); /* the first ones stayed */
    assert_int_equal(sampler_take(sampler, keys, vrfs, SAMPLER_RING), 0);
    pass(0, 1, 32, &number);
    assert_int_equal(take_all(), 32);
}

static void a_lower_rate_holds_at_once(void **state)
{
    uint32_t number = 0;

    (void)state;
    atomic_store(&sampler->every, 1000000);
    pass(0, 10, 32, &number);
    take_all();
    atomic_store(&sampler->every, 1);
    pass(0, 10, 32, &number);
    assert_true(take_all() >= 319); /* not after the rest of a million */
}

static void packets_that_are_not_ip_are_no_samples(void **state)
{
    struct pkt_key keys[32];

    (void)state;
    memset(keys, 0, sizeof keys);
    atomic_store(&sampler->every, 1);
    sampler_pass(sampler, 0, 0, keys, 32);
    assert_int_equal(take_all(), 0);
}

/* ---- rules by destination ---- */

static struct fs_rule *rule(const char *text)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *parsed;

    assert_true(fs_text_parse(text, &parsed, &actions, &error));
    return parsed;
}

static void rules_are_counted_by_source_and_destination(void **state)
{
    static const char *const TEXTS[] = {"match destination 203.0.113.7/32 protocol udp",
                                        "match destination 203.0.113.7/32 protocol tcp",
                                        "match destination 203.0.113.0/24",
                                        "match protocol udp",
                                        "match family ipv6 protocol udp",
                                        "match destination 2001:db8::/32",
                                        "match destination ::7/64-128"};
    struct destination_count *count = destination_count_create();
    struct fs_rule *rules[7];

    (void)state;
    for (unsigned i = 0; i < 7; i++) {
        rules[i] = rule(TEXTS[i]);
        assert_true(destination_count_add(count, 1, rules[i]));
    }
    assert_true(destination_count_add(count, 2, rules[0]));
    assert_int_equal(destination_count_get(count, 1, rules[0]), 2);
    assert_int_equal(destination_count_get(count, 2, rules[0]), 1);
    assert_int_equal(destination_count_get(count, 3, rules[0]), 0);
    for (unsigned i = 2; i < 7; i++)
        assert_int_equal(destination_count_get(count, 1, rules[i]), 1);
    destination_count_drop(count, 1, rules[1]);
    assert_int_equal(destination_count_get(count, 1, rules[0]), 1);
    destination_count_drop(count, 1, rules[0]);
    assert_int_equal(destination_count_get(count, 1, rules[0]), 0);
    destination_count_drop(count, 1, rules[0]); /* nothing is there: nothing happens */
    assert_int_equal(destination_count_get(count, 2, rules[0]), 1);
    destination_count_free(count);
    for (unsigned i = 0; i < 7; i++)
        fs_rule_free(rules[i]);
}

#define SAMPLER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAMPLER_TEST(every_packet_is_taken_where_every_one_is_asked_for),
        SAMPLER_TEST(none_is_taken_where_none_is_asked_for),
        SAMPLER_TEST(one_in_so_many_is_taken),
        SAMPLER_TEST(traffic_with_a_period_is_seen_as_it_is),
        SAMPLER_TEST(what_the_ring_has_no_room_for_is_left_out),
        SAMPLER_TEST(a_lower_rate_holds_at_once),
        SAMPLER_TEST(packets_that_are_not_ip_are_no_samples),
        cmocka_unit_test(rules_are_counted_by_source_and_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
