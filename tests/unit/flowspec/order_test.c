/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of RFC 8955 5.1 and RFC 8956 4, each pair asked from both sides. */
#include "fs_test.h"

#include "flowspec/order.h"

static void expect_pair(const char *first, const char *second, int want)
{
    struct fs_rule *a = rule_from_text(first), *b = rule_from_text(second);
    int order = fs_rule_compare(a, b), back = fs_rule_compare(b, a);

    if ((order < 0) != (want < 0) || (order > 0) != (want > 0))
        fail_msg("'%s' against '%s': %d", first, second, order);
    if ((back < 0) != (want > 0) || (back > 0) != (want < 0))
        fail_msg("'%s' against '%s', from the other side: %d", first, second, back);
    fs_rule_free(a);
    fs_rule_free(b);
}

/* Each rule of the list is evaluated before every one behind it. */
static void expect_ascending(const char *const *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            expect_pair(rules[i], rules[j], i < j ? -1 : i > j);
}

/* conforms: RFC 8955 proves 5.1-1 */
static void the_lowest_type_and_then_the_longer_list_of_components_first(void **state)
{
    static const char *const RULES[] = {
        "match destination 192.0.2.0/24 source 198.51.100.0/24",
        "match destination 192.0.2.0/24 protocol 17 port 53",
        "match destination 192.0.2.0/24 protocol 17",
        "match destination 192.0.2.0/24 port 53",
        "match destination 192.0.2.0/24",
        "match source 192.0.2.0/24",
        "match protocol 6 fragment is-fragment",
        "match protocol 6",
        "match port 1",
        "match fragment is-fragment",
    };

    (void)state;
    expect_ascending(RULES, COUNT(RULES));
}

/* conforms: RFC 8955 proves 5.1-1 */
static void one_prefix_inside_the_other_the_longer_first(void **state)
{
    static const char *const RULES[] = {
        "match destination 10.0.0.0/32", "match destination 10.0.0.0/31", "match destination 10.0.0.0/16",
        "match destination 10.0.0.0/15", "match destination 10.0.0.0/8",  "match destination 0.0.0.0/0",
    };

    (void)state;
    expect_ascending(RULES, COUNT(RULES));
}

/* conforms: RFC 8955 proves 5.1-1 */
static void prefixes_apart_the_lower_address_first_whatever_their_length(void **state)
{
    static const char *const RULES[] = {
        "match source 10.0.0.0/8",     "match source 11.1.0.0/16",   "match source 11.2.0.0/32",
        "match source 128.0.0.0/9",    "match source 128.128.0.0/9", "match source 203.0.113.0/24",
        "match source 203.0.114.0/25",
    };

    (void)state;
    expect_ascending(RULES, COUNT(RULES));
}

/* conforms: RFC 8955 proves 5.1-1 */
static void equal_destinations_leave_it_to_the_source(void **state)
{
    static const char *const RULES[] = {
        "match destination 192.0.2.1/32 source 10.1.0.0/16",
        "match destination 192.0.2.1/32 source 10.0.0.0/8",
        "match destination 192.0.2.1/32",
        "match destination 192.0.2.0/24 source 10.1.0.0/16",
        "match destination 192.0.2.0/24",
    };

    (void)state;
    expect_ascending(RULES, COUNT(RULES));
}

/* conforms: RFC 8955 proves 5.1-1 */
static void operator_lists_compare_as_octets(void **state)
{
    static const char *const RULES[] = {
        "match port 1,2",     /* 01 01 81 02 */
        "match port 1,65535", /* 01 01 91 ff ff */
        "match port 9,1",     /* 01 09 81 01 */
        "match port 256,1",   /* 11 01 00 81 01: a longer value after every shorter one */
        "match port 1",       /* 81 01: end of list is the highest bit */
        "match port 9",       /* 81 09 */
        "match port >1",      /* 82 01 */
        "match port <1",      /* 84 01 */
        "match port 256",     /* 91 01 00 */
    };

    (void)state;
    expect_ascending(RULES, COUNT(RULES));
}

/* conforms: RFC 8956 proves 4-1 */
static void the_lower_ipv6_offset_first(void **state)
{
    static const char *const RULES[] = {
        "match destination 2001:db8::/64", "match destination 2001:db8::/32",   "match destination ffff::/16",
        "match destination ::/0",          "match destination ::/32-64",        "match destination 0:0:0:1::/32-64",
        "match destination ::/32-48",      "match destination 0:0:0:1::/33-64", "match destination ::1:0:0:0/64-80",
        "match source 2001:db8::/32",
    };

    (void)state;
    expect_ascending(RULES, COUNT(RULES));
}

static void families_come_one_after_the_other(void **state)
{
    (void)state;
    expect_pair("match fragment is-fragment", "match family ipv6 protocol 6", -1);
    expect_pair("match port 1", "match family ipv6 port 1", -1);
}

static void route_distinguishers_decide_last(void **state)
{
    static const char *const RULES[] = {
        "match rd 9:9 destination 10.0.0.0/16", "match destination 10.0.0.0/8",
        "match rd 1:1 destination 10.0.0.0/8",  "match rd 1:2 destination 10.0.0.0/8",
        "match rd 0:1 destination 11.0.0.0/8",
    };

    (void)state;
    expect_ascending(RULES, COUNT(RULES));
}

static void equal_rules_are_equal(void **state)
{
    (void)state;
    expect_pair("match port 1024-2047 destination 10.0.0.1/8", "match destination 10.0.0.0/8 port >=1024&<=2047", 0);
    expect_pair("match rd 1:1 port 1", "match rd 1:1 port =1", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_type_and_then_the_longer_list_of_components_first),
        cmocka_unit_test(one_prefix_inside_the_other_the_longer_first),
        cmocka_unit_test(prefixes_apart_the_lower_address_first_whatever_their_length),
        cmocka_unit_test(equal_destinations_leave_it_to_the_source),
        cmocka_unit_test(operator_lists_compare_as_octets),
        cmocka_unit_test(the_lower_ipv6_offset_first),
        cmocka_unit_test(families_come_one_after_the_other),
        cmocka_unit_test(route_distinguishers_decide_last),
        cmocka_unit_test(equal_rules_are_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
