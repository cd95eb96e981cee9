/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions in extended communities: RFC 8955 section 7, RFC 8956 6.1, redirect-to-IP in its three forms. */
#include "fs_test.h"

static struct fs_actions decode(const char *comms, const char *comms6)
{
    uint8_t octets[256], octets6[256];
    size_t len = hex_read(comms, octets), len6 = hex_read(comms6, octets6);
    struct fs_actions actions;

    fs_actions_decode(octets, len, octets6, len6, &actions);
    return actions;
}

static const char *text_of(const struct fs_actions *actions)
{
    static char text[512];
    struct strbuf out = sb_init(text, sizeof text);

    fs_actions_format(actions, &out);
    assert_false(sb_truncated(&out));
    return text;
}

/* conforms: RFC 8955 proves 7.1-2 7.3-2 7.4-1 7.5-2 */
/* conforms: RFC 8956 proves 6.1-1 */
static void each_community_is_read_and_written_back(void **state)
{
    static const struct {
        const char *comms;
        const char *comms6;
        const char *text;
    } CASES[] = {
        {"8006 fde8 00000000", "", "discard"},
        {"8006 fde8 49989680", "", "rate-limit 10mbps"}, /* 1.25e6 */
        {"800c fde8 459c4000", "", "rate-limit 5kpps"},
        {"800c fde8 00000000", "", "rate-limit 0pps"},
        {"8007 000000000001", "", "continue"},
        {"8007 000000000002", "", "sample"},
        {"8007 000000000003", "", "sample continue"},
        {"8008 fde8 00000064", "", "redirect 65000:100"},
        {"8009 00000000002e", "", "mark 46"},
        {"8108 c0000201 0064", "", "redirect 192.0.2.1:100"},
        {"8208 fa56ea00 0064", "", "redirect 4200000000L:100"},
        {"8306 0018 47f42400", "", "rate-limit 1mbps per-source /24 4096"},
        {"8306 ff80 00000000", "", "rate-limit 0Bps per-source /128 1048576"},
        {"830c 0320 42c80000", "", "rate-limit 100pps per-source /32 16384"},
        {"010c c0000201 0000", "", "redirect-ip 192.0.2.1"},
        {"010c c0000201 0001", "", "redirect-ip 192.0.2.1 copy"},
        {"0800 000000000000", "", "redirect-ip next-hop"},
        {"0800 000000000001", "", "redirect-ip next-hop copy"},
        {"", "000c 20010db8000000000000000000000001 0000", "redirect-ip 2001:db8::1"},
        {"", "000c 20010db8000000000000000000000001 0001", "redirect-ip 2001:db8::1 copy"},
        {"", "000d 20010db8000000000000000000000001 0064", "redirect [2001:db8::1]:100"},
        {"", "", "accept"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct fs_actions actions = decode(CASES[i].comms, CASES[i].comms6);
        uint8_t want[32], want6[32];
        size_t len = hex_read(CASES[i].comms, want), len6 = hex_read(CASES[i].comms6, want6);
        struct fs_ext_comms comms;

        assert_string_equal(text_of(&actions), CASES[i].text);
        fs_actions_encode(&actions, 65000, &comms);
        assert_int_equal(comms.count * 8, len);
        assert_int_equal(comms.count6 * 20, len6);
        assert_memory_equal(comms.comms, want, len);
        assert_memory_equal(comms.comms6, want6, len6);
    }
}

/* conforms: RFC 8955 proves 7.1-4 7.2-3 refuses 7.1-4 7.2-3 */
static void a_negative_rate_discards(void **state)
{
    static const char *const CASES[] = {"8006 0000 bf800000", "8006 0000 80000000", "800c 0000 c7000000",
                                        "8006 0000 ff800000" /* minus infinity */};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct fs_actions actions = decode(CASES[i], "");

        assert_true(fs_actions_discard(&actions));
        assert_false(actions.rate_undefined);
        assert_string_equal(text_of(&actions), i == 2 ? "rate-limit 0pps" : "discard");
    }
}

static void nan_and_infinity_are_no_rate_and_no_accept(void **state)
{
    static const char *const CASES[] = {"8006 0000 7fc00000", "8006 0000 7f800000", "800c 0000 ffc00000",
                                        "8006 0000 7f800001", "800c 0000 7f800000"};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct fs_actions actions = decode(CASES[i], "");
        struct fs_ext_comms comms;
        struct fs_actions again;

        assert_true(actions.rate_undefined);
        assert_false(actions.rate_bytes_set || actions.rate_packets_set);
        assert_false(fs_actions_discard(&actions));
        assert_false(fs_actions_accept(&actions));
        assert_string_equal(text_of(&actions), "rate-limit undefined");
        fs_actions_encode(&actions, 1, &comms);
        fs_actions_decode(comms.comms[0], comms.count * 8u, NULL, 0, &again);
        assert_true(fs_actions_equal(&actions, &again));
    }
}

/* conforms: RFC 8955 proves 7.7-1 */
static void of_several_rates_of_a_kind_the_lower_counts_and_kinds_are_independent(void **state)
{
    struct fs_actions actions = decode("8006 0000 49989680 8006 0000 42fa0000 8006 0000 4e6e6b28 "
                                       "800c 0000 459c4000 800c 0000 447a0000",
                                       "");

    (void)state;
    assert_string_equal(text_of(&actions), "rate-limit 1kbps rate-limit 1kpps");
    assert_false(fs_actions_discard(&actions));
    actions = decode("800c 0000 459c4000 8006 0000 00000000", "");
    assert_string_equal(text_of(&actions), "discard rate-limit 5kpps");
    assert_true(fs_actions_discard(&actions));
}

/* conforms: RFC 8955 proves 7.7-1 */
static void of_several_marks_or_redirects_the_first_counts(void **state)
{
    struct fs_actions actions = decode("8009 00000000000a 8009 00000000000b 8208 00010000 0001 8008 fde8 00000064 "
                                       "0800 000000000000 010c c0000201 0001",
                                       "000d 20010db8000000000000000000000001 0064");

    (void)state;
    assert_string_equal(text_of(&actions), "mark 10 redirect 65536L:1 redirect-ip next-hop");
}

/* RFC 8955 7.3: bits 46 and 47 are in the sixth octet; any other octet may hold anything. */
/* conforms: RFC 8955 proves 7.3-1 7.3-3 refuses 7.3-3 */
static void the_terminal_bit_is_in_the_sixth_octet(void **state)
{
    struct fs_actions actions = decode("8007 ffffffffff00", "");

    (void)state;
    assert_true(fs_actions_accept(&actions));
    actions = decode("8007 0000000000fd", "");
    assert_true(actions.go_on);
    assert_false(actions.sample);
    actions = decode("8007 0000000000fe", "");
    assert_false(actions.go_on);
    assert_true(actions.sample);
    actions = decode("8007 000000000001 8007 000000000002", "");
    assert_true(actions.go_on && actions.sample);
}

/* conforms: RFC 8955 proves 7.5-3 refuses 7.5-3 */
static void reserved_bits_of_a_mark_are_ignored(void **state)
{
    struct fs_actions actions = decode("8009 ffffffffffee", "");

    (void)state;
    assert_string_equal(text_of(&actions), "mark 46");
}

/* conforms: RFC 7606 proves 7.14-2 7.15-2 */
static void other_communities_and_remainders_are_skipped(void **state)
{
    struct fs_actions actions = decode("0002 fde8 00000064 4006 0000 00000000 0306 0000 00000000 8006 0000 0000",
                                       "0002 20010db8000000000000000000000001 0064 000c 2001");

    (void)state;
    assert_true(fs_actions_accept(&actions));
    fs_actions_decode(NULL, 0, NULL, 0, &actions);
    assert_true(fs_actions_accept(&actions));
}

/* conforms: RFC 8955 proves 7.1-1 */
static void rates_carry_the_low_half_of_the_as_number(void **state)
{
    struct fs_actions actions = {.rate_bytes_set = true};
    struct fs_ext_comms comms;

    (void)state;
    fs_actions_encode(&actions, 4200000000, &comms);
    assert_int_equal(comms.comms[0][2] << 8 | comms.comms[0][3], 4200000000 & 0xffff);
}

static void all_actions_at_once_fit_and_ascend(void **state)
{
    struct fs_actions all = {.rate_bytes_set = true,
                             .rate_packets_set = true,
                             .rate_undefined = true,
                             .source_bytes = {.set = true, .length = 24, .rate_per_s = 1, .sources = 8192},
                             .source_packets = {.set = true, .length = 128, .rate_per_s = 2, .sources = 4096},
                             .mark_set = true,
                             .sample = true,
                             .redirect_ip_set = true,
                             .redirect_ip = {.family = IP_V4},
                             .redirect = {.kind = FS_REDIRECT_RT_AS4}},
                      again;
    struct fs_ext_comms comms;

    (void)state;
    fs_actions_encode(&all, 1, &comms);
    assert_int_equal(comms.count, 9);
    for (unsigned i = 1; i < comms.count; i++)
        assert_true(memcmp(comms.comms[i - 1], comms.comms[i], 2) <= 0);
    fs_actions_decode(comms.comms[0], comms.count * 8u, NULL, 0, &again);
    assert_true(fs_actions_equal(&all, &again));
}

static void equality_sees_every_field_that_counts(void **state)
{
    static const char *const APART[] = {
        "",
        "8006 0000 00000000",
        "8006 0000 49989680",
        "800c 0000 00000000",
        "8006 0000 7fc00000",
        "8007 000000000001",
        "8007 000000000002",
        "8009 000000000000",
        "8009 000000000001",
        "8008 0001 00000001",
        "8008 0001 00000002",
        "8008 0002 00000001",
        "8108 00000001 0001",
        "8208 00000001 0001",
        "010c 00000001 0000",
        "010c 00000001 0001",
        "010c 00000002 0000",
        "0800 000000000000",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(APART); i++) {
        for (size_t j = 0; j < COUNT(APART); j++) {
            struct fs_actions a = decode(APART[i], ""), b = decode(APART[j], "");
            assert_int_equal(fs_actions_equal(&a, &b), i == j);
        }
    }
    struct fs_actions a = decode("", "000d 20010db8000000000000000000000001 0064");
    struct fs_actions b = decode("", "000d 20010db8000000000000000000000002 0064");
    assert_false(fs_actions_equal(&a, &b));
    assert_true(fs_actions_equal(&a, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_community_is_read_and_written_back),
        cmocka_unit_test(a_negative_rate_discards),
        cmocka_unit_test(nan_and_infinity_are_no_rate_and_no_accept),
        cmocka_unit_test(of_several_rates_of_a_kind_the_lower_counts_and_kinds_are_independent),
        cmocka_unit_test(of_several_marks_or_redirects_the_first_counts),
        cmocka_unit_test(the_terminal_bit_is_in_the_sixth_octet),
        cmocka_unit_test(reserved_bits_of_a_mark_are_ignored),
        cmocka_unit_test(other_communities_and_remainders_are_skipped),
        cmocka_unit_test(rates_carry_the_low_half_of_the_as_number),
        cmocka_unit_test(all_actions_at_once_fit_and_ascend),
        cmocka_unit_test(equality_sees_every_field_that_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
