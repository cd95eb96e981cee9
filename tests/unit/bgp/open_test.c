/* SPDX-License-Identifier: BSD-3-Clause */
/* OPEN: RFC 4271 6.2, RFC 5492, 6286, 6793, 7607, 9072. */
#include "fixture.h"

#include <stdio.h>

/* conforms: RFC 4271 proves 4.1-1 4.1-3 */
/* conforms: RFC 4760 proves 8-1 8-2 8-3 */
/* conforms: RFC 8955 proves 4-4 */
/* conforms: RFC 8956 proves 2-2 */
static void our_open_octet_by_octet(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    bgp_session_start(f->session, f->now);
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    expect_sent(f, BGP_CONN_IN,
                MARKER_HEX "0033 01 04 fde8 005a c0000201 16"
                           "0214 0104 00010085 0104 00020085 0200 4104 0000fde8");
    fixture_free(f);
}

static void wide_as(struct bgp_session_conf *conf)
{
    conf->local_as = 4200000000u;
    conf->families = BGP_IPV4_FLOWSPEC;
    conf->extended_message = true;
}

static void a_wide_as_goes_as_as_trans_and_in_the_capability(void **state)
{
    struct fixture *f = fixture_new(wide_as);

    (void)state;
    bgp_session_start(f->session, f->now);
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    expect_sent(f, BGP_CONN_IN,
                MARKER_HEX "002f 01 04 5ba0 005a c0000201 12"
                           "0210 0104 00010085 0200 0600 4104 fa56ea00");
    fixture_free(f);
}

#define FLOW4 "0206 0104 00010085"

/* The peer's OPEN and the NOTIFICATION it must bring; NULL: it is accepted. */
static const struct {
    const char *what;
    struct peer_open open;
    const char *answer;
} cases[] = {
    {"version 3", {3, PEER_AS, 90, PEER_ID, NULL, false}, "001703 0201 0004"},
    {"version 5", {5, PEER_AS, 90, PEER_ID, NULL, false}, "001703 0201 0004"},
    {"wrong AS, no capability", {4, 65009, 90, PEER_ID, FLOW4, false}, "001503 0202"},
    {"wrong AS in the capability", {4, PEER_AS, 90, PEER_ID, FLOW4 "0206 4104 0000fdea", false}, "001503 0202"},
    {"right AS in the capability only", {4, BGP_AS_TRANS, 90, PEER_ID, FLOW4 "0206 4104 0000fde9", false}, NULL},
    {"AS 0", {4, 0, 90, PEER_ID, FLOW4, false}, "001503 0202"},
    {"identifier 0", {4, PEER_AS, 90, 0, NULL, false}, "001503 0203"},
    {"identifier like ours, another AS", {4, PEER_AS, 90, LOCAL_ID, NULL, false}, NULL},
    {"hold time 1", {4, PEER_AS, 1, PEER_ID, NULL, false}, "001503 0206"},
    {"hold time 2", {4, PEER_AS, 2, PEER_ID, NULL, false}, "001503 0206"},
    {"hold time 3", {4, PEER_AS, 3, PEER_ID, NULL, false}, NULL},
    {"hold time 0", {4, PEER_AS, 0, PEER_ID, NULL, false}, NULL},
    {"unknown parameter", {4, PEER_AS, 90, PEER_ID, "0100", false}, "001503 0204"},
    {"parameter 255 not in front", {4, PEER_AS, 90, PEER_ID, FLOW4 "ff00", false}, "001503 0204"},
    {"parameter cut short", {4, PEER_AS, 90, PEER_ID, "0207 0104 00010085", false}, "001503 0200"},
    {"parameter without length", {4, PEER_AS, 90, PEER_ID, FLOW4 "02", false}, "001503 0200"},
    {"capability cut short", {4, PEER_AS, 90, PEER_ID, "0206 0105 00010085", false}, "001503 0200"},
    {"multiprotocol of 3 octets", {4, PEER_AS, 90, PEER_ID, "0205 0103 000100", false}, "001503 0200"},
    {"4-octet AS of 2 octets", {4, PEER_AS, 90, PEER_ID, FLOW4 "0204 4102 fde9", false}, "001503 0200"},
    {"unknown capability", {4, PEER_AS, 90, PEER_ID, FLOW4 "0205 4903 020061", false}, NULL},
    {"a capability twice", {4, PEER_AS, 90, PEER_ID, FLOW4 FLOW4, false}, NULL},
    {"none of our families",
     {4, PEER_AS, 90, PEER_ID, "0206 0104 00010001", false},
     "002103 0207 0104 00010085 0104 00020085"},
    {"no capability at all", {4, PEER_AS, 90, PEER_ID, "", false}, "002103 0207 0104 00010085 0104 00020085"},
    {"RFC 9072 form", {4, PEER_AS, 90, PEER_ID, "ff0009 02 0006 0104 00010085", false}, NULL},
    {"RFC 9072, length lies", {4, PEER_AS, 90, PEER_ID, "ff000a 02 0006 0104 00010085", false}, "001503 0200"},
    {"RFC 9072, cut", {4, PEER_AS, 90, PEER_ID, "ff00", false}, "001503 0200"},
    {"RFC 9072, 255 inside", {4, PEER_AS, 90, PEER_ID, "ff0003 ff 0000", false}, "001503 0204"},
};

/* conforms: RFC 4271 proves 4.2-2 6.2-1 6.2-2 6.2-3 6.2-4 6.2-6 6.2-7 6.2-8 refuses 4.2-2 */
/* conforms: RFC 4271 refuses 6.2-1 6.2-2 6.2-3 6.2-4 6.2-6 6.2-7 6.2-8 */
/* conforms: RFC 4760 refuses 8-5 */
static void each_open_is_judged_as_the_rfc_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *f = fixture_new(NULL);
        char answer[256];
        up_to(f, BGP_OPEN_SENT);
        receive_open(f, BGP_CONN_IN, cases[i].open);
        bool accepted = info_of(f).state == BGP_OPEN_CONFIRM;
        if (accepted != (cases[i].answer == NULL))
            fail_msg("%s: %s", cases[i].what, info_of(f).last_down);
        snprintf(answer, sizeof answer, MARKER_HEX "%s", accepted ? "001304" : cases[i].answer);
        expect_sent(f, BGP_CONN_IN, answer);
        assert_int_equal(f->closes[BGP_CONN_IN], accepted ? 0 : 1);
        fixture_free(f);
    }
}

/* An operator must see which of the two ends is configured wrong. */
static void a_refused_open_is_told_with_both_sides(void **state)
{
    static const struct {
        struct peer_open open;
        const char *told;
    } refused[] = {
        {{3, PEER_AS, 90, PEER_ID, NULL, false},
         "Unsupported Version Number: the peer speaks version 3, 4 is expected"},
        {{4, 65099, 90, PEER_ID, FLOW4, false}, "Bad Peer AS: the peer says AS 65099, AS 65001 is configured"},
        {{4, PEER_AS, 90, PEER_ID, FLOW4 "0206 4104 fa56ea00", false},
         "Bad Peer AS: the peer says AS 4200000000, AS 65001 is configured"},
        {{4, PEER_AS, 90, 0, NULL, false}, "Bad BGP Identifier: the peer says router id 0.0.0.0"},
        {{4, PEER_AS, 2, PEER_ID, NULL, false},
         "Unacceptable Hold Time: the peer offers 2 s, 0 or 3 and above are allowed"},
        {{4, PEER_AS, 90, PEER_ID, "", false},
         "Unsupported Capability: the peer offers ipv4-unicast, configured: ipv4-flowspec ipv6-flowspec"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct fixture *f = fixture_new(NULL);
        char told[256];
        up_to(f, BGP_OPEN_SENT);
        receive_open(f, BGP_CONN_IN, refused[i].open);
        snprintf(told, sizeof told, "NOTIFICATION sent: OPEN Message Error: %s", refused[i].told);
        assert_string_equal(info_of(f).last_down, told);
        fixture_free(f);
    }
}

static void the_extended_length_field_is_ignored_in_rfc_9072_form(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    /* Non-Ext OP Len is 1, not 255 and not the truth */
    receive_hex(f, BGP_CONN_IN, MARKER_HEX "0029 01 04 fde9 005a c0000202 01 ff0009 02 0006 0104 00010085");
    expect_state(f, BGP_OPEN_CONFIRM);
    fixture_free(f);
}

/* conforms: RFC 4271 refuses 6.2-8 */
static void an_optional_parameter_length_that_lies_is_malformed(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    receive_hex(f, BGP_CONN_IN, MARKER_HEX "0025 01 04 fde9 005a c0000202 09 0206 0104 00010085");
    expect_sent(f, BGP_CONN_IN, MARKER_HEX "001503 0200");
    fixture_free(f);
}

static void internal(struct bgp_session_conf *conf)
{
    conf->peer_as = conf->local_as;
}

/* RFC 6286 2.2 */
/* conforms: RFC 4271 refuses 6.2-6 */
static void our_own_identifier_is_refused_inside_the_as(void **state)
{
    struct fixture *f = fixture_new(internal);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, BGP_CONN_IN, (struct peer_open){4, LOCAL_AS, 90, LOCAL_ID, FLOW4, false});
    expect_sent(f, BGP_CONN_IN, MARKER_HEX "001503 0203");
    fixture_free(f);
}

static void any_as(struct bgp_session_conf *conf)
{
    conf->peer_as = 0;
    conf->extended_message = true;
}

/* conforms: RFC 4271 proves 4.2-1 */
/* conforms: RFC 4760 proves 8-1 8-5 */
/* conforms: RFC 8955 proves 4-3 */
/* conforms: RFC 8956 proves 2-1 */
static void what_was_agreed_is_told(void **state)
{
    struct fixture *f = fixture_new(any_as);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, BGP_CONN_IN,
                 (struct peer_open){4, BGP_AS_TRANS, 30, PEER_ID,
                                    "0222 0104 00020085 0104 00010001 0200 0600 4104 00011170 4600 4002 0078 4902 0161"
                                    "0501",
                                    false});
    expect_state(f, BGP_ACTIVE); /* the last capability is cut: malformed */
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    receive_open(f, BGP_CONN_IN,
                 (struct peer_open){4, BGP_AS_TRANS, 30, PEER_ID,
                                    "0220 0104 00020085 0104 00010001 0200 0600 4104 00011170 4600 4002 0078 4902 0161",
                                    false});
    receive_keepalive(f, BGP_CONN_IN);
    struct bgp_session_info info = info_of(f);
    assert_int_equal(info.state, BGP_ESTABLISHED);
    assert_int_equal(info.peer_as, 70000);
    assert_int_equal(info.peer_router_id, PEER_ID);
    assert_int_equal(info.hold_time_s, 30);
    assert_int_equal(info.families, BGP_IPV6_FLOWSPEC);
    assert_int_equal(info.received.families, BGP_IPV6_FLOWSPEC | BGP_IPV4_UNICAST);
    assert_true(info.four_octet_as && info.extended_message);
    assert_true(info.received.route_refresh && info.received.enhanced_route_refresh && info.received.graceful_restart);
    assert_int_equal(info.received.unknown_count, 1);
    assert_int_equal(info.received.unknown[0], 0x49);
    assert_int_equal(bgp_session_update_max(f->session), 65535 - 19);
    fixture_free(f);
}

static void the_extension_counts_only_when_both_offer_it(void **state)
{
    struct fixture *f = fixture_new(any_as);

    (void)state;
    up_to(f, BGP_ESTABLISHED); /* the peer's OPEN does not offer it */
    assert_false(info_of(f).extended_message);
    assert_int_equal(bgp_session_update_max(f->session), 4096 - 19);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_open_octet_by_octet),
        cmocka_unit_test(a_wide_as_goes_as_as_trans_and_in_the_capability),
        cmocka_unit_test(each_open_is_judged_as_the_rfc_says),
        cmocka_unit_test(a_refused_open_is_told_with_both_sides),
        cmocka_unit_test(the_extended_length_field_is_ignored_in_rfc_9072_form),
        cmocka_unit_test(an_optional_parameter_length_that_lies_is_malformed),
        cmocka_unit_test(our_own_identifier_is_refused_inside_the_as),
        cmocka_unit_test(what_was_agreed_is_told),
        cmocka_unit_test(the_extension_counts_only_when_both_offer_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
