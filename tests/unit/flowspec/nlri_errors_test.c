/* SPDX-License-Identifier: BSD-3-Clause */
/* NLRI that RFC 8955 4.2 and RFC 8956 3.1 call malformed, each with its reason. */
#include "fs_test.h"

struct refusal {
    uint8_t family;
    enum fs_error error;
    const char *nlri;
};

static void refuse_all(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fs_rule *rule = (struct fs_rule *)&cases; /* must become NULL */
        enum fs_error error = decode_hex(cases[i].family, cases[i].nlri, &rule);

        if (error != cases[i].error)
            fail_msg("%s: %s, not %s", cases[i].nlri, fs_error_word(error), fs_error_word(cases[i].error));
        assert_null(rule);
    }
}

/* conforms: RFC 8955 refuses 4.1-1 */
static void a_broken_length_field_loses_the_framing(void **state)
{
    static const struct refusal CASES[] = {
        {IP_V4, FS_ERR_LENGTH, ""},
        {IP_V4, FS_ERR_LENGTH, "04 038111"},
        {IP_V4, FS_ERR_LENGTH, "f0"},
        {IP_V4, FS_ERR_LENGTH, "f004 038111"},
        {IP_V4, FS_ERR_LENGTH, "ffff 038111"},
    };

    (void)state;
    refuse_all(CASES, COUNT(CASES));
}

/* conforms: RFC 8955 proves 4.2-3 refuses 4.2-3 8-1 */
static void length_zero_or_no_component_is_never_match_all(void **state)
{
    static const struct fs_nlri_format VPN = {.family = IP_V4, .vpn = true};
    static const struct refusal CASES[] = {
        {IP_V4, FS_ERR_EMPTY, "00"},
        {IP_V6, FS_ERR_EMPTY, "00"},
        {IP_V4, FS_ERR_EMPTY, "f000"},
    };
    struct fs_rule *rule;

    (void)state;
    refuse_all(CASES, COUNT(CASES));
    assert_int_equal(decode_as(&VPN, "08 0000fde800000064", &rule), FS_ERR_EMPTY);
    assert_int_equal(decode_as(&VPN, "00", &rule), FS_ERR_EMPTY);
    assert_int_equal(decode_as(&VPN, "07 0000fde8000000", &rule), FS_ERR_TRUNCATED);
    assert_int_equal(fs_rule_build(IP_V4, NULL, NULL, 0, NULL, &rule), FS_ERR_EMPTY);
}

/* conforms: RFC 8955 proves 4.2.1-1 refuses 4.2.1-1 */
static void a_list_without_end_or_with_octets_after_it_is_malformed(void **state)
{
    static const struct refusal CASES[] = {
        {IP_V4, FS_ERR_TRUNCATED, "03 030111"},     /* no end-of-list bit */
        {IP_V4, FS_ERR_TRUNCATED, "01 03"},         /* no operator */
        {IP_V4, FS_ERR_TRUNCATED, "02 0381"},       /* no value */
        {IP_V4, FS_ERR_TRUNCATED, "03 049111"},     /* half a value */
        {IP_V4, FS_ERR_TRUNCATED, "05 05b1000000"}, /* 3 octets of 8 */
        {IP_V4, FS_ERR_UNKNOWN_TYPE, "04 03811100"}, {IP_V4, FS_ERR_TRUNCATED, "04 03811104"},
        {IP_V4, FS_ERR_TRUNCATED, "01 01"},          {IP_V4, FS_ERR_TRUNCATED, "04 0118c000"},
        {IP_V6, FS_ERR_TRUNCATED, "02 0120"},        {IP_V6, FS_ERR_TRUNCATED, "06 0120 00 20010d"},
    };

    (void)state;
    refuse_all(CASES, COUNT(CASES));
}

/* conforms: RFC 8955 proves 4.2-3 refuses 4.2-3 */
/* conforms: RFC 8956 proves 3.7-2 */
static void an_unknown_component_type_is_malformed(void **state)
{
    static const struct refusal CASES[] = {
        {IP_V4, FS_ERR_UNKNOWN_TYPE, "03 008111"},
        {IP_V4, FS_ERR_UNKNOWN_TYPE, "06 0da100000005"}, /* IPv4 has no flow label */
        {IP_V6, FS_ERR_UNKNOWN_TYPE, "03 0e8111"},
        {IP_V6, FS_ERR_UNKNOWN_TYPE, "03 ff8111"},
        {IP_V4, FS_ERR_UNKNOWN_TYPE, "06 038111 0e8111"},
    };

    (void)state;
    refuse_all(CASES, COUNT(CASES));
}

/* conforms: RFC 8955 proves 4.2-1 4.2-2 refuses 4.2-1 4.2-2 */
static void components_out_of_order_or_twice_are_malformed(void **state)
{
    static const struct refusal CASES[] = {
        {IP_V4, FS_ERR_ORDER, "06 048119 038106"},
        {IP_V4, FS_ERR_ORDER, "06 038106 038111"},
        {IP_V4, FS_ERR_ORDER, "0a 0118c00002 0118c00003"},
        {IP_V4, FS_ERR_ORDER, "0a 0218c00002 0118c00003"},
    };

    (void)state;
    refuse_all(CASES, COUNT(CASES));
}

/* conforms: RFC 8956 refuses 3.1-4 */
static void prefixes_longer_than_an_address_are_malformed(void **state)
{
    static const struct refusal CASES[] = {
        {IP_V4, FS_ERR_PREFIX_LENGTH, "07 0121 c000020100"},
        {IP_V4, FS_ERR_PREFIX_LENGTH, "06 01ff c0000201"},
        {IP_V6, FS_ERR_PREFIX_LENGTH, "14 018100 0000000000000000000000000000000000"},
    };

    (void)state;
    refuse_all(CASES, COUNT(CASES));
}

/* conforms: RFC 8956 proves 3.1-4 refuses 3.1-4 */
static void ipv6_offset_at_or_above_the_length_is_malformed_but_for_0_0(void **state)
{
    static const struct refusal CASES[] = {
        {IP_V6, FS_ERR_PREFIX_OFFSET, "03 012020"},
        {IP_V6, FS_ERR_PREFIX_OFFSET, "03 012021"},
        {IP_V6, FS_ERR_PREFIX_OFFSET, "03 010001"},
        {IP_V6, FS_ERR_PREFIX_OFFSET, "03 018080"},
        {IP_V6, FS_OK, "04 01807f 80"},
    };
    struct fs_rule *rule;

    (void)state;
    refuse_all(CASES, COUNT(CASES) - 1);
    rule = rule_from_hex(IP_V6, "03 010000");
    assert_string_equal(match_of(rule), "destination ::/0");
    fs_rule_free(rule);
    rule = rule_from_hex(IP_V6, CASES[COUNT(CASES) - 1].nlri);
    assert_string_equal(match_of(rule), "destination ::1/127-128");
    fs_rule_free(rule);
}

/* conforms: RFC 8955 refuses 4.2.2.9-1 4.2.2.11-1 4.2.2.12-1 */
/* conforms: RFC 8956 refuses 3.6-1 */
static void tcp_flags_dscp_and_fragment_keep_to_their_value_lengths(void **state)
{
    static const struct refusal CASES[] = {
        {IP_V4, FS_ERR_VALUE_LENGTH, "06 09a100000002"}, {IP_V4, FS_ERR_VALUE_LENGTH, "0a 09b10000000000000002"},
        {IP_V4, FS_ERR_VALUE_LENGTH, "04 0b91000a"},     {IP_V4, FS_ERR_VALUE_LENGTH, "06 0ba10000000a"},
        {IP_V4, FS_ERR_VALUE_LENGTH, "04 0c910002"},     {IP_V6, FS_ERR_VALUE_LENGTH, "0a 0cb10000000000000002"},
    };

    (void)state;
    refuse_all(CASES, COUNT(CASES));
}

static void what_grows_past_4095_octets_in_canonical_form_is_refused(void **state)
{
    static uint8_t value[FS_NLRI_MAX + 1];
    static const struct fs_nlri_format FORMAT = {.family = IP_V6};
    struct fs_rule *rule;

    (void)state;
    value[0] = FS_FLOW_LABEL; /* 2047 values of 1 octet, to become 4 */
    for (size_t at = 1; at < FS_NLRI_MAX; at += 2)
        value[at] = at + 2 == FS_NLRI_MAX ? 0x81 : 0x01;
    assert_int_equal(fs_nlri_decode_value(value, FS_NLRI_MAX, &FORMAT, &rule), FS_ERR_TOO_LONG);
    assert_null(rule);
    assert_int_equal(fs_nlri_decode_value(value, FS_NLRI_MAX + 1, &FORMAT, &rule), FS_ERR_TOO_LONG);
}

static void building_refuses_what_decoding_refuses(void **state)
{
    static const struct fs_term TERMS[] = {{.value = 0x10000, .op = FS_OP_EQ}, {.value = 256, .op = FS_OP_EQ}};
    static const struct {
        uint8_t family;
        enum fs_error error;
        struct fs_component component;
    } CASES[] = {
        {IP_V4, FS_ERR_UNKNOWN_TYPE, {.type = 0, .term_count = 1}},
        {IP_V4, FS_ERR_UNKNOWN_TYPE, {.type = FS_FLOW_LABEL, .term_count = 1}},
        {IP_NONE, FS_ERR_PREFIX_LENGTH, {.type = FS_DESTINATION, .length = 8}},
        {IP_V4, FS_ERR_TRUNCATED, {.type = FS_PORT, .term_count = 0}},
        {IP_V4, FS_ERR_VALUE_LENGTH, {.type = FS_TCP_FLAGS, .term_count = 1}},
        {IP_V4, FS_ERR_VALUE_LENGTH, {.type = FS_DSCP, .first_term = 1, .term_count = 1}},
        {IP_V4, FS_ERR_PREFIX_LENGTH, {.type = FS_SOURCE, .length = 33}},
        {IP_V4, FS_ERR_PREFIX_OFFSET, {.type = FS_SOURCE, .length = 24, .offset = 8}},
        {IP_V6, FS_ERR_PREFIX_OFFSET, {.type = FS_SOURCE, .length = 8, .offset = 8}},
    };
    static const struct fs_component TWICE[2] = {{.type = FS_DESTINATION, .length = 8},
                                                 {.type = FS_DESTINATION, .length = 9}};
    struct fs_rule *rule;

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_int_equal(fs_rule_build(CASES[i].family, NULL, &CASES[i].component, 1, TERMS, &rule), CASES[i].error);
        assert_null(rule);
    }
    assert_int_equal(fs_rule_build(IP_V4, NULL, TWICE, 2, NULL, &rule), FS_ERR_ORDER);
}

static void every_error_has_a_word_and_a_sentence(void **state)
{
    (void)state;
    for (unsigned error = 0; error < FS_ERROR_COUNT; error++) {
        assert_non_null(fs_error_word((enum fs_error)error));
        assert_true(strlen(fs_error_text((enum fs_error)error)) > 5);
        for (unsigned other = 0; other < error; other++)
            assert_string_not_equal(fs_error_word((enum fs_error)error), fs_error_word((enum fs_error)other));
    }
    assert_string_equal(fs_error_word(FS_ERROR_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_length_field_loses_the_framing),
        cmocka_unit_test(length_zero_or_no_component_is_never_match_all),
        cmocka_unit_test(a_list_without_end_or_with_octets_after_it_is_malformed),
        cmocka_unit_test(an_unknown_component_type_is_malformed),
        cmocka_unit_test(components_out_of_order_or_twice_are_malformed),
        cmocka_unit_test(prefixes_longer_than_an_address_are_malformed),
        cmocka_unit_test(ipv6_offset_at_or_above_the_length_is_malformed_but_for_0_0),
        cmocka_unit_test(tcp_flags_dscp_and_fragment_keep_to_their_value_lengths),
        cmocka_unit_test(what_grows_past_4095_octets_in_canonical_form_is_refused),
        cmocka_unit_test(building_refuses_what_decoding_refuses),
        cmocka_unit_test(every_error_has_a_word_and_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
