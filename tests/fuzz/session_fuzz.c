/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session under random events and a random stream. The input is a script: an octet chooses the event, what follows
 * are its arguments. Octets that come in are either raw or wrapped in a sound header. Whatever happens:
 *  - what is sent is a sequence of sound messages, and nothing follows a NOTIFICATION on a connection;
 *  - established and down take turns;
 *  - a tick moves the deadline on, so that no owner's loop spins.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "bgp/message.h"
#include "bgp/notification.h"
#include "bgp/session.h"

enum slot { FREE, CONNECTING, OPEN, CLOSED_BY_SESSION };

struct world {
    struct bgp_session *session;
    mono_ms_t now;
    enum slot slots[BGP_CONN_COUNT];
    bool notified[BGP_CONN_COUNT]; /* the last words were said */
    size_t sent_len[BGP_CONN_COUNT];
    uint8_t sent[BGP_CONN_COUNT][BGP_EXTENDED_MESSAGE_MAX];
    bool up;
    uint8_t error_next; /* the owner finds an error in the next UPDATE */
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void on_connect(void *ctx)
{
    struct world *w = ctx;

    require(w->slots[BGP_CONN_OUT] == FREE);
    w->slots[BGP_CONN_OUT] = CONNECTING;
}

static void on_close(void *ctx, enum bgp_conn conn)
{
    struct world *w = ctx;

    require(w->slots[conn] == CONNECTING || w->slots[conn] == OPEN);
    require(w->sent_len[conn] == 0); /* not in the middle of a message */
    w->slots[conn] = FREE;
    w->notified[conn] = false;
}

static void on_send(void *ctx, enum bgp_conn conn, const void *data, size_t len)
{
    struct world *w = ctx;
    struct bgp_notification fault;

    require(w->slots[conn] == OPEN && !w->notified[conn]);
    require(w->sent_len[conn] + len <= BGP_EXTENDED_MESSAGE_MAX);
    memcpy(w->sent[conn] + w->sent_len[conn], data, len);
    w->sent_len[conn] += len;
    int whole = bgp_message_length(w->sent[conn], w->sent_len[conn], true, &fault);
    require(whole > 0 && (size_t)whole >= w->sent_len[conn]);
    if ((size_t)whole > w->sent_len[conn])
        return;
    w->notified[conn] = w->sent[conn][18] == BGP_NOTIFICATION;
    w->sent_len[conn] = 0;
}

static void on_established(void *ctx)
{
    struct world *w = ctx;

    require(!w->up);
    w->up = true;
}

static void on_down(void *ctx)
{
    struct world *w = ctx;

    require(w->up);
    w->up = false;
}

static void on_update(void *ctx, const uint8_t *body, size_t len)
{
    struct world *w = ctx;

    require(w->up && len >= 4);
    if (w->error_next > 0)
        bgp_session_error(w->session, BGP_ERR_UPDATE, w->error_next, body, len);
    w->error_next = 0;
}

static void on_refresh(void *ctx, uint32_t family)
{
    require(((struct world *)ctx)->up && family != 0);
}

static const struct bgp_session_ops ops = {.connect = on_connect,
                                           .close = on_close,
                                           .send = on_send,
                                           .established = on_established,
                                           .update = on_update,
                                           .refresh = on_refresh,
                                           .down = on_down};

static void receive_message(struct world *w, enum bgp_conn conn, uint8_t type, const uint8_t *body, size_t len)
{
    uint8_t message[BGP_HEADER_LEN + 256];

    bgp_message_header(message, type, BGP_HEADER_LEN + len);
    memcpy(message + BGP_HEADER_LEN, body, len);
    bgp_session_receive(w->session, conn, message, BGP_HEADER_LEN + len, w->now);
}

/* An OPEN that is accepted, but for what the script says. */
static void receive_open(struct world *w, enum bgp_conn conn, uint8_t flavour)
{
    uint8_t body[] = {4,
                      0xfd,
                      0xe9,
                      0,
                      (uint8_t)(flavour & 1 ? 0 : 9),
                      10,
                      0,
                      0,
                      (uint8_t)(flavour & 2 ? 1 : 9),
                      10,
                      2,
                      8,
                      1,
                      4,
                      0,
                      1,
                      0,
                      133,
                      6,
                      0};

    receive_message(w, conn, BGP_OPEN, body, sizeof body);
}

static void accept_one(struct world *w)
{
    if (!bgp_session_accept(w->session, w->now))
        return;
    require(w->slots[BGP_CONN_IN] == FREE);
    w->slots[BGP_CONN_IN] = OPEN;
    bgp_session_connected(w->session, BGP_CONN_IN, w->now);
}

static void finish_connecting(struct world *w, bool well)
{
    if (w->slots[BGP_CONN_OUT] != CONNECTING)
        return;
    w->slots[BGP_CONN_OUT] = well ? OPEN : FREE;
    if (well)
        bgp_session_connected(w->session, BGP_CONN_OUT, w->now);
    else
        bgp_session_connect_failed(w->session, w->now);
}

static void lose(struct world *w, enum bgp_conn conn)
{
    if (w->slots[conn] != OPEN)
        return;
    w->slots[conn] = FREE;
    w->sent_len[conn] = 0;
    w->notified[conn] = false;
    bgp_session_closed(w->session, conn, w->now);
}

static void pass_time(struct world *w, mono_ms_t ms)
{
    mono_ms_t end = w->now + ms;

    for (mono_ms_t at; (at = bgp_session_deadline(w->session)) <= end;) {
        w->now = at > w->now ? at : w->now;
        bgp_session_tick(w->session, w->now);
        require(bgp_session_deadline(w->session) > w->now);
    }
    w->now = end;
}

static void step(struct world *w, struct byte_reader *script)
{
    static const uint8_t zeros[64];
    uint8_t event = br_u8(script), argument = br_u8(script);
    enum bgp_conn conn = argument & 0x80 ? BGP_CONN_OUT : BGP_CONN_IN;
    size_t len = argument & 0x3f;
    struct byte_reader bytes = br_sub(script, len <= br_left(script) ? len : br_left(script));

    len = br_left(&bytes);
    switch (event % 14) {
    case 0:
        bgp_session_start(w->session, w->now);
        break;
    case 1:
        bgp_session_stop(w->session, (uint8_t)len, len & 1 ? "because" : NULL, w->now);
        break;
    case 2:
        accept_one(w);
        break;
    case 3:
        finish_connecting(w, argument & 1);
        break;
    case 4:
        lose(w, conn);
        break;
    case 5:
        pass_time(w, (mono_ms_t)argument * (event & 0x80 ? 1000 : 50));
        break;
    case 6:
        receive_open(w, conn, (uint8_t)len);
        break;
    case 7:
        receive_message(w, conn, BGP_KEEPALIVE, zeros, 0);
        break;
    case 8:
        receive_message(w, conn, BGP_UPDATE, bytes.at, len);
        break;
    case 9:
        receive_message(w, conn, (uint8_t)(event >> 4), bytes.at, len);
        break;
    case 10:
        bgp_session_receive(w->session, conn, bytes.at, len, w->now);
        break;
    case 11:
        bgp_session_send_update(w->session, zeros, 4 + len % 60);
        break;
    case 12:
        bgp_session_send_refresh(w->session, 1u << len % 8);
        break;
    default:
        w->error_next = argument;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_reader script = br_init(data, size);
    struct world *w = calloc(1, sizeof *w);
    uint8_t flavour = br_u8(&script);
    struct bgp_session_conf conf = {.name = "peer",
                                    .local_as = flavour & 1 ? 65001 : 65000,
                                    .peer_as = flavour & 2 ? 65001 : 0,
                                    .router_id = 0x0a000005,
                                    .families = BGP_FLOWSPEC_FAMILIES,
                                    .hold_time_s = flavour & 4 ? 0 : 90,
                                    .connect_retry_s = 10,
                                    .passive = flavour & 8,
                                    .extended_message = flavour & 16};

    require(w != NULL);
    w->session = bgp_session_create(&conf, &ops, w, 0);
    require(w->session != NULL);
    while (br_left(&script) > 0) {
        struct bgp_session_info info;
        step(w, &script);
        bgp_session_info_get(w->session, &info);
        require((info.state == BGP_ESTABLISHED) == w->up);
    }
    bgp_session_free(w->session);
    free(w);
    return 0;
}
