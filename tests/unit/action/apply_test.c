/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdlib.h>
#include <string.h>

#include "action/action.h"

static struct act_meter meter;

static void the_first_mark_counts(void **state)
{
    const struct act_program first = {.extra = true, .mark = true, .dscp = 0, .go_on = true};
    const struct act_program second = {.extra = true, .mark = true, .dscp = 46};
    struct act_packet packet = {.bytes = 100};

    (void)state;
    assert_int_equal(act_apply_extra(&first, &packet, &meter, 0), ACT_PASS);
    assert_true(packet.mark);
    assert_int_equal(act_apply_extra(&second, &packet, &meter, 0), ACT_PASS);
    assert_int_equal(packet.dscp, 0);
}

static struct act_ways *ways_of(uint16_t count, const struct act_way *way)
{
    struct act_ways *ways = malloc(sizeof *ways + count * sizeof *way);

    assert_non_null(ways);
    ways->count = count;
    memcpy(ways->way, way, count * sizeof *way);
    return ways;
}

static void the_first_redirect_of_a_kind_counts(void **state)
{
    struct act_ways *seven = ways_of(1, &(struct act_way){ACT_ANY_HOME, 7});
    struct act_ways *eight = ways_of(1, &(struct act_way){0, 8}), *nine = ways_of(1, &(struct act_way){0, 9});
    const struct act_program programs[] = {{.extra = true, .vrf = 1, .go_on = true},
                                           {.extra = true, .ways = seven, .vrf = 2},
                                           {.extra = true, .ways = eight},
                                           {.extra = true, .ways = nine, .copy = true}};
    struct act_packet packet = {.bytes = 100};

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(act_apply_extra(&programs[i], &packet, &meter, 0), ACT_PASS);
    assert_int_equal(packet.vrf, 1);
    assert_int_equal(packet.via, 7);
    assert_int_equal(packet.copy_via, 9);
    free(seven);
    free(eight);
    free(nine);
}

static void an_address_leads_elsewhere_in_each_vrf(void **state)
{
    struct act_ways *ways = ways_of(2, (struct act_way[]){{1, 7}, {3, 8}});
    const struct act_program program = {.extra = true, .ways = ways};
    static const uint32_t VIA[] = {0, 7, 0, 8};

    (void)state;
    for (uint16_t home = 0; home < 4; home++) {
        struct act_packet packet = {.bytes = 100, .home = home};
        assert_int_equal(act_apply_extra(&program, &packet, &meter, 0), ACT_PASS);
        assert_int_equal(packet.via, VIA[home]);
    }
    free(ways);
}

static void what_exceeds_a_limit_is_dropped_for_that_reason(void **state)
{
    struct act_limit limit;
    const struct act_program program = {.extra = true, .rate_packets_per_s = 10, .limit = &limit, .mark = true};
    struct act_packet packet = {.bytes = 100};

    (void)state;
    act_limit_init(&limit, 0, 10, 100);
    assert_int_equal(act_apply_extra(&program, &packet, &meter, 0), ACT_PASS);
    assert_int_equal(act_apply_extra(&program, &packet, &meter, 0), ACT_DROP_RATE_LIMIT);
    act_meter_close(&meter);
    assert_int_equal(act_apply_extra(&program, &packet, &meter, 100000000), ACT_PASS);
    act_meter_close(&meter);
}

/* One meter for a burst in which packets of two rules take turns. */
static void limits_that_take_turns_do_not_mix(void **state)
{
    struct act_limit limits[2];
    struct act_program programs[2];
    struct act_packet packet = {.bytes = 100};
    unsigned passed[2] = {0, 0};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        act_limit_init(&limits[i], 0, i == 0 ? 50 : 90, 100); /* bursts of 5 and 9 packets */
        programs[i] = (struct act_program){.extra = true, .limit = &limits[i]};
    }
    for (unsigned n = 0; n < 32; n++)
        passed[n % 2] += act_apply_extra(&programs[n % 2], &packet, &meter, 7) == ACT_PASS;
    act_meter_close(&meter);
    assert_int_equal(passed[0], 5);
    assert_int_equal(passed[1], 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_mark_counts),
        cmocka_unit_test(the_first_redirect_of_a_kind_counts),
        cmocka_unit_test(an_address_leads_elsewhere_in_each_vrf),
        cmocka_unit_test(what_exceeds_a_limit_is_dropped_for_that_reason),
        cmocka_unit_test(limits_that_take_turns_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
