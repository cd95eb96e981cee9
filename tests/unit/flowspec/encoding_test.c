/* SPDX-License-Identifier: BSD-3-Clause */
/* What we send: values in as many octets as the RFCs ask for, and nothing in reserved bits or negative. */
#include "fs_test.h"

struct encoding {
    const char *match, *nlri;
};

static void expect_all(const struct encoding *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[128];
        struct strbuf sb = sb_init(text, sizeof text);
        sb_printf(&sb, "match %s", cases[i].match);
        struct fs_rule *rule = rule_from_text(text);
        assert_string_equal(hex_of(rule), cases[i].nlri);
        fs_rule_free(rule);
    }
}

/* conforms: RFC 8955 proves 4.2.2.3-1 4.2.2.4-1 4.2.2.5-1 4.2.2.6-1 4.2.2.7-1 4.2.2.8-1 4.2.2.10-1 */
/* conforms: RFC 8955 proves 4.2.2.9-1 4.2.2.11-1 4.2.2.12-1 */
static void ipv4_values_take_the_octets_that_their_component_asks_for(void **state)
{
    static const struct encoding CASES[] = {
        {"protocol 6", "03038106"},
        {"protocol 255", "030381ff"},
        {"port 53", "03048135"},
        {"port 8080", "0404911f90"},
        {"port 65535", "040491ffff"},
        {"destination-port 53", "03058135"},
        {"destination-port 443", "04059101bb"},
        {"source-port 123", "0306817b"},
        {"source-port 11211", "0406912bcb"},
        {"icmp-type 3", "03078103"},
        {"icmp-code 255", "030881ff"},
        {"tcp-flags syn", "03098002"},
        {"tcp-flags =0x102", "0409910102"},
        {"packet-length 40", "030a8128"},
        {"packet-length 1500", "040a9105dc"},
        {"dscp 63", "030b813f"},
        {"fragment =dont-fragment+is-fragment+first-fragment+last-fragment", "030c810f"},
    };

    (void)state;
    expect_all(CASES, COUNT(CASES));
}

/* conforms: RFC 8956 proves 3.3-2 3.4-1 3.5-1 3.6-1 3.6-2 3.7-1 */
static void ipv6_values_take_the_octets_that_their_component_asks_for(void **state)
{
    static const struct encoding CASES[] = {
        {"family ipv6 protocol icmp6", "0303813a"}, {"family ipv6 icmp-type 128", "03078180"},
        {"family ipv6 icmp-code 1", "03088101"},    {"family ipv6 fragment =is-fragment+last-fragment", "030c810a"},
        {"flow-label 1", "060da100000001"},         {"flow-label 0xfffff", "060da1000fffff"},
    };

    (void)state;
    expect_all(CASES, COUNT(CASES));
}

/* conforms: RFC 8955 proves 7.1-3 7.2-2 */
static void a_rate_is_never_sent_negative(void **state)
{
    static const char *const RECEIVED[] = {"8006 0000 bf800000", "8006 0000 80000000", "800c 0000 c7000000",
                                           "8006 0000 ff800000", "800c 0000 80000000"};

    (void)state;
    for (size_t i = 0; i < COUNT(RECEIVED); i++) {
        uint8_t octets[8];
        struct fs_actions actions;
        struct fs_ext_comms comms;
        fs_actions_decode(octets, hex_read(RECEIVED[i], octets), NULL, 0, &actions);
        fs_actions_encode(&actions, 65000, &comms);
        assert_int_equal(comms.count, 1);
        assert_int_equal(comms.comms[0][1], octets[1]);
        assert_int_equal(comms.comms[0][4] & 0x80, 0); /* the sign of the float */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_values_take_the_octets_that_their_component_asks_for),
        cmocka_unit_test(ipv6_values_take_the_octets_that_their_component_asks_for),
        cmocka_unit_test(a_rate_is_never_sent_negative),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
