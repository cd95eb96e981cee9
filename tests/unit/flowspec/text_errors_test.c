/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule text that is wrong: the column, what is wrong, and what would be right. */
#include "fs_test.h"

struct mistake {
    const char *text;
    size_t column;
    const char *error;
};

#define COMPONENTS                                                                                                     \
    "destination source protocol port destination-port source-port icmp-type icmp-code tcp-flags packet-length dscp "  \
    "fragment flow-label family rd then"

static void expect_all(const struct mistake *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fs_rule *rule = (struct fs_rule *)&cases; /* must become NULL */
        struct fs_text_error error;
        struct fs_actions actions;

        assert_false(fs_text_parse(cases[i].text, &rule, &actions, &error));
        assert_null(rule);
        assert_string_equal(error.text, cases[i].error);
        assert_int_equal(error.column, cases[i].column);
    }
}

static void the_frame_of_a_rule(void **state)
{
    static const struct mistake CASES[] = {
        {"", 1, "a rule starts with match"},
        {"   ", 4, "a rule starts with match"},
        {"destination 192.0.2.1", 1, "destination: a rule starts with match"},
        {"match", 1, "a rule has at least one component; destination 0.0.0.0/0 or ::/0 matches everything"},
        {"match then discard", 1,
         "a rule has at least one component; destination 0.0.0.0/0 or ::/0 matches everything"},
        {"match dst 192.0.2.1", 7, "dst: not one of: " COMPONENTS},
        {"match port", 7, "port: a value must follow"},
        {"match port then discard", 7, "port: a value must follow"},
        {"match port 1 port 2", 14, "port: stands twice; join its terms with , or &"},
        {"match family ipv6 family ipv6 port 1", 19, "family: stands twice"},
        {"match family ip6 port 1", 14, "family ip6: write ipv4 or ipv6"},
        {"match port 1 discard", 14, "discard: not one of: " COMPONENTS},
        {"match rd 1 port 1", 10, "rd 1: write 65000:100, 192.0.2.1:100, 4200000000L:100 or 0x and 16 digits"},
        {"match rd [::1]:1 port 1", 10,
         "rd [::1]:1: write 65000:100, 192.0.2.1:100, 4200000000L:100 or 0x and 16 digits"},
    };

    (void)state;
    expect_all(CASES, COUNT(CASES));
}

static void prefixes(void **state)
{
    static const struct mistake CASES[] = {
        {"match destination 203.0.113.7/33", 19, "destination 203.0.113.7/33: prefix length is 0 to 32"},
        {"match destination 203.0.113.7/", 19, "destination 203.0.113.7/: prefix length is 0 to 32"},
        {"match source 2001:db8::/129", 14, "source 2001:db8::/129: prefix length is 0 to 128"},
        {"match source 203.0.113", 14, "source 203.0.113: not a prefix such as 203.0.113.0/24 or 2001:db8::/32"},
        {"match source example.net", 14, "source example.net: not a prefix such as 203.0.113.0/24 or 2001:db8::/32"},
        {"match source 10.0.0.0/8-16", 14,
         "source 10.0.0.0/8-16: only an IPv6 prefix has an offset; write ADDRESS/LENGTH"},
        {"match source ::/16-16", 14, "source ::/16-16: the offset must be below the length"},
        {"match source ::/1-0", 14, "source ::/1-0: the offset must be below the length"},
        {"match source ::/-16", 14, "source ::/-16: prefix length is 0 to 128"},
        {"match source ::/8-", 14, "source ::/8-: prefix length is 0 to 128"},
    };

    (void)state;
    expect_all(CASES, COUNT(CASES));
}

static void families_that_do_not_agree(void **state)
{
    static const struct mistake CASES[] = {
        {"match destination 192.0.2.1 source ::/0", 36,
         "source ::/0: this belongs to IPv6, the words before it to IPv4"},
        {"match destination 192.0.2.1 flow-label 1", 40,
         "flow-label 1: this belongs to IPv6, the words before it to IPv4"},
        {"match destination 192.0.2.1 family ipv6", 19,
         "destination 192.0.2.1: this belongs to IPv4, family says IPv6"},
        {"match fragment dont-fragment source ::/0", 16, "fragment dont-fragment: IPv6 has no dont-fragment bit"},
    };

    (void)state;
    expect_all(CASES, COUNT(CASES));
}

static void terms(void **state)
{
    static const struct mistake CASES[] = {
        {"match port 1,,2", 12, "port 1,,2: each , or & stands between two terms"},
        {"match port 1, 2", 12, "1,: terms are joined without blanks, as in 53,123"},
        {"match port &1", 12, "port &1: each , or & stands between two terms"},
        {"match port 1,x,3", 14, "port x: write a number, as in 53, !=53, >1023 or 1024-2047"},
        {"match port 1,>,3", 14, "port >: write a number, as in 53, !=53, >1023 or 1024-2047"},
        {"match port =1-2", 12, "port =1-2: write a number, as in 53, !=53, >1023 or 1024-2047"},
        {"match port 9-2", 12, "port 9-2: a range runs upwards"},
        {"match port -1", 12, "port -1: write a number, as in 53, !=53, >1023 or 1024-2047"},
        {"match port 18446744073709551616", 12,
         "port 18446744073709551616: write a number, as in 53, !=53, >1023 or 1024-2047"},
        {"match port 0x", 12, "port 0x: write a number, as in 53, !=53, >1023 or 1024-2047"},
        {"match protocol ipip", 16, "protocol ipip: write a number or one of: tcp udp icmp icmp6 gre esp ah sctp"},
        {"match dscp 64", 12, "dscp 64: a value is 0 to 63"},
        {"match tcp-flags syn+foo", 17, "tcp-flags syn+foo: write a number or one of: fin syn rst psh ack urg ece cwr"},
        {"match tcp-flags syn,", 17, "syn,: terms are joined without blanks, as in 53,123"},
        {"match port 1 ,2", 14, ",2: terms are joined without blanks, as in 53,123"},
        {"match port 1 & 2", 14, "&: terms are joined without blanks, as in 53,123"},
        {"match tcp-flags 0x1000", 17, "tcp-flags 0x1000: bits are within 0xfff"},
        {"match fragment 0x10", 16, "fragment 0x10: bits are within 0xf"},
        {"match fragment df", 16,
         "fragment df: write a number or one of: dont-fragment is-fragment first-fragment last-fragment"},
    };

    (void)state;
    expect_all(CASES, COUNT(CASES));
}

static void actions(void **state)
{
    static const struct mistake CASES[] = {
        {"match port 1 then", 14, "then: an action must follow, such as discard"},
        {"match port 1 then drop", 19,
         "drop: not one of: accept discard rate-limit mark redirect redirect-ip sample continue"},
        {"match port 1 then discard discard", 27, "discard: a rule has one discard or rate-limit in bits or bytes"},
        {"match port 1 then rate-limit 1pps rate-limit 2pps", 35, "rate-limit: a rule has one rate-limit in packets"},
        {"match port 1 then rate-limit", 19, "rate-limit: a value must follow, such as 10mbps"},
        {"match port 1 then rate-limit 10", 30,
         "rate-limit 10: write a number and one of kbps mbps gbps (bits/s), Bps (bytes/s), pps kpps mpps (packets/s)"},
        {"match port 1 then rate-limit -1mbps", 30,
         "rate-limit -1mbps: write a number and one of kbps mbps gbps (bits/s), Bps (bytes/s), pps kpps mpps "
         "(packets/s)"},
        {"match port 1 then rate-limit 1Bps per-source /129", 46, "per-source /129: a prefix length is /0 to /128"},
        {"match port 1 then rate-limit 1Bps per-source /24 4097", 50,
         "per-source 4097: so many sources are a multiple of 4096 up to 1048576"},
        {"match port 1 then rate-limit 1Bps per-source rate-limit 2Bps per-source", 46,
         "rate-limit: a rule has one rate-limit per-source of a kind"},
        {"match port 1 then rate-limit 1e39Bps", 30,
         "rate-limit 1e39Bps: the rate is too high for BGP, which carries up to 3.4e38"},
        {"match port 1 then rate-limit 1e-60Bps", 30,
         "rate-limit 1e-60Bps: the rate is too low for BGP; discard drops everything"},
        {"match port 1 then mark 64", 24, "mark 64: a DSCP is 0 to 63, or a name such as ef, af11 or cs1"},
        {"match port 1 then mark 1 mark 2", 26, "mark: a rule has one mark"},
        {"match port 1 then redirect x", 28,
         "redirect x: write a route target: 65000:100, 192.0.2.1:100, 4200000000L:100 or [2001:db8::1]:100"},
        {"match port 1 then redirect 1:1 redirect 1:2", 32, "redirect: a rule has one redirect"},
        {"match port 1 then redirect-ip x", 31, "redirect-ip x: write an IPv4 or IPv6 address, or next-hop"},
        {"match port 1 then redirect-ip ::1 redirect-ip ::2", 35, "redirect-ip: a rule has one redirect-ip"},
        {"match port 1 then accept discard", 19, "accept: the same rule takes packets away; say one of the two"},
        {"match port 1 then discard accept", 27, "accept: the same rule takes packets away; say one of the two"},
        {"match port 1 then sample sample", 26, "sample: a rule has one sample"},
        {"match port 1 then continue continue", 28, "continue: a rule has one continue"},
        {"match port 1 then copy", 19,
         "copy: not one of: accept discard rate-limit mark redirect redirect-ip sample continue"},
    };

    (void)state;
    expect_all(CASES, COUNT(CASES));
}

/* The text may come from a file or a socket, the error goes to a terminal. */
static void errors_stay_printable_and_short(void **state)
{
    static char text[4096] = "match port ";
    struct fs_text_error error;
    struct fs_actions parsed;
    struct fs_rule *rule;

    (void)state;
    assert_false(fs_text_parse("match \x1b[31m\xff port 1", &rule, &parsed, &error));
    for (const char *c = error.text; *c; c++)
        assert_true(*c >= ' ' && *c < 0x7f);
    memset(text + strlen(text), 'x', sizeof text - strlen(text) - 1);
    assert_false(fs_text_parse(text, &rule, &parsed, &error));
    assert_true(strlen(error.text) < sizeof error.text - 1);
    assert_non_null(strstr(error.text, "xxx...: write a number"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frame_of_a_rule),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(families_that_do_not_agree),
        cmocka_unit_test(terms),
        cmocka_unit_test(actions),
        cmocka_unit_test(errors_stay_printable_and_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
