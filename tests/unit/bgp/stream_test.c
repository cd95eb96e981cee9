/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole session in any cut of the octet stream means the same; and what a NOTIFICATION says in words. */
#include <stdlib.h>

#include "fixture.h"

#define UPDATES 40

static uint8_t stream[UPDATES * 1500];
static size_t stream_len;

static void put(uint8_t type, const uint8_t *body, size_t len)
{
    uint8_t *at = stream + stream_len;

    memset(at, 0xff, 16);
    at[16] = (uint8_t)((len + 19) >> 8);
    at[17] = (uint8_t)(len + 19);
    at[18] = type;
    if (len > 0)
        memcpy(at + 19, body, len);
    stream_len += len + 19;
}

static void compose(void)
{
    uint8_t body[1500];

    stream_len = peer_open_build(good_open(), stream);
    put(BGP_KEEPALIVE, NULL, 0);
    for (unsigned i = 0; i < UPDATES; i++) {
        size_t len = 4 + i * 31;
        memset(body, (int)i, len);
        put(BGP_UPDATE, body, len);
        if (i % 5 == 0)
            put(BGP_KEEPALIVE, NULL, 0);
        if (i % 7 == 0)
            put(BGP_ROUTE_REFRESH, (uint8_t[]){0, 1, 0, 133}, 4);
    }
    put(BGP_NOTIFICATION, (uint8_t[]){6, 4}, 2);
}

/* Feeds the stream in pieces of a size that `cut` chooses. */
static void feed(size_t (*cut)(void))
{
    struct fixture *f = fixture_new(NULL);

    up_to(f, BGP_OPEN_SENT);
    for (size_t at = 0; at < stream_len;) {
        size_t len = cut();
        if (len > stream_len - at)
            len = stream_len - at;
        uint8_t *piece = malloc(len); /* its own block: a read past it is seen by the sanitizer */
        memcpy(piece, stream + at, len);
        bgp_session_receive(f->session, BGP_CONN_IN, piece, len, f->now);
        free(piece);
        at += len;
    }
    assert_int_equal(f->updates, UPDATES);
    assert_int_equal(f->update_len, 4 + (UPDATES - 1) * 31);
    assert_int_equal(f->update[f->update_len - 1], UPDATES - 1);
    assert_int_equal(f->refreshes, 6);
    assert_int_equal(f->established, 1);
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->closes[BGP_CONN_IN], 1);
    assert_int_equal(info_of(f).messages_in, UPDATES + 8 + 6 + 3);
    assert_string_equal(info_of(f).last_down, "NOTIFICATION received: Cease: Administrative Reset");
    fixture_free(f);
}

static size_t cut_one(void)
{
    return 1;
}

static size_t cut_all(void)
{
    return sizeof stream;
}

static size_t cut_random(void)
{
    return 1 + (size_t)random() % (random() % 4 == 0 ? 3000 : 40);
}

static void octet_by_octet(void **state)
{
    (void)state;
    feed(cut_one);
}

static void all_at_once(void **state)
{
    (void)state;
    feed(cut_all);
}

static void at_random_cuts(void **state)
{
    (void)state;
    srandom(4271);
    for (unsigned i = 0; i < 500; i++)
        feed(cut_random);
}

static void check_words(const struct bgp_notification *n, const char *expected)
{
    char text[200];

    bgp_notification_format(n, text, sizeof text);
    assert_string_equal(text, expected);
}

static void words(uint8_t code, uint8_t subcode, const char *data_hex, const char *expected)
{
    uint8_t data[256];
    size_t len = unhex(data_hex, data);
    struct bgp_notification n = bgp_notification_make(code, subcode, data, len);

    check_words(&n, expected);
}

static void notifications_in_words(void **state)
{
    (void)state;
    words(1, 1, "", "Message Header Error: Connection Not Synchronized");
    words(1, 2, "0012", "Message Header Error: Bad Message Length (data 0012)");
    words(2, 2, "", "OPEN Message Error: Bad Peer AS");
    words(2, 7, "", "OPEN Message Error: Unsupported Capability");
    words(2, 0, "", "OPEN Message Error");
    words(3, 9, "000102030405060708090a0b0c0d0e0f10",
          "UPDATE Message Error: Optional Attribute Error (data 000102030405060708090a0b0c0d0e0f...)");
    words(3, 11, "", "UPDATE Message Error: Malformed AS_PATH");
    words(4, 0, "", "Hold Timer Expired");
    words(5, 3, "01", "Finite State Machine Error: Receive Unexpected Message in Established State (data 01)");
    words(6, 8, "", "Cease: Out of Resources");
    words(6, 10, "", "Cease: BFD Down");
    words(6, 9, "0602", "Cease: Hard Reset (Cease: Administrative Shutdown)");
    words(6, 77, "", "Cease: unknown subcode 77");
    words(7, 1, "", "ROUTE-REFRESH Message Error: Invalid Message Length");
    words(8, 0, "", "Send Hold Timer Expired");
    words(0, 0, "", "unknown error 0/0");
    words(200, 3, "", "unknown error 200/3");
    check_words(&(struct bgp_notification){0}, "none");
}

/* RFC 9003: shown when it is UTF-8; nothing of it may move a cursor or forge a log line. */
static void shutdown_communications_are_shown_safely(void **state)
{
    (void)state;
    words(6, 2, "05 68656c6c6f", "Cease: Administrative Shutdown: \"hello\"");
    words(6, 4, "06 c3bce282ac21", "Cease: Administrative Reset: \"\u00fc\u20ac!\"");
    words(6, 2, "00", "Cease: Administrative Shutdown");
    words(6, 2, "", "Cease: Administrative Shutdown");
    words(6, 2, "ff 6162", "Cease: Administrative Shutdown: \"ab\""); /* its length lies */
    words(6, 2, "04 610a1b62", "Cease: Administrative Shutdown: \"a??b\"");
    words(6, 2, "02 c29b", "Cease: Administrative Shutdown: \"?\"");     /* U+009B */
    words(6, 2, "03 c0af61", "Cease: Administrative Shutdown: \"??a\""); /* not the shortest form */
    words(6, 2, "03 eda080", "Cease: Administrative Shutdown: \"???\""); /* a surrogate */
    words(6, 2, "02 e282", "Cease: Administrative Shutdown: \"??\"");    /* cut */
    words(6, 2, "03 612262", "Cease: Administrative Shutdown: \"a?b\""); /* a quote */
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    char reason[300], text[BGP_NOTIFICATION_TEXT];

    (void)state;
    memset(reason, 'a', sizeof reason);
    memcpy(reason + 254, "\u20ac", 3); /* would end at 257: RFC 9003 2 has room for 255 octets */
    reason[299] = '\0';
    struct bgp_notification n = bgp_notification_cease(BGP_CEASE_SHUTDOWN, reason);
    assert_int_equal(n.data[0], 254);
    assert_int_equal(n.data_len, 255);
    memset(reason, 'a', sizeof reason - 1);
    n = bgp_notification_cease(BGP_CEASE_SHUTDOWN, reason);
    assert_int_equal(n.data[0], 255);
    assert_int_equal(n.data_len, 256);
    n = bgp_notification_hard_reset(&n);
    assert_int_equal(n.data_len, 258);
    bgp_notification_format(&n, text, sizeof text);
    assert_int_equal(text[strlen(text) - 1], ')'); /* nothing of it is lost in words */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octet_by_octet),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(at_random_cuts),
        cmocka_unit_test(notifications_in_words),
        cmocka_unit_test(shutdown_communications_are_shown_safely),
        cmocka_unit_test(a_long_reason_is_cut_between_characters),
    };

    compose();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
