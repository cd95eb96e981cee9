/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 4271 6.1 and RFC 8654: framing faults and the exact NOTIFICATION for each. */
#include "fixture.h"

/* A stream and the NOTIFICATION (code, subcode, data) it must bring about, in OpenSent. */
static const struct {
    const char *what, *stream, *answer;
} faults[] = {
    {"marker", "00ffffffffffffffffffffffffffffff001304",
     MARKER_HEX "001503"
                "0101"},
    {"marker, last octet", "fffffffffffffffffffffffffffffffe001304",
     MARKER_HEX "001503"
                "0101"},
    {"a web browser", "474554202f20485454502f312e310d0a",
     MARKER_HEX "001503"
                "0101"},
    {"length 18", MARKER_HEX "001204",
     MARKER_HEX "001703"
                "01020012"},
    {"length 0", MARKER_HEX "000002",
     MARKER_HEX "001703"
                "01020000"},
    {"length 4097", MARKER_HEX "100102",
     MARKER_HEX "001703"
                "01021001"},
    {"length 65535", MARKER_HEX "ffff02",
     MARKER_HEX "001703"
                "0102ffff"},
    {"short OPEN", MARKER_HEX "001c01",
     MARKER_HEX "001703"
                "0102001c"},
    {"short UPDATE", MARKER_HEX "001602",
     MARKER_HEX "001703"
                "01020016"},
    {"short NOTIFICATION", MARKER_HEX "001403",
     MARKER_HEX "001703"
                "01020014"},
    {"long KEEPALIVE", MARKER_HEX "001404",
     MARKER_HEX "001703"
                "01020014"},
    {"short ROUTE-REFRESH", MARKER_HEX "001605",
     MARKER_HEX "001703"
                "01020016"},
    {"long ROUTE-REFRESH", MARKER_HEX "001805",
     MARKER_HEX "001703"
                "01020018"},
    {"type 0", MARKER_HEX "001300",
     MARKER_HEX "001603"
                "010300"},
    {"type 6", MARKER_HEX "001306",
     MARKER_HEX "001603"
                "010306"},
    {"type 255", MARKER_HEX "0013ff",
     MARKER_HEX "001603"
                "0103ff"},
};

/* conforms: RFC 4271 proves 6.1-1 6.1-2 6.1-3 6.1-4 6.7-1 refuses 4.1-2 6.1-1 6.1-2 6.1-3 6.1-4 */
static void each_header_fault_has_its_notification(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct fixture *f = fixture_new(NULL);
        up_to(f, BGP_OPEN_SENT);
        receive_hex(f, BGP_CONN_IN, faults[i].stream);
        if (f->closes[BGP_CONN_IN] != 1)
            fail_msg("%s: not closed", faults[i].what);
        expect_sent(f, BGP_CONN_IN, faults[i].answer);
        expect_state(f, BGP_ACTIVE);
        fixture_free(f);
    }
}

static void the_same_in_established_takes_the_session_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct fixture *f = fixture_new(NULL);
        up_to(f, BGP_ESTABLISHED);
        receive_hex(f, BGP_CONN_IN, faults[i].stream);
        expect_sent(f, BGP_CONN_IN, faults[i].answer);
        assert_int_equal(f->downs, 1);
        fixture_free(f);
    }
}

/* conforms: RFC 4271 proves 4.5-1 */
static void nothing_is_read_after_a_fault(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    receive_hex(f, BGP_CONN_IN, MARKER_HEX "001306" MARKER_HEX "001306");
    receive_hex(f, BGP_CONN_IN, MARKER_HEX "001306");
    expect_sent(f, BGP_CONN_IN,
                MARKER_HEX "001603"
                           "010306");
    assert_int_equal(f->closes[BGP_CONN_IN], 1);
    fixture_free(f);
}

static void offer_extended(struct bgp_session_conf *conf)
{
    conf->extended_message = true;
}

static void the_longest_extended_update_arrives_whole(void **state)
{
    static uint8_t body[BGP_EXTENDED_MESSAGE_MAX - BGP_HEADER_LEN];
    struct fixture *f = fixture_new(offer_extended);

    (void)state;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7);
    up_to(f, BGP_ESTABLISHED);
    receive(f, BGP_CONN_IN, BGP_UPDATE, body, sizeof body);
    assert_int_equal(f->updates, 1);
    assert_int_equal(f->update_len, sizeof body);
    assert_memory_equal(f->update, body, sizeof body);
    fixture_free(f);
}

/* RFC 8654 6: OPEN and KEEPALIVE keep their limits. */
static void an_open_beyond_4096_is_refused_even_so(void **state)
{
    struct fixture *f = fixture_new(offer_extended);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    receive_hex(f, BGP_CONN_IN, MARKER_HEX "100101");
    expect_sent(f, BGP_CONN_IN,
                MARKER_HEX "001703"
                           "01021001");
    fixture_free(f);
}

/* conforms: RFC 4271 proves 4.1-2 */
static void an_update_of_4096_is_fine_without_the_extension(void **state)
{
    static uint8_t body[BGP_MESSAGE_MAX - BGP_HEADER_LEN];
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    receive(f, BGP_CONN_IN, BGP_UPDATE, body, sizeof body);
    assert_int_equal(f->update_len, sizeof body);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_header_fault_has_its_notification),
        cmocka_unit_test(the_same_in_established_takes_the_session_down),
        cmocka_unit_test(nothing_is_read_after_a_fault),
        cmocka_unit_test(the_longest_extended_update_arrives_whole),
        cmocka_unit_test(an_open_beyond_4096_is_refused_even_so),
        cmocka_unit_test(an_update_of_4096_is_fine_without_the_extension),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
