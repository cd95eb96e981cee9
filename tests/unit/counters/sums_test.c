/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <ctype.h>
#include <string.h>

#include "counters/counters.h"

static void port_sums_add_field_by_field(void **state)
{
    struct cnt_port a = {0}, b = {0};
    struct cnt_port_sum sum = {0};

    (void)state;
    cnt_add(&a.rx_packets, 1);
    cnt_add(&a.rx_bytes, 2);
    cnt_add(&a.tx_packets, 3);
    cnt_add(&a.tx_bytes, 4);
    cnt_add(&a.punted_packets, 5);
    cnt_add(&a.originated_packets, 6);
    for (unsigned i = 0; i < CNT_DROP_COUNT; i++)
        cnt_add(&a.drops[i], 10 + i);
    cnt_add(&b.rx_packets, 100);
    cnt_add(&b.drops[CNT_DROP_TX_FULL], 1000);
    cnt_port_sum_add(&sum, &a);
    cnt_port_sum_add(&sum, &b);
    assert_int_equal(sum.rx_packets, 101);
    assert_int_equal(sum.rx_bytes, 2);
    assert_int_equal(sum.tx_packets, 3);
    assert_int_equal(sum.tx_bytes, 4);
    assert_int_equal(sum.punted_packets, 5);
    assert_int_equal(sum.originated_packets, 6);
    for (unsigned i = 0; i < CNT_DROP_COUNT; i++)
        assert_int_equal(sum.drops[i], 10 + i + (i == CNT_DROP_TX_FULL ? 1000 : 0));
}

static void rule_sums_add_and_keep_the_latest_hit(void **state)
{
    struct cnt_rule a = {0}, b = {0};
    struct cnt_rule_sum sum = {0};

    (void)state;
    cnt_add(&a.packets, 1);
    cnt_add(&a.bytes, 2);
    cnt_add(&a.dropped_packets, 3);
    cnt_add(&a.dropped_bytes, 4);
    cnt_add(&a.last_hit_tsc, 50);
    cnt_add(&b.packets, 10);
    cnt_add(&b.last_hit_tsc, 40);
    cnt_rule_sum_add(&sum, &a);
    cnt_rule_sum_add(&sum, &b);
    assert_int_equal(sum.packets, 11);
    assert_int_equal(sum.bytes, 2);
    assert_int_equal(sum.dropped_packets, 3);
    assert_int_equal(sum.dropped_bytes, 4);
    assert_int_equal(sum.last_hit_tsc, 50);
}

static void the_balance_holds_to_the_packet_for_every_exit(void **state)
{
    struct cnt_port_sum sum = {.rx_packets = 100, .originated_packets = 7, .tx_packets = 90, .punted_packets = 17};

    (void)state;
    assert_true(cnt_port_sum_balanced(&sum));
    for (unsigned i = 0; i < CNT_DROP_COUNT; i++) {
        sum.drops[i]++;
        assert_false(cnt_port_sum_balanced(&sum));
        sum.rx_packets++;
        assert_true(cnt_port_sum_balanced(&sum));
    }
    sum.tx_packets--;
    assert_false(cnt_port_sum_balanced(&sum));
}

static void every_drop_reason_has_a_distinct_word_and_a_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CNT_DROP_COUNT; i++) {
        const char *name = cnt_drop_name(i), *help = cnt_drop_help(i);
        for (const char *c = name; *c; c++)
            assert_true(islower((unsigned char)*c) || *c == '_');
        assert_int_equal(help[strlen(help) - 1], '.');
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(name, cnt_drop_name(j));
    }
    assert_string_equal(cnt_drop_name(CNT_DROP_FLOWSPEC_DISCARD), "flowspec_discard");
    assert_string_equal(cnt_drop_name(CNT_DROP_TX_FULL), "tx_full");
    assert_string_equal(cnt_drop_name(CNT_DROP_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_sums_add_field_by_field),
        cmocka_unit_test(rule_sums_add_and_keep_the_latest_hit),
        cmocka_unit_test(the_balance_holds_to_the_packet_for_every_exit),
        cmocka_unit_test(every_drop_reason_has_a_distinct_word_and_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
