/* SPDX-License-Identifier: BSD-3-Clause */
/* Graceful restart (RFC 4724, 8538), long-lived (9494), enhanced refresh (7313), send hold timer (9687): by event. */
#include "fixture.h"

#include <stdio.h>

#define CONN BGP_CONN_IN

/* both flowspec families, 4-octet AS; graceful restart of 120 s for IPv4 with F and IPv6 without */
#define PEER_CAPS "0104 00010085 0104 00020085 0200 4600 4104 0000fde9 "
#define GR_BOTH   "400a 0078 00018580 00028500"
#define GR_BOTH_N "400a 4078 00018580 00028500"

static void restartable(struct bgp_session_conf *conf)
{
    conf->restart_time_s = 120;
    conf->long_lived_s = 3600;
    conf->enhanced_refresh = true;
    conf->send_hold_s = 200;
}

static struct fixture *established(const char *capabilities)
{
    struct fixture *f = fixture_new(restartable);
    struct peer_open open = good_open();
    uint8_t octets[256];
    char params[512];

    snprintf(params, sizeof params, "02%02zx %s", unhex(capabilities, octets), capabilities);
    open.params = params;
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, CONN, open);
    receive_keepalive(f, CONN);
    expect_state(f, BGP_ESTABLISHED);
    bgp_session_output(f->session, CONN, 0, f->now);
    forget_sent(f);
    return f;
}

/* conforms: RFC 4724 proves 3-2 3-3 4.1-3 */
static void our_open_offers_restart_octet_by_octet(void **state)
{
    struct fixture *f = fixture_new(restartable);

    (void)state;
    bgp_session_restarting(f->session, true, BGP_IPV6_FLOWSPEC | BGP_IPV4_UNICAST);
    bgp_session_start(f->session, f->now);
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, CONN, f->now);
    expect_sent(f, CONN,
                MARKER_HEX "0051 01 04 fde8 005a c0000201 34 0232"
                           "0104 00010085 0104 00020085 0200 4600 400a c078 00018500 00028580"
                           "470e 00018500000e10 00028580000e10 4104 0000fde8");
    fixture_free(f);
}

static void the_capability_is_read(void **state)
{
    struct fixture *f = established(PEER_CAPS "400e c00a 00018580 00018500 00028580"
                                              "4707 00028580 010203");
    const struct bgp_capabilities caps = info_of(f).received;

    (void)state;
    assert_true(caps.graceful_restart && caps.restart.restarting && caps.restart.notification);
    assert_int_equal(caps.restart.time_s, 10);
    assert_int_equal(caps.restart.families, BGP_IPV4_FLOWSPEC | BGP_IPV6_FLOWSPEC);
    assert_int_equal(caps.restart.forwarding, BGP_IPV6_FLOWSPEC); /* of a family listed twice the last counts */
    assert_true(caps.long_lived_restart);
    assert_int_equal(caps.long_lived.families, BGP_IPV6_FLOWSPEC);
    assert_int_equal(caps.long_lived.time_s[__builtin_ctz(BGP_IPV6_FLOWSPEC)], 0x010203);
    fixture_free(f);
}

static void malformed_or_alone_it_is_as_absent(void **state)
{
    struct fixture *f = established(PEER_CAPS "4003 007800"
                                              "4707 00028580 010203");

    (void)state;
    assert_false(info_of(f).received.graceful_restart);
    assert_false(info_of(f).received.long_lived_restart);
    bgp_session_closed(f->session, CONN, f->now);
    assert_int_equal(info_of(f).retained, 0);
    fixture_free(f);
}

/* conforms: RFC 4724 proves 4.2-4 */
static void a_lost_connection_retains_what_the_peer_listed(void **state)
{
    struct fixture *f = established(PEER_CAPS GR_BOTH);

    (void)state;
    bgp_session_closed(f->session, CONN, f->now);
    assert_int_equal(f->downs, 1);
    assert_int_equal(info_of(f).retained, FAMILIES);
    fixture_free(f);

    f = established(PEER_CAPS "4006 0078 00018500"); /* one family of the two, no F */
    bgp_session_closed(f->session, CONN, f->now);
    assert_int_equal(info_of(f).retained, BGP_IPV4_FLOWSPEC);
    fixture_free(f);
}

/* conforms: RFC 4724 proves 4-2 */
static void a_notification_retains_only_with_rfc_8538(void **state)
{
    struct fixture *f = established(PEER_CAPS GR_BOTH);

    (void)state;
    receive_hex(f, CONN, MARKER_HEX "001503 0602");
    assert_int_equal(info_of(f).retained, 0);
    fixture_free(f);

    f = established(PEER_CAPS GR_BOTH_N);
    receive_hex(f, CONN, MARKER_HEX "001503 0604");
    assert_int_equal(info_of(f).retained, FAMILIES);
    fixture_free(f);

    f = established(PEER_CAPS GR_BOTH_N);
    receive_hex(f, CONN, MARKER_HEX "001703 0609 0602"); /* a Hard Reset */
    assert_int_equal(info_of(f).retained, 0);
    assert_string_equal(info_of(f).last_down,
                        "NOTIFICATION received: Cease: Hard Reset (Cease: Administrative Shutdown)");
    fixture_free(f);
}

static void silence_retains_only_with_rfc_8538(void **state)
{
    struct fixture *f = established(PEER_CAPS GR_BOTH_N);

    (void)state;
    advance(f, 90000);
    assert_int_equal(f->downs, 1);
    assert_int_equal(info_of(f).retained, FAMILIES);
    fixture_free(f);

    f = established(PEER_CAPS GR_BOTH);
    advance(f, 90000);
    assert_int_equal(f->downs, 1);
    assert_int_equal(info_of(f).retained, 0);
    fixture_free(f);
}

static void the_operators_stop_is_a_hard_reset_that_carries_the_reason(void **state)
{
    struct fixture *f = established(PEER_CAPS GR_BOTH_N);

    (void)state;
    bgp_session_stop(f->session, BGP_CEASE_SHUTDOWN, "bye", f->now);
    expect_sent(f, CONN, MARKER_HEX "001b03 0609 0602 03 627965");
    assert_int_equal(info_of(f).retained, 0);
    assert_string_equal(info_of(f).last_down,
                        "NOTIFICATION sent: Cease: Hard Reset (Cease: Administrative Shutdown: \"bye\")");
    fixture_free(f);
}

/* conforms: RFC 4724 proves 4.2-1 4.2-2 4.2-3 */
static void a_new_connection_of_a_restarted_peer_takes_the_place(void **state)
{
    struct fixture *f = established(PEER_CAPS GR_BOTH);

    (void)state;
    assert_true(bgp_session_accept(f->session, f->now));
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->closes[CONN], 1);
    expect_sent(f, CONN, ""); /* RFC 4724 4.2: no NOTIFICATION */
    assert_int_equal(info_of(f).retained, FAMILIES);
    fixture_free(f);

    f = established(PEER_CAPS);
    assert_false(bgp_session_accept(f->session, f->now)); /* nothing agreed: the session stands */
    expect_state(f, BGP_ESTABLISHED);
    fixture_free(f);
}

static void calling(struct bgp_session_conf *conf)
{
    restartable(conf);
    conf->passive = false;
}

/* RFC 4724 5, whoever made the connection; but one that is young may be the other half of a collision. */
static void it_takes_the_place_of_a_connection_of_ours_too(void **state)
{
    struct fixture *f = fixture_new(calling);
    struct peer_open open = good_open();

    (void)state;
    open.params = "0222" PEER_CAPS GR_BOTH;
    bgp_session_start(f->session, f->now);
    bgp_session_connected(f->session, BGP_CONN_OUT, f->now);
    receive_open(f, BGP_CONN_OUT, open);
    receive_keepalive(f, BGP_CONN_OUT);
    expect_state(f, BGP_ESTABLISHED);

    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    assert_int_equal(f->downs, 0);
    forget_sent(f);
    receive_open(f, BGP_CONN_IN, open);
    expect_sent(f, BGP_CONN_IN, MARKER_HEX "001503 0607");
    expect_state(f, BGP_ESTABLISHED);

    advance(f, 10000);
    forget_sent(f);
    assert_true(bgp_session_accept(f->session, f->now));
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->closes[BGP_CONN_OUT], 1);
    expect_sent(f, BGP_CONN_OUT, "");
    assert_int_equal(info_of(f).retained, FAMILIES);
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    receive_open(f, BGP_CONN_IN, open);
    receive_keepalive(f, BGP_CONN_IN);
    expect_state(f, BGP_ESTABLISHED);
    advance(f, 20000);
    assert_int_equal(f->connects, 1);
    fixture_free(f);
}

/* dynamic peers are forgotten only then */
static void quiet_is_a_session_that_nothing_is_lost_with(void **state)
{
    struct fixture *f = established(PEER_CAPS);

    (void)state;
    assert_false(bgp_session_quiet(f->session, f->now));
    bgp_session_closed(f->session, CONN, f->now);
    assert_true(bgp_session_quiet(f->session, f->now));
    fixture_free(f);

    f = established(PEER_CAPS);
    receive_hex(f, CONN, "00"); /* breaks the session */
    receive_hex(f, CONN, "00000000000000000000000000000000000000");
    expect_state(f, BGP_ACTIVE);
    assert_false(bgp_session_quiet(f->session, f->now));
    assert_true(bgp_session_quiet(f->session, f->now + 301 * MONO_MS_PER_S));
    fixture_free(f);
}

static void marks_of_a_refresh_reach_the_owner(void **state)
{
    struct fixture *f = established(PEER_CAPS);

    (void)state;
    receive_hex(f, CONN, MARKER_HEX "001705 0001 01 85");
    assert_int_equal(f->refresh_begins, 1);
    assert_int_equal(f->refresh_family, BGP_IPV4_FLOWSPEC);
    receive_hex(f, CONN, MARKER_HEX "001705 0002 02 85");
    assert_int_equal(f->refresh_ends, 1);
    receive_hex(f, CONN, MARKER_HEX "001705 0001 03 85"); /* RFC 7313 5: unknown subtypes are ignored */
    receive_hex(f, CONN, MARKER_HEX "001705 0001 01 01"); /* a family that was not agreed */
    assert_int_equal(f->refresh_begins + f->refresh_ends + f->refreshes, 2);
    assert_int_equal(bgp_session_send_refresh_mark(f->session, BGP_IPV4_FLOWSPEC, false), 0);
    assert_int_equal(bgp_session_send_refresh_mark(f->session, BGP_IPV6_FLOWSPEC, true), 0);
    expect_sent(f, CONN, MARKER_HEX "001705 0001 01 85" MARKER_HEX "001705 0002 02 85");
    fixture_free(f);
}

static void a_refresh_of_a_wrong_length_is_sent_back(void **state)
{
    struct fixture *f = established(PEER_CAPS);

    (void)state;
    receive_hex(f, CONN, MARKER_HEX "001805 0001 01 85 00");
    expect_sent(f, CONN, MARKER_HEX "002d03 0701" MARKER_HEX "001805 0001 01 85 00");
    assert_int_equal(f->downs, 1);
    fixture_free(f);
}

static void a_peer_that_does_not_read_is_given_up(void **state)
{
    struct fixture *f = established(PEER_CAPS);

    (void)state;
    for (unsigned i = 0; i < 6; i++) { /* keepalives come in, ours do not leave: the first at 30 s */
        advance(f, 30000);
        receive_keepalive(f, CONN);
    }
    bgp_session_output(f->session, CONN, 19, f->now); /* something left: from here anew */
    for (unsigned i = 0; i < 6; i++) {
        advance(f, 30000);
        receive_keepalive(f, CONN);
    }
    expect_state(f, BGP_ESTABLISHED);
    advance(f, 20000);
    assert_int_equal(f->downs, 1);
    assert_string_equal(info_of(f).last_down, "NOTIFICATION sent: Send Hold Timer Expired");
    fixture_free(f);
}

static void a_peer_that_reads_is_not(void **state)
{
    struct fixture *f = established(PEER_CAPS);

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        advance(f, 30000);
        bgp_session_output(f->session, CONN, 0, f->now);
        receive_keepalive(f, CONN);
    }
    expect_state(f, BGP_ESTABLISHED);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_open_offers_restart_octet_by_octet),
        cmocka_unit_test(the_capability_is_read),
        cmocka_unit_test(malformed_or_alone_it_is_as_absent),
        cmocka_unit_test(a_lost_connection_retains_what_the_peer_listed),
        cmocka_unit_test(a_notification_retains_only_with_rfc_8538),
        cmocka_unit_test(silence_retains_only_with_rfc_8538),
        cmocka_unit_test(the_operators_stop_is_a_hard_reset_that_carries_the_reason),
        cmocka_unit_test(a_new_connection_of_a_restarted_peer_takes_the_place),
        cmocka_unit_test(it_takes_the_place_of_a_connection_of_ours_too),
        cmocka_unit_test(quiet_is_a_session_that_nothing_is_lost_with),
        cmocka_unit_test(marks_of_a_refresh_reach_the_owner),
        cmocka_unit_test(a_refresh_of_a_wrong_length_is_sent_back),
        cmocka_unit_test(a_peer_that_does_not_read_is_given_up),
        cmocka_unit_test(a_peer_that_reads_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
