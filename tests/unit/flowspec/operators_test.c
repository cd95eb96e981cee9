/* SPDX-License-Identifier: BSD-3-Clause */
/* Operator lists: RFC 8955 4.2.1.1 and 4.2.1.2. */
#include "fs_test.h"

/* Whether `value` satisfies the only component of the rule. */
static bool matches(const struct fs_rule *rule, uint64_t value)
{
    return fs_terms_match(rule, &rule->components[0], value);
}

static bool text_matches(const char *match, uint64_t value)
{
    struct fs_rule *rule = rule_from_text(match);
    bool result = matches(rule, value);

    fs_rule_free(rule);
    return result;
}

/* conforms: RFC 8955 proves 4.2.1.1-6 */
static void all_eight_numeric_combinations_are_exact(void **state)
{
    /* below, equal, above: table 1 */
    static const struct {
        uint8_t op;
        bool below, equal, above;
    } TABLE[] = {
        {0, false, false, false},
        {FS_OP_EQ, false, true, false},
        {FS_OP_GT, false, false, true},
        {FS_OP_GT | FS_OP_EQ, false, true, true},
        {FS_OP_LT, true, false, false},
        {FS_OP_LT | FS_OP_EQ, true, true, false},
        {FS_OP_LT | FS_OP_GT, true, false, true},
        {FS_OP_LT | FS_OP_GT | FS_OP_EQ, true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(TABLE); i++) {
        static const struct fs_nlri_format FORMAT = {.family = IP_V4};
        uint8_t octets[] = {FS_PORT, (uint8_t)(0x80 | TABLE[i].op), 100};
        struct fs_rule *rule;

        assert_int_equal(fs_nlri_decode_value(octets, sizeof octets, &FORMAT, &rule), FS_OK);
        assert_int_equal(matches(rule, 99), TABLE[i].below);
        assert_int_equal(matches(rule, 100), TABLE[i].equal);
        assert_int_equal(matches(rule, 101), TABLE[i].above);
        fs_rule_free(rule);
    }
}

/* conforms: RFC 8955 proves 4.2.1.2-3 */
static void bitmask_means_any_or_all_and_not_turns_it(void **state)
{
    (void)state;
    assert_true(text_matches("match tcp-flags syn+ack", 0x02));
    assert_false(text_matches("match tcp-flags syn+ack", 0x01));
    assert_false(text_matches("match tcp-flags =syn+ack", 0x02));
    assert_true(text_matches("match tcp-flags =syn+ack", 0x13));
    assert_true(text_matches("match tcp-flags !syn+ack", 0x01));
    assert_false(text_matches("match tcp-flags !syn+ack", 0x02));
    assert_true(text_matches("match tcp-flags !=syn+ack", 0x02));
    assert_false(text_matches("match tcp-flags !=syn+ack", 0x12));
}

static void an_empty_bitmask_matches_as_its_definition_says(void **state)
{
    (void)state;
    assert_false(text_matches("match tcp-flags 0x0", 0xff)); /* none of no bits */
    assert_true(text_matches("match tcp-flags =0x0", 0));    /* all of no bits */
    assert_true(text_matches("match tcp-flags !0x0", 0));
    assert_false(text_matches("match tcp-flags !=0x0", 0xff));
}

/* conforms: RFC 8955 proves 4.2.1.1-3 */
static void and_binds_tighter_than_or(void **state)
{
    static const char MATCH[] = "match port =1,>=10&<=20,=30&=31,=40";

    (void)state;
    assert_true(text_matches(MATCH, 1));
    assert_true(text_matches(MATCH, 10));
    assert_true(text_matches(MATCH, 20));
    assert_true(text_matches(MATCH, 40));
    assert_false(text_matches(MATCH, 9));
    assert_false(text_matches(MATCH, 21));
    assert_false(text_matches(MATCH, 30));
    assert_false(text_matches(MATCH, 31));
    assert_true(text_matches("match port =1&=2,=3", 3));
    assert_false(text_matches("match port =1,=2&=3", 2));
}

/* conforms: RFC 8955 proves 4.2.1.1-2 refuses 4.2.1.1-2 */
static void the_and_bit_of_the_first_operator_counts_as_unset(void **state)
{
    struct fs_rule *rule = rule_from_hex(IP_V4, "05 04 4101 8102");

    (void)state;
    assert_true(matches(rule, 1));
    assert_true(matches(rule, 2));
    assert_false(matches(rule, 3));
    fs_rule_free(rule);
}

/* conforms: RFC 8955 proves 4.2.1.1-7 */
static void eight_octet_values_compare_in_64_bits(void **state)
{
    struct fs_rule *rule = rule_from_hex(IP_V4, "0a 0a b1 0000000100000005"); /* = 2^32 + 5 */

    (void)state;
    assert_false(matches(rule, 5));
    assert_true(matches(rule, 0x100000005));
    assert_string_equal(match_of(rule), "packet-length =4294967301");
    fs_rule_free(rule);
    assert_true(text_matches("match packet-length <18446744073709551615", UINT64_MAX - 1));
    assert_false(text_matches("match packet-length <18446744073709551615", UINT64_MAX));
}

/* conforms: RFC 8955 proves 4.2.2.9-2 */
static void tcp_flags_of_two_octets_match_twelve_bits(void **state)
{
    struct fs_rule *rule = rule_from_hex(IP_V4, "04 09 91 5102"); /* data offset 5, AE, SYN */

    (void)state;
    assert_true(matches(rule, 0x102));
    assert_false(matches(rule, 0x002));
    assert_string_equal(match_of(rule), "tcp-flags =0x102");
    fs_rule_free(rule);
}

/* conforms: RFC 8956 proves 3.6-3 refuses 3.6-3 */
static void df_is_ignored_in_ipv6(void **state)
{
    struct fs_rule *rule = rule_from_hex(IP_V6, "03 0c 81 03");

    (void)state;
    assert_true(matches(rule, FS_FRAGMENT_IS));
    assert_string_equal(match_of(rule), "fragment =is-fragment");
    fs_rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_eight_numeric_combinations_are_exact),
        cmocka_unit_test(bitmask_means_any_or_all_and_not_turns_it),
        cmocka_unit_test(an_empty_bitmask_matches_as_its_definition_says),
        cmocka_unit_test(and_binds_tighter_than_or),
        cmocka_unit_test(the_and_bit_of_the_first_operator_counts_as_unset),
        cmocka_unit_test(eight_octet_values_compare_in_64_bits),
        cmocka_unit_test(tcp_flags_of_two_octets_match_twelve_bits),
        cmocka_unit_test(df_is_ignored_in_ipv6),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
