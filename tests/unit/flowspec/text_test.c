/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule text of the match side: what is read, what is printed, and that both agree. */
#include "fs_test.h"

#include <stdio.h>

static const char *printed(const char *text)
{
    static char out[FS_RULE_TEXT_MAX];
    static const struct fs_actions ACCEPT;
    struct strbuf sb = sb_init(out, sizeof out);
    struct fs_rule *rule = rule_from_text(text);

    fs_rule_format(rule, &ACCEPT, &sb);
    fs_rule_free(rule);
    return out;
}

static void reads_every_spelling_and_prints_one(void **state)
{
    static const char *const CASES[][2] = {
        {"match destination 203.0.113.7/32 protocol udp source-port 123",
         "match destination 203.0.113.7/32 protocol =udp source-port =123"},
        {"match source-port 53,123 destination 203.0.113.7", "match destination 203.0.113.7/32 source-port =53,=123"},
        {"match destination 203.0.113.7/24", "match destination 203.0.113.0/24"},
        {"match port 1024-2047", "match port >=1024&<=2047"},
        {"match port >=1024&<=2047", "match port >=1024&<=2047"},
        {"match port !=53,>1023,<7,<=8", "match port !=53,>1023,<7,<=8"},
        {"match port true,false&true", "match port true,false&true"},
        {"match port 53-53,0x1f90", "match port >=53&<=53,=8080"},
        {"match protocol 17", "match protocol =udp"},
        {"match protocol >=tcp&!=icmp6,256", "match protocol >=tcp&!=icmp6,=256"},
        {"match protocol 1,2,6,17,47,50,51,58,132", "match protocol =icmp,=2,=tcp,=udp,=gre,=esp,=ah,=icmp6,=sctp"},
        {"match tcp-flags syn", "match tcp-flags syn"},
        {"match tcp-flags =ack+syn,!rst,!=syn+ack", "match tcp-flags =syn+ack,!rst,!=syn+ack"},
        {"match tcp-flags fin+syn+rst+psh+ack+urg+ece+cwr", "match tcp-flags fin+syn+rst+psh+ack+urg+ece+cwr"},
        {"match tcp-flags 0x12&!0x100,0,=0x0", "match tcp-flags syn+ack&!0x100,0x0,=0x0"},
        {"match tcp-flags syn+0x100", "match tcp-flags 0x102"},
        {"match fragment dont-fragment,=is-fragment+last-fragment,first-fragment",
         "match fragment dont-fragment,=is-fragment+last-fragment,first-fragment"},
        {"match dscp ef,af11,12", "match dscp =46,=10,=12"},
        {"match packet-length >1500 icmp-type 8 icmp-code 0", "match icmp-type =8 icmp-code =0 packet-length >1500"},
        {"match port 18446744073709551615", "match port =18446744073709551615"},
        {"match destination 2001:DB8::1", "match destination 2001:db8::1/128"},
        {"match destination 2001:db8:0:0:1:2:345:4/64-104", "match destination ::1:2:300:0/64-104"},
        {"match destination 2001:db8::/0-32", "match destination 2001:db8::/32"},
        {"match destination ::/0-0", "match destination ::/0"},
        {"match destination 0.0.0.0/0", "match destination 0.0.0.0/0"},
        {"match flow-label 5,>0xfffff", "match flow-label =5,>1048575"},
        {"match family ipv6 protocol icmp6", "match family ipv6 protocol =icmp6"},
        {"match protocol 6 family ipv6", "match family ipv6 protocol =tcp"},
        {"match family ipv6 flow-label 1", "match flow-label =1"},
        {"match family ipv6 source ::/0", "match source ::/0"},
        {"match family ipv4 protocol 6", "match protocol =tcp"},
        {"match rd 65000:100 protocol 6", "match rd 65000:100 protocol =tcp"},
        {"match rd 192.0.2.1:7 family ipv6 port 1", "match family ipv6 rd 192.0.2.1:7 port =1"},
        {"match rd 65000L:7 port 1", "match rd 65000L:7 port =1"},
        {"match rd 70000:7 port 1", "match rd 70000L:7 port =1"},
        {"match rd 0x0009000000000001 port 1", "match rd 0x0009000000000001 port =1"},
        {"\t match   port\t53 \r\n", "match port =53"},
    };
    char want[256];

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        snprintf(want, sizeof want, "%s then accept", CASES[i][1]);
        assert_string_equal(printed(CASES[i][0]), want);
        assert_string_equal(printed(want), want);
    }
}

static void text_gives_the_octets_of_the_rfc(void **state)
{
    struct fs_rule *rule = rule_from_text("match port 137-139,8080 source 203.0.113.0/24 destination 192.0.2.0/24");

    (void)state;
    assert_string_equal(hex_of(rule), "120118c000020218cb0071040389458b911f90");
    fs_rule_free(rule);
}

static void the_match_alone_has_neither_family_nor_rd(void **state)
{
    struct fs_rule *rule = rule_from_text("match family ipv6 rd 1:2 protocol tcp port 53,123");

    (void)state;
    assert_int_equal(rule->family, IP_V6);
    assert_string_equal(match_of(rule), "protocol =tcp port =53,=123");
    fs_rule_free(rule);
}

/* The costliest text: every operator with all names of the longest kind. */
static void the_longest_rule_fits_the_promised_text_and_comes_back(void **state)
{
    static struct fs_term terms[FS_TERMS_MAX];
    static char text[FS_RULE_TEXT_MAX];
    struct fs_component component = {.type = FS_FRAGMENT, .term_count = FS_TERMS_MAX};
    struct fs_actions all = {.rate_bytes_set = true,
                             .rate_bytes_per_s = 3e38F,
                             .rate_packets_set = true,
                             .rate_packets_per_s = 3e38F,
                             .mark_set = true,
                             .dscp = 63,
                             .sample = true,
                             .go_on = true,
                             .redirect_ip_set = true,
                             .redirect_ip_copy = true,
                             .redirect = {.kind = FS_REDIRECT_RT_IPV6, .value = 65535}};
    struct fs_rule *rule, *back;
    struct fs_text_error error;
    struct fs_actions actions;

    (void)state;
    memset(all.redirect.admin_v6, 0xff, 16);
    for (size_t i = 0; i < COUNT(terms); i++)
        terms[i] = (struct fs_term){.value = 0x0f, .op = FS_OP_NOT | FS_OP_MATCH | FS_OP_AND};
    assert_int_equal(fs_rule_build(IP_V4, NULL, &component, 1, terms, &rule), FS_OK);
    assert_int_equal(rule->nlri_len, FS_NLRI_MAX);
    struct strbuf out = sb_init(text, sizeof text);
    fs_rule_format(rule, &all, &out);
    assert_false(sb_truncated(&out));
    assert_true(fs_text_parse(text, &back, &actions, &error));
    assert_true(fs_rule_equal(rule, back));
    assert_true(fs_actions_equal(&all, &actions));
    fs_rule_free(rule);
    fs_rule_free(back);
}

static void a_rule_beyond_4095_octets_is_refused(void **state)
{
    static char text[32768] = "match port 1";
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    (void)state;
    for (size_t at = strlen(text), i = 0; i < 2047; i++, at += 2)
        memcpy(text + at, ",1", 3);
    assert_false(fs_text_parse(text, &rule, &actions, &error));
    assert_null(rule);
    assert_non_null(strstr(error.text, "more than 4095 octets"));
    text[strlen(text) - 2] = '\0';
    assert_true(fs_text_parse(text, &rule, &actions, &error));
    assert_int_equal(rule->nlri_len, 4095);
    fs_rule_free(rule);
    memcpy(text + strlen(text) - 1, "256", 4); /* as many terms, one octet more */
    assert_false(fs_text_parse(text, &rule, &actions, &error));
    assert_non_null(strstr(error.text, "more than 4095 octets"));
}

static void route_targets_and_distinguishers_read_their_own_text(void **state)
{
    static const char *const TARGETS[][2] = {
        {"65000:100", "65000:100"},
        {"65535:4294967295", "65535:4294967295"},
        {"4200000000L:100", "4200000000L:100"},
        {"4200000000:100", "4200000000L:100"},
        {"1L:1", "1L:1"},
        {"192.0.2.1:65535", "192.0.2.1:65535"},
        {"[2001:db8::1]:100", "[2001:db8::1]:100"},
    };
    static const char *const NONE[] = {"",
                                       ":",
                                       "65000",
                                       "65000:",
                                       "65000:4294967296",
                                       "1L:65536",
                                       "192.0.2.1:65536",
                                       "4294967296:1",
                                       "2001:db8::1:100",
                                       "[192.0.2.1]:1",
                                       "x:1",
                                       "[2001:db8::1]:65536",
                                       "1:1x",
                                       "-1:1",
                                       "[]:1",
                                       "[:1"};

    (void)state;
    for (size_t i = 0; i < COUNT(TARGETS); i++) {
        struct fs_route_target target;
        char text[80];
        struct strbuf out = sb_init(text, sizeof text);

        assert_true(fs_route_target_parse(TARGETS[i][0], &target));
        fs_route_target_format(&target, &out);
        assert_string_equal(text, TARGETS[i][1]);
    }
    for (size_t i = 0; i < COUNT(NONE); i++) {
        struct fs_route_target target;
        uint64_t rd;

        assert_false(fs_route_target_parse(NONE[i], &target));
        assert_int_equal(target.kind, FS_REDIRECT_NONE);
        assert_false(fs_rd_parse(NONE[i], &rd));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_spelling_and_prints_one),
        cmocka_unit_test(text_gives_the_octets_of_the_rfc),
        cmocka_unit_test(the_match_alone_has_neither_family_nor_rd),
        cmocka_unit_test(the_longest_rule_fits_the_promised_text_and_comes_back),
        cmocka_unit_test(a_rule_beyond_4095_octets_is_refused),
        cmocka_unit_test(route_targets_and_distinguishers_read_their_own_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
