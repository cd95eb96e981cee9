/* SPDX-License-Identifier: BSD-3-Clause */
/* When a rule matches a packet: RFC 8955 section 4.2.2, RFC 8956 section 3, component by component. */
#include "../cm.h"

#include "classifier/classifier.h"
#include "rules.h"

struct expectation {
    const char *rule;
    bool matches;
};

static void assert_matches(const struct pkt_key *key, const struct expectation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fs_rule *rule = rule_of(cases[i].rule);
        if (cls_rule_matches(rule, key) != cases[i].matches)
            fail_msg("'%s' should %smatch", cases[i].rule, cases[i].matches ? "" : "not ");
        fs_rule_free(rule);
    }
}

#define ASSERT_MATCHES(key, cases) assert_matches(&(key), cases, sizeof(cases) / sizeof(cases)[0])

static void prefixes_match_their_bits(void **state)
{
    const struct expectation cases[] = {
        {"destination 203.0.113.7/32", true},
        {"destination 203.0.113.6/32", false},
        {"destination 203.0.113.6/31", true},
        {"destination 203.0.113.8/29", false},
        {"destination 203.0.112.0/23", true},
        {"destination 203.0.128.0/17", false},
        {"destination 0.0.0.0/0", true},
        {"destination 128.0.0.0/1", true},
        {"destination 0.0.0.0/1", false},
        {"destination 192.0.2.1/32", false},
        {"source 192.0.2.1/32", true},
        {"source 203.0.113.7/32", false},
        {"destination 203.0.113.0/24 source 192.0.2.0/24", true},
        {"destination 203.0.113.0/24 source 192.0.3.0/24", false},
    };
    struct pkt_key key = udp4_key();

    (void)state;
    ASSERT_MATCHES(key, cases);
}

/* conforms: RFC 8956 proves 3.1-1 3.2-1 */
static void ipv6_prefixes_match_from_their_offset_on(void **state)
{
    const struct expectation cases[] = {
        {"destination 2001:db8:7::9/128", true},
        {"destination 2001:db8:7::8/127", true},
        {"destination 2001:db8:7::a/127", false},
        {"destination ::/0", true},
        {"destination ffff:ffff:7::/32-48", true},
        {"destination ffff:ffff:6::/32-48", false},
        {"destination 0:0:6::/32-47", true},
        {"destination ::9/127-128", true},
        {"destination ::8/127-128", false},
        {"destination ::8/124-127", true},
        {"destination ::1/124-127", false},
        {"destination 3001:db8::/4-32", true},
        {"source ::1/64-128", true},
        {"source ::3/64-128", false},
    };
    struct pkt_key key = tcp6_key();

    (void)state;
    ASSERT_MATCHES(key, cases);
}

static void the_families_never_meet(void **state)
{
    const struct expectation on4[] = {
        {"family ipv4 protocol =udp", true}, {"family ipv6 protocol =udp", false}, {"destination ::/0", false}};
    const struct expectation on6[] = {
        {"family ipv6 protocol =tcp", true}, {"family ipv4 protocol =tcp", false}, {"destination 0.0.0.0/0", false}};
    struct pkt_key key4 = udp4_key(), key6 = tcp6_key();

    (void)state;
    ASSERT_MATCHES(key4, on4);
    ASSERT_MATCHES(key6, on6);
}

/* conforms: RFC 8955 proves 4.2.1.1-6 */
static void numeric_operators_compare_as_table_1_says(void **state)
{
    const struct expectation cases[] = {
        {"packet-length =468", true},
        {"packet-length =467", false},
        {"packet-length >467", true},
        {"packet-length >468", false},
        {"packet-length >=468", true},
        {"packet-length <468", false},
        {"packet-length <=468", true},
        {"packet-length !=468", false},
        {"packet-length !=1", true},
        {"packet-length true", true},
        {"packet-length false", false},
        {"packet-length 400-500", true},
        {"packet-length 469-500", false},
        {"packet-length >=400&<=467,=468", true},
        {"packet-length =468&=1,=2", false},
        {"packet-length =1,=2,>400&<470", true},
        {"packet-length =4294967764", false},
        {"packet-length <4294967296", true},
        {"protocol =17", true},
        {"protocol !=udp", false},
        {"dscp =46", true},
        {"dscp =45,=47", false},
    };
    struct pkt_key key = udp4_key();

    (void)state;
    ASSERT_MATCHES(key, cases);
}

static void port_matches_either_port_and_the_others_their_own(void **state)
{
    const struct expectation cases[] = {
        {"port =123", true},
        {"port =4000", true},
        {"port =124", false},
        {"port >=100&<=200", true},
        {"port >=200&<=3000", false}, /* no single port is in the range */
        {"port !=123", true},
        {"source-port =123", true},
        {"source-port =4000", false},
        {"destination-port =4000", true},
        {"destination-port =123", false},
    };
    struct pkt_key key = udp4_key();

    (void)state;
    ASSERT_MATCHES(key, cases);
}

/* RFC 8955 4.2.2.4 to 4.2.2.9: not even `true` matches, and no value of 0 stands in for a header that is not there. */
/* conforms: RFC 8955 proves 4.2.2.4-2 4.2.2.7-2 4.2.2.9-3 */
/* conforms: RFC 8956 proves 3.4-2 */
static void upper_layer_components_never_match_without_their_header(void **state)
{
    const struct expectation cases[] = {
        {"port true", false},           {"destination-port true", false},
        {"source-port true", false},    {"port =0", false},
        {"source-port =0", false},      {"icmp-type true", false},
        {"icmp-type =0", false},        {"icmp-code true", false},
        {"icmp-code =0", false},        {"tcp-flags !0xfff", false},
        {"tcp-flags =0", false},        {"protocol =udp", true},
        {"fragment is-fragment", true}, {"protocol =udp port !=1", false},
    };
    struct pkt_key key = udp4_key();

    (void)state;
    key.has = 0;
    key.src_port = key.dst_port = 0;
    key.fragment = PKT_FRAGMENT_IS;
    ASSERT_MATCHES(key, cases);
}

/* conforms: RFC 8955 proves 4.2.2.7-2 */
static void icmp_components_match_icmp_alone(void **state)
{
    const struct expectation cases[] = {
        {"icmp-type =3", true},  {"icmp-type =4", false}, {"icmp-code =1", true},
        {"icmp-code =3", false}, {"port true", false},    {"tcp-flags =0", false},
    };
    struct pkt_key key = udp4_key();

    (void)state;
    key.has = PKT_HAS_ICMP;
    key.protocol = 1;
    key.icmp_type = 3;
    key.icmp_code = 1;
    ASSERT_MATCHES(key, cases);
}

/* conforms: RFC 8955 proves 4.2.2.9-2 */
static void tcp_flags_match_twelve_bits(void **state)
{
    const struct expectation cases[] = {
        {"family ipv6 tcp-flags syn", true},       {"family ipv6 tcp-flags =syn", true},
        {"family ipv6 tcp-flags syn+ack", true},   {"family ipv6 tcp-flags =syn+ack", false},
        {"family ipv6 tcp-flags !=syn+ack", true}, {"family ipv6 tcp-flags !ack", true},
        {"family ipv6 tcp-flags =syn&!ack", true}, {"family ipv6 tcp-flags =syn&!syn", false},
        {"family ipv6 tcp-flags =ack,=syn", true}, {"family ipv6 tcp-flags =0x102", true},
        {"family ipv6 tcp-flags =0x902", false},   {"family ipv6 tcp-flags =0", true}, /* all of no bits */
        {"family ipv6 tcp-flags 0", false},                                            /* any of no bits */
    };
    struct pkt_key key = tcp6_key();

    (void)state;
    key.tcp_flags = 0x102;
    ASSERT_MATCHES(key, cases);
}

/* conforms: RFC 8955 proves 4.2.2.12-4 */
static void fragment_bits_match_as_a_mask(void **state)
{
    const struct expectation cases[] = {
        {"fragment is-fragment", true},
        {"fragment =is-fragment+last-fragment", true},
        {"fragment =is-fragment+first-fragment", false},
        {"fragment dont-fragment,first-fragment", false},
        {"fragment !dont-fragment", true},
        {"fragment !last-fragment", false},
    };
    struct pkt_key key = udp4_key();

    (void)state;
    key.fragment = PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST;
    ASSERT_MATCHES(key, cases);
}

/* RFC 8956 3.7 */
/* conforms: RFC 8956 proves 3.7-2 */
static void the_flow_label_is_matched_in_ipv6(void **state)
{
    const struct expectation cases[] = {
        {"flow-label =0x12345", true}, {"flow-label =0x2345", false}, {"flow-label >=0&<=1048575", true}};
    struct pkt_key key = tcp6_key();

    (void)state;
    ASSERT_MATCHES(key, cases);
}

static void all_components_must_match(void **state)
{
    const struct expectation cases[] = {
        {"destination 203.0.113.7/32 protocol =udp source-port =123 packet-length >=400 dscp =46", true},
        {"destination 203.0.113.8/32 protocol =udp source-port =123 packet-length >=400 dscp =46", false},
        {"destination 203.0.113.7/32 protocol =tcp source-port =123 packet-length >=400 dscp =46", false},
        {"destination 203.0.113.7/32 protocol =udp source-port =122 packet-length >=400 dscp =46", false},
        {"destination 203.0.113.7/32 protocol =udp source-port =123 packet-length >=500 dscp =46", false},
        {"destination 203.0.113.7/32 protocol =udp source-port =123 packet-length >=400 dscp =0", false},
    };
    struct pkt_key key = udp4_key();

    (void)state;
    ASSERT_MATCHES(key, cases);
}

static void nothing_matches_what_is_malformed_or_not_ip(void **state)
{
    const struct expectation cases[] = {{"destination 0.0.0.0/0", false}};
    struct pkt_key malformed = udp4_key(), other = udp4_key();

    (void)state;
    malformed.malformed = 1;
    other.family = IP_NONE;
    ASSERT_MATCHES(malformed, cases);
    ASSERT_MATCHES(other, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_match_their_bits),
        cmocka_unit_test(ipv6_prefixes_match_from_their_offset_on),
        cmocka_unit_test(the_families_never_meet),
        cmocka_unit_test(numeric_operators_compare_as_table_1_says),
        cmocka_unit_test(port_matches_either_port_and_the_others_their_own),
        cmocka_unit_test(upper_layer_components_never_match_without_their_header),
        cmocka_unit_test(icmp_components_match_icmp_alone),
        cmocka_unit_test(tcp_flags_match_twelve_bits),
        cmocka_unit_test(fragment_bits_match_as_a_mask),
        cmocka_unit_test(the_flow_label_is_matched_in_ipv6),
        cmocka_unit_test(all_components_must_match),
        cmocka_unit_test(nothing_matches_what_is_malformed_or_not_ip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
