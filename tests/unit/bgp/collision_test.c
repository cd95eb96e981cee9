/* SPDX-License-Identifier: BSD-3-Clause */
/* Two connections to one peer at once: RFC 4271 6.8, RFC 6286 2.3. Our identifier is LOCAL_ID. */
#include "fixture.h"

#define CEASE_COLLISION MARKER_HEX "001503 0607"

static void active(struct bgp_session_conf *conf)
{
    conf->passive = false;
}

/* Both connections in OpenSent, nothing received yet. */
static struct fixture *two_connections(void)
{
    struct fixture *f = fixture_new(active);

    bgp_session_start(f->session, f->now);
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    bgp_session_connected(f->session, BGP_CONN_OUT, f->now);
    assert_int_equal(f->sent_len[BGP_CONN_OUT], 51);
    assert_int_equal(f->sent_len[BGP_CONN_IN], 51);
    forget_sent(f);
    return f;
}

/* OPENs arrive on `first`, then on the other; `stays` must remain, whichever came first. */
static void collide(uint32_t peer_id, enum bgp_conn first, enum bgp_conn stays)
{
    struct fixture *f = two_connections();
    enum bgp_conn second = first == BGP_CONN_OUT ? BGP_CONN_IN : BGP_CONN_OUT;
    enum bgp_conn goes = stays == BGP_CONN_OUT ? BGP_CONN_IN : BGP_CONN_OUT;
    struct peer_open open = good_open();

    open.id = peer_id;
    receive_open(f, first, open);
    expect_sent(f, first, MARKER_HEX "001304");
    expect_sent(f, second, "");
    receive_open(f, second, open);
    expect_sent(f, stays, MARKER_HEX "001304");
    expect_sent(f, goes, goes == first ? MARKER_HEX "001304" CEASE_COLLISION : CEASE_COLLISION);
    assert_int_equal(f->closes[goes], 1);
    assert_int_equal(f->closes[stays], 0);
    receive_keepalive(f, stays);
    expect_state(f, BGP_ESTABLISHED);
    assert_int_equal(f->established, 1);
    bgp_session_closed(f->session, goes, f->now); /* late news of the loser change nothing */
    expect_state(f, BGP_ESTABLISHED);
    assert_int_equal(f->downs, 0);
    fixture_free(f);
}

/* conforms: RFC 4271 proves 6.8-1 6.8-2 8.2.1-3 8.2.1.2-1 refuses 6.8-1 */
static void the_connection_of_the_higher_identifier_stays(void **state)
{
    (void)state;
    collide(PEER_ID, BGP_CONN_OUT, BGP_CONN_IN); /* the peer's is higher: the one it made */
    collide(PEER_ID, BGP_CONN_IN, BGP_CONN_IN);
    collide(LOW_ID, BGP_CONN_OUT, BGP_CONN_OUT);
    collide(LOW_ID, BGP_CONN_IN, BGP_CONN_OUT);
}

static void equal_identifiers_are_told_apart_by_as(void **state)
{
    (void)state;
    collide(LOCAL_ID, BGP_CONN_OUT, BGP_CONN_IN); /* 65001 is above 65000 */
    collide(LOCAL_ID, BGP_CONN_IN, BGP_CONN_IN);
}

/* conforms: RFC 4271 proves 6.8-1 */
static void an_established_session_wins_over_a_new_connection(void **state)
{
    (void)state;
    for (unsigned low = 0; low < 2; low++) {
        struct fixture *f = two_connections();
        struct peer_open open = good_open();
        open.id = low ? LOW_ID : PEER_ID;
        receive_open(f, BGP_CONN_OUT, open);
        receive_keepalive(f, BGP_CONN_OUT);
        expect_state(f, BGP_ESTABLISHED);
        forget_sent(f);
        receive_open(f, BGP_CONN_IN, open);
        expect_sent(f, BGP_CONN_IN, CEASE_COLLISION);
        expect_sent(f, BGP_CONN_OUT, "");
        assert_int_equal(f->closes[BGP_CONN_IN], 1);
        expect_state(f, BGP_ESTABLISHED);
        assert_int_equal(f->downs, 0);
        assert_string_equal(info_of(f).last_down, "");
        fixture_free(f);
    }
}

/* One that never said anything must not win over one that did. */
/* conforms: RFC 4271 proves 8.2.2-2 */
static void a_silent_second_connection_costs_nothing(void **state)
{
    struct fixture *f = two_connections();

    (void)state;
    receive_open(f, BGP_CONN_OUT, good_open());
    receive_keepalive(f, BGP_CONN_OUT);
    for (unsigned i = 0; i < 5; i++) {
        advance(f, 60000);
        receive_keepalive(f, BGP_CONN_OUT);
    }
    expect_state(f, BGP_ESTABLISHED);
    assert_int_equal(f->closes[BGP_CONN_IN], 1);
    assert_int_equal(f->downs, 0);
    fixture_free(f);
}

static void garbage_on_one_leaves_the_other_alone(void **state)
{
    struct fixture *f = two_connections();

    (void)state;
    receive_open(f, BGP_CONN_OUT, good_open());
    receive_hex(f, BGP_CONN_IN, "0d0a");
    assert_int_equal(f->closes[BGP_CONN_IN], 1);
    receive_keepalive(f, BGP_CONN_OUT);
    expect_state(f, BGP_ESTABLISHED);
    fixture_free(f);
}

static void an_attempt_of_ours_is_given_up_when_the_peers_connection_is_up(void **state)
{
    struct fixture *f = fixture_new(active);

    (void)state;
    bgp_session_start(f->session, f->now);
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    receive_open(f, BGP_CONN_IN, good_open());
    assert_int_equal(f->closes[BGP_CONN_OUT], 0);
    receive_keepalive(f, BGP_CONN_IN);
    assert_int_equal(f->closes[BGP_CONN_OUT], 1);
    assert_int_equal(f->connects, 1);
    for (unsigned i = 0; i < 10; i++) {
        receive_keepalive(f, BGP_CONN_IN);
        advance(f, 60000);
    }
    assert_int_equal(f->connects, 1);
    bgp_session_closed(f->session, BGP_CONN_IN, f->now);
    advance(f, 500);
    assert_int_equal(f->connects, 2);
    fixture_free(f);
}

static void a_stop_ends_both(void **state)
{
    struct fixture *f = two_connections();

    (void)state;
    bgp_session_stop(f->session, BGP_CEASE_SHUTDOWN, NULL, f->now);
    expect_sent(f, BGP_CONN_IN, MARKER_HEX "001503 0602");
    expect_sent(f, BGP_CONN_OUT, MARKER_HEX "001503 0602");
    expect_state(f, BGP_IDLE);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_connection_of_the_higher_identifier_stays),
        cmocka_unit_test(equal_identifiers_are_told_apart_by_as),
        cmocka_unit_test(an_established_session_wins_over_a_new_connection),
        cmocka_unit_test(a_silent_second_connection_costs_nothing),
        cmocka_unit_test(garbage_on_one_leaves_the_other_alone),
        cmocka_unit_test(an_attempt_of_ours_is_given_up_when_the_peers_connection_is_up),
        cmocka_unit_test(a_stop_ends_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
