/* SPDX-License-Identifier: BSD-3-Clause */
#include "../../cm.h"

#include <string.h>

#include "manage/packet_text.h"

static struct pkt_key key;
static char assumed[256], why[512];

static bool parse(const char *text)
{
    struct strbuf sb = sb_init(assumed, sizeof assumed);

    why[0] = '\0';
    return packet_text_parse(text, &key, &sb, why, sizeof why);
}

static void expect_refused(const char *text, const char *reason)
{
    assert_false(parse(text));
    assert_string_equal(why, reason);
}

static void reads_every_word(void **state)
{
    (void)state;
    assert_true(parse("source 192.0.2.1 destination 203.0.113.7 protocol udp source-port 123 destination-port 40000 "
                      "packet-length 468 dscp 46 fragment first-fragment+dont-fragment"));
    assert_string_equal(assumed, "");
    assert_int_equal(key.family, IP_V4);
    assert_memory_equal(key.src, "\xc0\x00\x02\x01", 4);
    assert_memory_equal(key.dst, "\xcb\x00\x71\x07", 4);
    assert_int_equal(key.protocol, 17);
    assert_int_equal(key.has, PKT_HAS_PORTS);
    assert_int_equal(key.src_port, 123);
    assert_int_equal(key.dst_port, 40000);
    assert_int_equal(key.length, 468);
    assert_int_equal(key.dscp, 46);
    assert_int_equal(key.fragment, PKT_FRAGMENT_FIRST | PKT_FRAGMENT_DF);
}

static void reads_short_names_and_rule_style_values(void **state)
{
    (void)state;
    assert_true(parse("src 2001:db8::1 dst 2001:db8::7/128 proto =tcp sport 0x50 dport =443 length 60 flags syn+ack "
                      "flow-label 7"));
    assert_int_equal(key.family, IP_V6);
    assert_int_equal(key.has, PKT_HAS_PORTS | PKT_HAS_TCP_FLAGS);
    assert_int_equal(key.src_port, 80);
    assert_int_equal(key.tcp_flags, 0x12);
    assert_int_equal(key.flow_label, 7);
    assert_string_equal(assumed, "");
}

static void names_what_it_assumed(void **state)
{
    (void)state;
    assert_true(parse("destination 203.0.113.7 protocol tcp"));
    assert_string_equal(assumed, "source 192.0.2.1 source-port 50000 destination-port 50000 tcp-flags syn "
                                 "packet-length 40");
    assert_true(parse("destination 2001:db8::7 icmp-type 135"));
    assert_string_equal(assumed, "source 2001:db8::1 protocol icmp6 icmp-code 0 packet-length 44");
    assert_int_equal(key.has, PKT_HAS_ICMP);
    assert_int_equal(key.icmp_type, 135);
}

static void later_fragments_have_no_ports(void **state)
{
    (void)state;
    assert_true(parse("source 192.0.2.1 destination 203.0.113.7 protocol udp fragment last-fragment"));
    assert_int_equal(key.fragment, PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST);
    assert_int_equal(key.has, 0);
    assert_int_equal(key.length, 20);
    assert_true(parse("destination 2001:db8::7 protocol udp fragment is-fragment"));
    assert_int_equal(key.length, 48); /* the Fragment header counts */
    expect_refused("source 192.0.2.1 destination 203.0.113.7 protocol udp fragment is-fragment source-port 53",
                   "a fragment other than the first carries no source-port");
}

static void refuses_contradictions_in_one_line(void **state)
{
    (void)state;
    expect_refused("source 2001:db8::1 destination 203.0.113.7 protocol udp",
                   "source is ipv6 and destination ipv4: one packet is of one family");
    expect_refused("destination 203.0.113.7 protocol gre source-port 1", "source-port needs protocol tcp or udp");
    expect_refused("destination 203.0.113.7 source-port 1", "ports need the protocol, for instance `protocol udp`");
    expect_refused("destination 203.0.113.7", "a packet needs the protocol, for instance `protocol udp`");
    expect_refused("protocol udp", "a packet needs a destination, for instance `destination 203.0.113.7`");
    expect_refused("destination 203.0.113.7 protocol udp tcp-flags syn", "tcp-flags needs protocol tcp");
    expect_refused("destination 203.0.113.7 protocol udp icmp-code 0", "icmp-code needs protocol icmp");
    expect_refused("destination 203.0.113.7 protocol icmp6", "the addresses are IPv4: use protocol icmp");
    expect_refused("destination 203.0.113.7 protocol udp flow-label 1",
                   "flow-label is a field of IPv6, and the addresses are IPv4");
    expect_refused("destination 2001:db8::7 protocol udp fragment dont-fragment", "IPv6 has no dont-fragment bit");
    expect_refused("destination 203.0.113.7 protocol udp fragment first-fragment+is-fragment",
                   "a first-fragment is neither is-fragment (one other than the first) nor last-fragment");
    expect_refused("destination 203.0.113.7 protocol tcp packet-length 39",
                   "packet-length 39 is less than the 40 octets that the headers take");
    expect_refused("destination 203.0.113.7 protocol tcp packet-length 65536",
                   "packet-length 65536 is more than the 65535 octets an IPv4 packet can have");
}

static void refuses_words_it_does_not_know(void **state)
{
    (void)state;
    assert_false(parse("destination 203.0.113.7 colour red"));
    assert_non_null(strstr(why, "'colour' is no word of a packet"));
    expect_refused("dscp 1 dscp 1", "dscp is given twice");
    expect_refused("destination 203.0.113.7 dst 203.0.113.8", "destination is given twice");
    expect_refused("dscp", "dscp lacks its value: 0 to 63");
    expect_refused("dscp 64", "dscp takes 0 to 63, not '64'");
    expect_refused("dscp -1", "dscp takes 0 to 63, not '-1'");
    expect_refused("destination 203.0.113.0/24", "destination takes an IPv4 or IPv6 address, not '203.0.113.0/24'");
    expect_refused("source-port 70000", "source-port takes 0 to 65535, not '70000'");
    expect_refused("source-port 99999999999999999999", "source-port takes 0 to 65535, not '99999999999999999999'");
}

static void what_it_writes_reads_back_to_the_same_packet(void **state)
{
    static const char *const PACKETS[] = {
        "source 192.0.2.1 destination 203.0.113.7 protocol udp source-port 123 destination-port 40000 packet-length "
        "468",
        "source 2001:db8::1 destination 2001:db8::7 protocol tcp source-port 1 destination-port 2 tcp-flags syn+ack "
        "packet-length 60 flow-label 7",
        "source 192.0.2.1 destination 203.0.113.7 protocol udp packet-length 1500 fragment is-fragment+last-fragment",
        "source 192.0.2.1 destination 203.0.113.7 protocol 200 packet-length 20 dscp 1 fragment dont-fragment",
        "source 192.0.2.1 destination 203.0.113.7 protocol icmp icmp-type 3 icmp-code 4 packet-length 56",
        "source 192.0.2.1 destination 203.0.113.7 protocol tcp source-port 1 destination-port 2 tcp-flags 0x0 "
        "packet-length 40",
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof PACKETS / sizeof PACKETS[0]; i++) {
        struct strbuf sb = sb_init(text, sizeof text);
        assert_true(parse(PACKETS[i]));
        struct pkt_key before = key;
        packet_text_format(&key, &sb);
        assert_string_equal(text, PACKETS[i]);
        assert_true(parse(text));
        assert_memory_equal(&key, &before, sizeof key);
    }
}

static void says_a_packet_at_a_glance(void **state)
{
    char text[256];
    struct strbuf sb = sb_init(text, sizeof text);

    (void)state;
    assert_true(parse("src 2001:db8::1 dst 2001:db8::7 proto udp sport 1 dport 53 length 100 frag first-fragment"));
    packet_text_brief(&key, &sb);
    assert_string_equal(text, "udp [2001:db8::1]:1 > [2001:db8::7]:53, 100 octets, first fragment");
    sb = sb_init(text, sizeof text);
    assert_true(parse("src 192.0.2.1 dst 203.0.113.7 proto 200"));
    packet_text_brief(&key, &sb);
    assert_string_equal(text, "protocol 200 192.0.2.1 > 203.0.113.7, 20 octets");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_word),
        cmocka_unit_test(reads_short_names_and_rule_style_values),
        cmocka_unit_test(names_what_it_assumed),
        cmocka_unit_test(later_fragments_have_no_ports),
        cmocka_unit_test(refuses_contradictions_in_one_line),
        cmocka_unit_test(refuses_words_it_does_not_know),
        cmocka_unit_test(what_it_writes_reads_back_to_the_same_packet),
        cmocka_unit_test(says_a_packet_at_a_glance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
