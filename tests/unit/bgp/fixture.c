/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"

static void on_connect(void *ctx)
{
    ((struct fixture *)ctx)->connects++;
}

static void on_close(void *ctx, enum bgp_conn conn)
{
    ((struct fixture *)ctx)->closes[conn]++;
}

static void on_send(void *ctx, enum bgp_conn conn, const void *data, size_t len)
{
    struct fixture *f = ctx;

    assert_true(f->sent_len[conn] + len <= SENT_MAX);
    memcpy(f->sent[conn] + f->sent_len[conn], data, len);
    f->sent_len[conn] += len;
}

static void on_established(void *ctx)
{
    ((struct fixture *)ctx)->established++;
}

static void on_update(void *ctx, const uint8_t *body, size_t len)
{
    struct fixture *f = ctx;

    f->updates++;
    f->update_len = len;
    memcpy(f->update, body, len);
    if (f->reset_on_update)
        bgp_session_error(f->session, BGP_ERR_UPDATE, BGP_UPDATE_ATTRIBUTE_LIST, NULL, 0);
}

static void on_refresh(void *ctx, uint32_t family)
{
    struct fixture *f = ctx;

    f->refreshes++;
    f->refresh_family = family;
}

static void on_refresh_mark(void *ctx, uint32_t family, bool end)
{
    struct fixture *f = ctx;

    *(end ? &f->refresh_ends : &f->refresh_begins) += 1;
    f->refresh_family = family;
}

static void on_down(void *ctx)
{
    ((struct fixture *)ctx)->downs++;
}

static const struct bgp_session_ops ops = {.connect = on_connect,
                                           .close = on_close,
                                           .send = on_send,
                                           .established = on_established,
                                           .update = on_update,
                                           .refresh = on_refresh,
                                           .refresh_mark = on_refresh_mark,
                                           .down = on_down};

struct fixture *fixture_new(void (*configure)(struct bgp_session_conf *conf))
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->now = 1000000;
    f->conf = (struct bgp_session_conf){.name = "peer",
                                        .local_as = LOCAL_AS,
                                        .peer_as = PEER_AS,
                                        .router_id = LOCAL_ID,
                                        .families = FAMILIES,
                                        .hold_time_s = 90,
                                        .connect_retry_s = 30,
                                        .passive = true};
    if (configure != NULL)
        configure(&f->conf);
    f->session = bgp_session_create(&f->conf, &ops, f, f->now);
    assert_non_null(f->session);
    return f;
}

void fixture_free(struct fixture *f)
{
    bgp_session_free(f->session);
    free(f);
}

size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = 0;

    for (; *hex != '\0'; hex++) {
        unsigned octet;
        if (*hex == ' ')
            continue;
        assert_int_equal(sscanf(hex, "%2x", &octet), 1);
        out[len++] = (uint8_t)octet;
        hex++;
    }
    return len;
}

void receive_hex(struct fixture *f, enum bgp_conn conn, const char *hex)
{
    uint8_t data[4096];
    size_t len = unhex(hex, data);

    bgp_session_receive(f->session, conn, data, len, f->now);
}

void receive(struct fixture *f, enum bgp_conn conn, uint8_t type, const void *body, size_t len)
{
    uint8_t *message = malloc(BGP_HEADER_LEN + len);
    struct byte_writer w = bw_init(message, BGP_HEADER_LEN + len);

    memset(w.at, 0xff, 16);
    w.at += 16;
    bw_u16(&w, (uint16_t)(BGP_HEADER_LEN + len));
    bw_u8(&w, type);
    bw_bytes(&w, body, len);
    bgp_session_receive(f->session, conn, message, BGP_HEADER_LEN + len, f->now);
    free(message);
}

struct peer_open good_open(void)
{
    return (struct peer_open){.version = 4, .my_as = PEER_AS, .hold_time_s = 90, .id = PEER_ID};
}

size_t peer_open_build(struct peer_open open, uint8_t *out)
{
    uint8_t params[1024];
    size_t params_len =
        unhex(open.params != NULL ? open.params : "0214 0104 00010085 0104 00020085 0200 4104 0000fde9", params);
    struct byte_writer w = bw_init(out, 2048);

    if (open.extended_message)
        params_len += unhex("0202 0600", params + params_len);
    memset(w.at, 0xff, 16);
    w.at += 16;
    bw_u16(&w, (uint16_t)(29 + params_len));
    bw_u8(&w, BGP_OPEN);
    bw_u8(&w, open.version);
    bw_u16(&w, open.my_as);
    bw_u16(&w, open.hold_time_s);
    bw_u32(&w, open.id);
    bw_u8(&w, (uint8_t)params_len);
    bw_bytes(&w, params, params_len);
    return bw_len(&w);
}

void receive_open(struct fixture *f, enum bgp_conn conn, struct peer_open open)
{
    uint8_t message[2048];
    size_t len = peer_open_build(open, message);

    bgp_session_receive(f->session, conn, message, len, f->now);
}

void receive_keepalive(struct fixture *f, enum bgp_conn conn)
{
    receive(f, conn, BGP_KEEPALIVE, NULL, 0);
}

void advance(struct fixture *f, mono_ms_t ms)
{
    mono_ms_t end = f->now + ms;

    for (mono_ms_t at; (at = bgp_session_deadline(f->session)) <= end;) {
        assert_true(at >= f->now);
        f->now = at;
        bgp_session_tick(f->session, at);
        assert_true(bgp_session_deadline(f->session) > at); /* else the owner's loop would spin */
    }
    f->now = end;
}

void up_to(struct fixture *f, enum bgp_state state)
{
    bgp_session_start(f->session, f->now);
    if (state < BGP_OPEN_SENT)
        return;
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    if (state >= BGP_OPEN_CONFIRM)
        receive_open(f, BGP_CONN_IN, good_open());
    if (state >= BGP_ESTABLISHED)
        receive_keepalive(f, BGP_CONN_IN);
    expect_state(f, state);
    forget_sent(f);
}

void forget_sent(struct fixture *f)
{
    f->sent_len[BGP_CONN_OUT] = f->sent_len[BGP_CONN_IN] = 0;
}

void expect_sent(const struct fixture *f, enum bgp_conn conn, const char *hex)
{
    uint8_t data[4096];
    size_t len = unhex(hex, data);

    assert_int_equal(f->sent_len[conn], len);
    assert_memory_equal(f->sent[conn], data, len);
}

struct bgp_session_info info_of(const struct fixture *f)
{
    struct bgp_session_info info;

    bgp_session_info_get(f->session, &info);
    return info;
}

void expect_state(const struct fixture *f, enum bgp_state state)
{
    assert_string_equal(bgp_state_name(info_of(f).state), bgp_state_name(state));
}
