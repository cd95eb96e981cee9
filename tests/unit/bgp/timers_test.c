/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers with a clock that is a number, and the active side: RFC 4271 8 and 10. */
#include "fixture.h"

#define CONN BGP_CONN_IN

/* conforms: RFC 4271 proves 10-2 10-3 */
static void keepalives_go_out_at_a_third_of_the_hold_time_or_a_little_earlier(void **state)
{
    struct fixture *f = fixture_new(NULL);
    mono_ms_t least = UINT64_MAX, most = 0;

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    for (unsigned i = 0; i < 50; i++) {
        receive_keepalive(f, CONN);
        mono_ms_t pause = bgp_session_deadline(f->session) - f->now;
        assert_in_range(pause, 22500, 30000);
        least = pause < least ? pause : least;
        most = pause > most ? pause : most;
        forget_sent(f);
        advance(f, pause - 1);
        expect_sent(f, CONN, "");
        advance(f, 1);
        expect_sent(f, CONN, MARKER_HEX "001304");
    }
    assert_true(most - least > 5000);
    fixture_free(f);
}

static void an_update_sent_puts_the_keepalive_off(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    advance(f, 20000);
    bgp_session_tick(f->session, f->now); /* sending takes the time of the latest event */
    bgp_session_send_update(f->session, (uint8_t[4]){0}, 4);
    forget_sent(f);
    advance(f, 22499);
    expect_sent(f, CONN, "");
    advance(f, 7501);
    expect_sent(f, CONN, MARKER_HEX "001304");
    fixture_free(f);
}

/* conforms: RFC 4271 proves 6-1 6.5-1 refuses 6.5-1 */
static void silence_for_the_hold_time_ends_the_session(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    advance(f, 89999);
    expect_state(f, BGP_ESTABLISHED);
    forget_sent(f);
    advance(f, 1);
    expect_sent(f, CONN, MARKER_HEX "001503 0400");
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->closes[CONN], 1);
    assert_string_equal(info_of(f).last_down, "NOTIFICATION sent: Hold Timer Expired");
    fixture_free(f);
}

static void any_of_the_three_messages_restarts_the_hold_timer(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    advance(f, 80000);
    receive_keepalive(f, CONN);
    advance(f, 80000);
    receive(f, CONN, BGP_UPDATE, (uint8_t[4]){0}, 4);
    advance(f, 80000);
    receive(f, CONN, BGP_ROUTE_REFRESH, (uint8_t[]){0, 1, 0, 133}, 4);
    advance(f, 89999);
    expect_state(f, BGP_ESTABLISHED);
    advance(f, 1);
    expect_state(f, BGP_ACTIVE);
    fixture_free(f);
}

/* conforms: RFC 4271 proves 4.2-1 6.2-5 */
static void the_lower_hold_time_counts(void **state)
{
    struct fixture *f = fixture_new(NULL);
    struct peer_open open = good_open();

    (void)state;
    open.hold_time_s = 9;
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, CONN, open);
    advance(f, 8999); /* in OpenConfirm it runs already */
    expect_state(f, BGP_OPEN_CONFIRM);
    advance(f, 1);
    expect_state(f, BGP_ACTIVE);
    fixture_free(f);
}

/* conforms: RFC 4271 proves 4.4-2 */
static void hold_time_0_means_no_timers(void **state)
{
    struct fixture *f = fixture_new(NULL);
    struct peer_open open = good_open();

    (void)state;
    open.hold_time_s = 0;
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, CONN, open);
    receive_keepalive(f, CONN);
    forget_sent(f);
    assert_true(bgp_session_deadline(f->session) == UINT64_MAX);
    advance(f, 100000000);
    expect_state(f, BGP_ESTABLISHED);
    expect_sent(f, CONN, "");
    fixture_free(f);
}

/* conforms: RFC 4271 proves 8.2.2-6 */
static void a_connection_without_open_is_closed_after_four_minutes(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    receive_hex(f, CONN, "ffffffff"); /* half a header does not help */
    advance(f, 239999);
    expect_state(f, BGP_OPEN_SENT);
    advance(f, 1);
    expect_sent(f, CONN, MARKER_HEX "001503 0400");
    expect_state(f, BGP_ACTIVE);
    fixture_free(f);
}

static void active(struct bgp_session_conf *conf)
{
    conf->passive = false;
}

/* conforms: RFC 4271 proves 8.2.1-2 */
static void the_active_side_connects_at_once(void **state)
{
    struct fixture *f = fixture_new(active);

    (void)state;
    bgp_session_start(f->session, f->now);
    bgp_session_start(f->session, f->now);
    assert_int_equal(f->connects, 1);
    expect_state(f, BGP_CONNECT);
    bgp_session_connected(f->session, BGP_CONN_OUT, f->now);
    expect_state(f, BGP_OPEN_SENT);
    assert_int_equal(f->sent_len[BGP_CONN_OUT], 51);
    receive_open(f, BGP_CONN_OUT, good_open());
    receive_keepalive(f, BGP_CONN_OUT);
    expect_state(f, BGP_ESTABLISHED);
    fixture_free(f);
}

/* Fails every attempt for `ms`; returns how many there were, and the longest pause. */
static unsigned fail_for(struct fixture *f, mono_ms_t ms, mono_ms_t *longest)
{
    mono_ms_t end = f->now + ms, last = f->now;
    unsigned before = f->connects;

    for (*longest = 0; f->now < end;) {
        bgp_session_connect_failed(f->session, f->now);
        expect_state(f, BGP_ACTIVE);
        unsigned seen = f->connects;
        mono_ms_t at = bgp_session_deadline(f->session);
        advance(f, at - f->now);
        assert_int_equal(f->connects, seen + 1);
        *longest = f->now - last > *longest ? f->now - last : *longest;
        last = f->now;
    }
    return f->connects - before;
}

/* conforms: RFC 4271 proves 10-2 */
static void failed_attempts_are_repeated_fast_first_and_then_slower(void **state)
{
    struct fixture *f = fixture_new(active);
    mono_ms_t longest;

    (void)state;
    bgp_session_start(f->session, f->now);
    assert_in_range(fail_for(f, 2000, &longest), 3, 5);
    fail_for(f, 120000, &longest);
    assert_true(longest <= 30000);
    unsigned tries = fail_for(f, 300000, &longest);
    assert_true(longest <= 30000 && longest > 22000);
    assert_in_range(tries, 10, 14);
    fixture_free(f);
}

/* conforms: RFC 4271 proves 8.2.2-1 */
static void an_attempt_without_an_answer_is_given_up(void **state)
{
    struct fixture *f = fixture_new(active);

    (void)state;
    bgp_session_start(f->session, f->now);
    advance(f, 9999);
    assert_int_equal(f->closes[BGP_CONN_OUT], 0);
    advance(f, 1);
    assert_int_equal(f->closes[BGP_CONN_OUT], 1);
    expect_state(f, BGP_ACTIVE);
    advance(f, 500);
    assert_int_equal(f->connects, 2);
    expect_state(f, BGP_CONNECT);
    fixture_free(f);
}

static void a_lost_session_is_connected_again_within_half_a_second(void **state)
{
    struct fixture *f = fixture_new(active);
    mono_ms_t longest;

    (void)state;
    bgp_session_start(f->session, f->now);
    fail_for(f, 60000, &longest);
    bgp_session_connected(f->session, BGP_CONN_OUT, f->now);
    receive_open(f, BGP_CONN_OUT, good_open());
    receive_keepalive(f, BGP_CONN_OUT);
    unsigned before = f->connects;
    bgp_session_closed(f->session, BGP_CONN_OUT, f->now);
    assert_int_equal(f->connects, before);
    advance(f, 500);
    assert_int_equal(f->connects, before + 1);
    fixture_free(f);
}

/* RFC 5492 3: such a peering should not come back by itself at once. */
static void a_peer_without_our_families_is_tried_seldom(void **state)
{
    struct fixture *f = fixture_new(active);
    struct peer_open open = good_open();

    (void)state;
    open.params = "0206 0104 00010001";
    bgp_session_start(f->session, f->now);
    bgp_session_connected(f->session, BGP_CONN_OUT, f->now);
    receive_open(f, BGP_CONN_OUT, open);
    expect_state(f, BGP_ACTIVE);
    advance(f, 22000);
    assert_int_equal(f->connects, 1);
    advance(f, 8000);
    assert_int_equal(f->connects, 2);
    fixture_free(f);
}

static void a_passive_session_never_connects(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    bgp_session_closed(f->session, CONN, f->now);
    assert_true(bgp_session_deadline(f->session) == UINT64_MAX);
    advance(f, 10000000);
    assert_int_equal(f->connects, 0);
    fixture_free(f);
}

/* Brings the session up and has the peer break it with an unexpected message. */
static void flap(struct fixture *f)
{
    up_to(f, BGP_ESTABLISHED);
    receive_open(f, CONN, good_open());
}

/* conforms: RFC 4271 proves 8.1-1 */
static void a_peer_that_keeps_breaking_the_session_is_held_off(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    flap(f);
    expect_state(f, BGP_ACTIVE); /* once is forgiven */
    flap(f);
    expect_state(f, BGP_IDLE);
    assert_false(bgp_session_accept(f->session, f->now));
    advance(f, 999);
    expect_state(f, BGP_IDLE);
    advance(f, 1);
    expect_state(f, BGP_ACTIVE);
    for (unsigned hold_ms = 2000; hold_ms <= 64000; hold_ms *= 2) {
        flap(f);
        advance(f, hold_ms - 1);
        expect_state(f, BGP_IDLE);
        advance(f, 1);
        expect_state(f, BGP_ACTIVE);
    }
    flap(f);
    advance(f, 64000); /* the longest */
    expect_state(f, BGP_ACTIVE);
    advance(f, 300001);
    flap(f);
    expect_state(f, BGP_ACTIVE); /* forgotten */
    fixture_free(f);
}

static void garbage_before_the_session_is_up_holds_nobody_off(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        up_to(f, BGP_OPEN_SENT);
        receive_hex(f, CONN, "00");
        expect_state(f, BGP_ACTIVE);
    }
    up_to(f, BGP_ESTABLISHED);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keepalives_go_out_at_a_third_of_the_hold_time_or_a_little_earlier),
        cmocka_unit_test(an_update_sent_puts_the_keepalive_off),
        cmocka_unit_test(silence_for_the_hold_time_ends_the_session),
        cmocka_unit_test(any_of_the_three_messages_restarts_the_hold_timer),
        cmocka_unit_test(the_lower_hold_time_counts),
        cmocka_unit_test(hold_time_0_means_no_timers),
        cmocka_unit_test(a_connection_without_open_is_closed_after_four_minutes),
        cmocka_unit_test(the_active_side_connects_at_once),
        cmocka_unit_test(failed_attempts_are_repeated_fast_first_and_then_slower),
        cmocka_unit_test(an_attempt_without_an_answer_is_given_up),
        cmocka_unit_test(a_lost_session_is_connected_again_within_half_a_second),
        cmocka_unit_test(a_peer_without_our_families_is_tried_seldom),
        cmocka_unit_test(a_passive_session_never_connects),
        cmocka_unit_test(a_peer_that_keeps_breaking_the_session_is_held_off),
        cmocka_unit_test(garbage_before_the_session_is_up_holds_nobody_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
