/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <string.h>

#include "base/ip.h"

static void prefixes_round_trip_and_lose_host_bits(void **state)
{
    static const char *const cases[][2] = {
        {"203.0.113.7/32", "203.0.113.7/32"},
        {"203.0.113.7", "203.0.113.7/32"},
        {"203.0.113.7/20", "203.0.112.0/20"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::/0", "::/0"},
        {"2001:db8::1", "2001:db8::1/128"},
        {"2001:db8::ffff/113", "2001:db8::8000/113"},
    };
    char text[IP_TEXT_SIZE];
    struct ip_prefix prefix;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(ip_prefix_parse(cases[i][0], &prefix));
        assert_string_equal(ip_prefix_format(&prefix, text), cases[i][1]);
    }
}

static void refuses_what_is_no_prefix(void **state)
{
    static const char *const cases[] = {"",
                                        "/",
                                        "1.2.3.4/",
                                        "1.2.3.4/33",
                                        "::/129",
                                        "1.2.3/24",
                                        "1.2.3.4/+8",
                                        "1.2.3.4/8x",
                                        "1.2.3.4/0008",
                                        "1.2.3.4 /8",
                                        "host/8",
                                        "2001:db8::g/64",
                                        "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64"};
    struct ip_prefix prefix;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_false(ip_prefix_parse(cases[i], &prefix));
}

static void covers_by_family_and_bits(void **state)
{
    struct ip_prefix prefix;
    struct ip_addr addr;

    (void)state;
    assert_true(ip_prefix_parse("10.16.0.0/12", &prefix));
    assert_true(ip_addr_parse("10.31.255.255", &addr));
    assert_true(ip_prefix_covers(&prefix, &addr));
    assert_true(ip_addr_parse("10.32.0.0", &addr));
    assert_false(ip_prefix_covers(&prefix, &addr));
    assert_true(ip_prefix_parse("0.0.0.0/0", &prefix));
    assert_true(ip_addr_parse("::1", &addr));
    assert_false(ip_prefix_covers(&prefix, &addr));
}

static void keeps_a_window_of_bits(void **state)
{
    uint8_t octets[3] = {0xff, 0xff, 0xff};
    static const uint8_t want[3] = {0x07, 0xff, 0x80};

    (void)state;
    ip_bits_keep(octets, sizeof octets, 5, 17);
    assert_memory_equal(octets, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_round_trip_and_lose_host_bits),
        cmocka_unit_test(refuses_what_is_no_prefix),
        cmocka_unit_test(covers_by_family_and_bits),
        cmocka_unit_test(keeps_a_window_of_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
