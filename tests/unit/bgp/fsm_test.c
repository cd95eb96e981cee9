/* SPDX-License-Identifier: BSD-3-Clause */
/* The state machine: every message in every state, stops, losses, NOTIFICATIONs. RFC 4271 8.2.2, RFC 6608. */
#include <errno.h>

#include "fixture.h"

#define CONN BGP_CONN_IN

static void send_type(struct fixture *f, uint8_t type)
{
    static const uint8_t refresh[4] = {0, 1, 0, 133}, update[4] = {0}, notification[2] = {6, 2};

    switch (type) {
    case BGP_OPEN:
        receive_open(f, CONN, good_open());
        break;
    case BGP_UPDATE:
        receive(f, CONN, type, update, sizeof update);
        break;
    case BGP_NOTIFICATION:
        receive(f, CONN, type, notification, sizeof notification);
        break;
    case BGP_KEEPALIVE:
        receive_keepalive(f, CONN);
        break;
    default:
        receive(f, CONN, type, refresh, sizeof refresh);
    }
}

/* What each message does in each state: the state after it and what is sent. */
static const struct {
    enum bgp_state in;
    uint8_t type;
    enum bgp_state out;
    const char *answer;
} cells[] = {
    {BGP_OPEN_SENT, BGP_OPEN, BGP_OPEN_CONFIRM, MARKER_HEX "001304"},
    {BGP_OPEN_SENT, BGP_UPDATE, BGP_ACTIVE, MARKER_HEX "001603 050102"},
    {BGP_OPEN_SENT, BGP_NOTIFICATION, BGP_ACTIVE, ""},
    {BGP_OPEN_SENT, BGP_KEEPALIVE, BGP_ACTIVE, MARKER_HEX "001603 050104"},
    {BGP_OPEN_SENT, BGP_ROUTE_REFRESH, BGP_ACTIVE, MARKER_HEX "001603 050105"},
    {BGP_OPEN_CONFIRM, BGP_OPEN, BGP_ACTIVE, MARKER_HEX "001603 050201"},
    {BGP_OPEN_CONFIRM, BGP_UPDATE, BGP_ACTIVE, MARKER_HEX "001603 050202"},
    {BGP_OPEN_CONFIRM, BGP_NOTIFICATION, BGP_ACTIVE, ""},
    {BGP_OPEN_CONFIRM, BGP_KEEPALIVE, BGP_ESTABLISHED, ""},
    {BGP_OPEN_CONFIRM, BGP_ROUTE_REFRESH, BGP_ACTIVE, MARKER_HEX "001603 050205"},
    {BGP_ESTABLISHED, BGP_OPEN, BGP_ACTIVE, MARKER_HEX "001603 050301"},
    {BGP_ESTABLISHED, BGP_UPDATE, BGP_ESTABLISHED, ""},
    {BGP_ESTABLISHED, BGP_NOTIFICATION, BGP_ACTIVE, ""},
    {BGP_ESTABLISHED, BGP_KEEPALIVE, BGP_ESTABLISHED, ""},
    {BGP_ESTABLISHED, BGP_ROUTE_REFRESH, BGP_ESTABLISHED, ""},
};

/* conforms: RFC 4271 proves 6.6-1 8.2.2-3 refuses 6.6-1 */
static void every_message_in_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct fixture *f = fixture_new(NULL);
        up_to(f, cells[i].in);
        send_type(f, cells[i].type);
        if (info_of(f).state != cells[i].out)
            fail_msg("type %u in %s: %s", cells[i].type, bgp_state_name(cells[i].in), bgp_state_name(info_of(f).state));
        expect_sent(f, CONN, cells[i].answer);
        assert_int_equal(f->closes[CONN], cells[i].out == BGP_ACTIVE ? 1 : 0);
        assert_int_equal(f->downs, cells[i].in == BGP_ESTABLISHED && cells[i].out != BGP_ESTABLISHED);
        assert_int_equal(f->established, cells[i].in == BGP_ESTABLISHED || cells[i].out == BGP_ESTABLISHED);
        fixture_free(f);
    }
}

/* conforms: RFC 4271 proves 8.2.2-4 */
static void a_lost_connection_in_every_state(void **state)
{
    (void)state;
    for (int in = BGP_OPEN_SENT; in <= BGP_ESTABLISHED; in++) {
        struct fixture *f = fixture_new(NULL);
        up_to(f, (enum bgp_state)in);
        bgp_session_closed(f->session, CONN, f->now);
        expect_state(f, BGP_ACTIVE);
        expect_sent(f, CONN, "");
        assert_int_equal(f->closes[CONN], 0);
        assert_int_equal(f->downs, in == BGP_ESTABLISHED);
        assert_string_equal(info_of(f).last_down, "connection closed by the peer or lost");
        fixture_free(f);
    }
}

/* conforms: RFC 4271 proves 4.5-1 8.2.2-5 */
static void a_stop_says_goodbye_in_every_state(void **state)
{
    (void)state;
    for (int in = BGP_OPEN_SENT; in <= BGP_ESTABLISHED; in++) {
        struct fixture *f = fixture_new(NULL);
        up_to(f, (enum bgp_state)in);
        bgp_session_stop(f->session, BGP_CEASE_SHUTDOWN, "back at 5", f->now);
        expect_state(f, BGP_IDLE);
        expect_sent(f, CONN, MARKER_HEX "001f03 0602 09 6261636b2061742035");
        assert_int_equal(f->closes[CONN], 1);
        assert_int_equal(f->downs, in == BGP_ESTABLISHED);
        assert_true(bgp_session_deadline(f->session) == UINT64_MAX);
        assert_false(bgp_session_accept(f->session, f->now));
        fixture_free(f);
    }
}

static void a_stop_of_another_kind_carries_no_text(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    bgp_session_stop(f->session, BGP_CEASE_DECONFIGURED, "unheard", f->now);
    expect_sent(f, CONN, MARKER_HEX "001503 0603");
    fixture_free(f);
}

static void a_stopped_session_starts_again(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    bgp_session_stop(f->session, BGP_CEASE_RESET, NULL, f->now);
    bgp_session_connected(f->session, CONN, f->now); /* one that came through in between is turned away */
    assert_int_equal(f->closes[CONN], 2);
    up_to(f, BGP_ESTABLISHED);
    assert_int_equal(info_of(f).established_count, 2);
    fixture_free(f);
}

/* conforms: RFC 4271 proves 6.4-1 refuses 6.4-1 */
static void a_notification_is_never_answered(void **state)
{
    (void)state;
    for (int in = BGP_OPEN_SENT; in <= BGP_ESTABLISHED; in++) {
        struct fixture *f = fixture_new(NULL);
        up_to(f, (enum bgp_state)in);
        receive(f, CONN, BGP_NOTIFICATION, (uint8_t[]){99, 88, 1, 2, 3}, 5); /* no such code */
        receive(f, CONN, BGP_NOTIFICATION, (uint8_t[]){2, 2}, 2);
        expect_sent(f, CONN, "");
        struct bgp_notification n = info_of(f).last_error;
        assert_true(n.set && !n.sent);
        assert_int_equal(n.code, 99);
        assert_int_equal(n.subcode, 88);
        assert_int_equal(n.data_len, 3);
        fixture_free(f);
    }
}

/* conforms: RFC 4271 proves 6.3-1 */
/* conforms: RFC 7606 proves 3-1 */
static void a_bad_update_ends_the_session_from_within_its_callback(void **state)
{
    struct fixture *f = fixture_new(NULL);
    static const uint8_t two[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x17\x02\0\0\0\0"
                                 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x17\x02\0\0\0";

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    f->reset_on_update = true;
    bgp_session_receive(f->session, CONN, two, sizeof two, f->now); /* the terminator is the last octet */
    expect_sent(f, CONN, MARKER_HEX "001503 0301");
    assert_int_equal(f->updates, 1);
    assert_int_equal(f->downs, 1);
    fixture_free(f);
}

static void long_data_of_a_fault_goes_out_whole(void **state)
{
    struct fixture *f = fixture_new(NULL);
    static uint8_t data[5000];

    (void)state;
    memset(data, 0xab, sizeof data);
    up_to(f, BGP_ESTABLISHED);
    bgp_session_error(f->session, BGP_ERR_UPDATE, BGP_UPDATE_OPTIONAL_ATTRIBUTE, data, 1000);
    assert_int_equal(f->sent_len[CONN], 1021);
    assert_memory_equal(f->sent[CONN] + 21, data, 1000);
    bgp_session_error(f->session, BGP_ERR_UPDATE, BGP_UPDATE_OPTIONAL_ATTRIBUTE, data, 1000); /* nobody there */
    assert_int_equal(f->sent_len[CONN], 1021);
    fixture_free(f);

    f = fixture_new(NULL);
    up_to(f, BGP_ESTABLISHED);
    bgp_session_error(f->session, BGP_ERR_UPDATE, BGP_UPDATE_OPTIONAL_ATTRIBUTE, data, sizeof data);
    assert_int_equal(f->sent_len[CONN], BGP_MESSAGE_MAX); /* RFC 8654 5 */
    fixture_free(f);
}

static void route_refresh_both_ways(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_ESTABLISHED);
    receive(f, CONN, BGP_ROUTE_REFRESH, (uint8_t[]){0, 2, 0, 133}, 4);
    assert_int_equal(f->refreshes, 1);
    assert_int_equal(f->refresh_family, BGP_IPV6_FLOWSPEC);
    receive(f, CONN, BGP_ROUTE_REFRESH, (uint8_t[]){0, 1, 0, 1}, 4);   /* not agreed */
    receive(f, CONN, BGP_ROUTE_REFRESH, (uint8_t[]){0, 9, 0, 9}, 4);   /* unknown */
    receive(f, CONN, BGP_ROUTE_REFRESH, (uint8_t[]){0, 1, 1, 133}, 4); /* RFC 7313 BoRR, not agreed */
    assert_int_equal(f->refreshes, 1);
    assert_int_equal(bgp_session_send_refresh(f->session, BGP_IPV4_FLOWSPEC), 0);
    expect_sent(f, CONN, MARKER_HEX "001705 00010085");
    assert_int_equal(bgp_session_send_refresh(f->session, BGP_IPV4_UNICAST), -EINVAL);
    bgp_session_closed(f->session, CONN, f->now);
    assert_int_equal(bgp_session_send_refresh(f->session, BGP_IPV4_FLOWSPEC), -ENOTCONN);
    fixture_free(f);
}

static void refresh_is_not_asked_of_a_peer_that_cannot(void **state)
{
    struct fixture *f = fixture_new(NULL);
    struct peer_open open = good_open();

    (void)state;
    open.params = "0206 0104 00010085";
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, CONN, open);
    receive_keepalive(f, CONN);
    assert_int_equal(bgp_session_send_refresh(f->session, BGP_IPV4_FLOWSPEC), -EOPNOTSUPP);
    fixture_free(f);
}

static void updates_are_sent_only_when_established_and_not_too_long(void **state)
{
    static uint8_t body[BGP_MESSAGE_MAX];
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_OPEN_CONFIRM);
    assert_int_equal(bgp_session_send_update(f->session, body, 4), -ENOTCONN);
    receive_keepalive(f, CONN);
    assert_int_equal(bgp_session_send_update(f->session, body, BGP_MESSAGE_MAX - 19 + 1), -EMSGSIZE);
    expect_sent(f, CONN, "");
    assert_int_equal(bgp_session_send_update(f->session, body, BGP_MESSAGE_MAX - 19), 0);
    assert_int_equal(f->sent_len[CONN], BGP_MESSAGE_MAX);
    forget_sent(f);
    assert_int_equal(bgp_session_send_update(f->session, body, 4), 0);
    expect_sent(f, CONN, MARKER_HEX "001702 00000000");
    assert_int_equal(info_of(f).updates_out, 2);
    fixture_free(f);
}

/* conforms: RFC 4271 proves 8.2.2-2 */
static void a_silent_connection_makes_room_for_a_new_one(void **state)
{
    struct fixture *f = fixture_new(NULL);

    (void)state;
    up_to(f, BGP_OPEN_SENT);
    assert_true(bgp_session_accept(f->session, f->now));
    assert_int_equal(f->closes[CONN], 1);
    bgp_session_connected(f->session, CONN, f->now);
    receive_open(f, CONN, good_open());
    expect_state(f, BGP_OPEN_CONFIRM);
    assert_false(bgp_session_accept(f->session, f->now)); /* this one talks: it stays */
    assert_int_equal(f->closes[CONN], 1);
    fixture_free(f);
}

static void a_rejection_for_strangers(void **state)
{
    uint8_t out[BGP_REJECTION_LEN], expected[64];
    size_t len = unhex(MARKER_HEX "001503 0605", expected);

    (void)state;
    assert_int_equal(bgp_rejection(out), len);
    assert_int_equal(len, BGP_REJECTION_LEN);
    assert_memory_equal(out, expected, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_in_every_state),
        cmocka_unit_test(a_lost_connection_in_every_state),
        cmocka_unit_test(a_stop_says_goodbye_in_every_state),
        cmocka_unit_test(a_stop_of_another_kind_carries_no_text),
        cmocka_unit_test(a_stopped_session_starts_again),
        cmocka_unit_test(a_notification_is_never_answered),
        cmocka_unit_test(a_bad_update_ends_the_session_from_within_its_callback),
        cmocka_unit_test(long_data_of_a_fault_goes_out_whole),
        cmocka_unit_test(route_refresh_both_ways),
        cmocka_unit_test(refresh_is_not_asked_of_a_peer_that_cannot),
        cmocka_unit_test(updates_are_sent_only_when_established_and_not_too_long),
        cmocka_unit_test(a_silent_connection_makes_room_for_a_new_one),
        cmocka_unit_test(a_rejection_for_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
