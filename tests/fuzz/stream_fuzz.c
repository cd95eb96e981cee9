/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole sessions as a stream of octets: the input is a script that composes connections out of sound messages in any
 * order, made-up ones, rubbish, and flipped octets. The same streams go to two sessions, to one in a piece each, to
 * the other in random cuts. How TCP cuts a stream must mean nothing: both say, hear and hold the same at every end.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "bgp/message.h"
#include "bgp/notification.h"
#include "bgp/rib.h"
#include "bgp/session.h"
#include "bgp/update.h"

#define STREAM_MAX 20000

struct stream {
    size_t len;
    uint8_t octets[STREAM_MAX];
};

/* One of the two, with the UPDATEs read into a RIB as the router does. */
struct world {
    struct bgp_session *session;
    struct bgp_rib *rib;
    struct bgp_source source;
    struct bgp_update_conf update_conf;
    bool open, up;
    uint64_t trace; /* a hash of all that happened */
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void note(struct world *w, char what, const void *data, size_t len)
{
    const uint8_t *octets = data;

    w->trace = (w->trace ^ (uint8_t)what) * 0x100000001b3u;
    for (size_t i = 0; i < len; i++)
        w->trace = (w->trace ^ octets[i]) * 0x100000001b3u;
}

static void on_connect(void *ctx)
{
    (void)ctx;
    abort(); /* passive */
}

static void on_close(void *ctx, enum bgp_conn conn)
{
    struct world *w = ctx;

    require(w->open && conn == BGP_CONN_IN);
    w->open = false;
    note(w, 'c', NULL, 0);
}

static void on_send(void *ctx, enum bgp_conn conn, const void *data, size_t len)
{
    struct world *w = ctx;

    require(w->open && conn == BGP_CONN_IN);
    note(w, 's', data, len);
}

static void on_established(void *ctx)
{
    struct world *w = ctx;
    struct bgp_session_info info;

    require(!w->up);
    w->up = true;
    bgp_session_info_get(w->session, &info);
    w->update_conf.families = info.families;
    w->update_conf.four_octet_as = info.four_octet_as;
    w->update_conf.add_path = info.add_path.receive;
    note(w, 'e', &info.families, sizeof info.families);
}

static void on_down(void *ctx)
{
    struct world *w = ctx;

    require(w->up);
    w->up = false;
    bgp_rib_source_down(w->rib, &w->source);
    note(w, 'd', NULL, 0);
}

static void on_refresh(void *ctx, uint32_t family)
{
    note(ctx, 'r', &family, sizeof family);
}

static void on_refresh_mark(void *ctx, uint32_t family, bool end)
{
    note(ctx, end ? ']' : '[', &family, sizeof family);
}

static void reach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule, const struct bgp_attrs *attrs)
{
    struct world *w = ctx;

    note(w, '+', &family, sizeof family);
    int error = bgp_rib_announce_path(w->rib, &w->source, family, path_id, rule, attrs);
    require(error == 0 || error == -ENOSPC);
}

static void unreach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule)
{
    struct world *w = ctx;

    note(w, '-', &family, sizeof family);
    bgp_rib_withdraw_path(w->rib, &w->source, family, path_id, rule);
    fs_rule_free(rule);
}

static void reach_route(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    note(ctx, 'R', &route->prefix, sizeof route->prefix);
    note(ctx, 'h', &attrs->next_hop, sizeof attrs->next_hop);
}

static void unreach_route(void *ctx, const struct bgp_route *route)
{
    note(ctx, 'U', &route->prefix, sizeof route->prefix);
}

static void bad_nlri(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len)
{
    (void)family;
    (void)error;
    note(ctx, 'n', nlri, len);
}

static void bad_attribute(void *ctx, const char *what)
{
    note(ctx, 'a', what, strlen(what));
}

static void end_of_rib(void *ctx, uint32_t family)
{
    note(ctx, '.', &family, sizeof family);
}

static void on_update(void *ctx, const uint8_t *body, size_t len)
{
    static const struct bgp_update_ops update_ops = {.reach_flowspec = reach,
                                                     .unreach_flowspec = unreach,
                                                     .reach_route = reach_route,
                                                     .unreach_route = unreach_route,
                                                     .bad_nlri = bad_nlri,
                                                     .bad_attribute = bad_attribute,
                                                     .end_of_rib = end_of_rib};
    struct world *w = ctx;

    require(w->up);
    note(w, 'u', body, len);
    struct bgp_update_result result = bgp_update_parse(body, len, &w->update_conf, &update_ops, w);
    if (result.reset)
        bgp_session_error(w->session, result.code, result.subcode, result.data, result.data_len);
}

static const struct bgp_session_ops ops = {.connect = on_connect,
                                           .close = on_close,
                                           .send = on_send,
                                           .established = on_established,
                                           .update = on_update,
                                           .refresh = on_refresh,
                                           .refresh_mark = on_refresh_mark,
                                           .down = on_down};

static void changed(void *ctx, struct bgp_rib_entry *entry, bool withdrawn)
{
    note(ctx, withdrawn ? '<' : '>', &entry->family, sizeof entry->family);
}

static void world_init(struct world *w, uint8_t flavour)
{
    static const struct bgp_rib_ops rib_ops = {.changed = changed};
    struct bgp_session_conf conf = {.name = "peer",
                                    .local_as = 65000,
                                    .router_id = 0x0a000005,
                                    .families = (1u << BGP_FAMILY_COUNT) - 1,
                                    .hold_time_s = 90,
                                    .passive = true,
                                    .extended_message = flavour & 1,
                                    .enhanced_refresh = flavour & 4,
                                    .add_path_receive = flavour & 16,
                                    .restart_time_s = flavour & 8 ? 120 : 0};

    *w = (struct world){.source = {.number = 1, .kind = BGP_SOURCE_PEER, .ebgp = flavour & 2}};
    w->update_conf = (struct bgp_update_conf){.ebgp = flavour & 2, .local_as = 65000, .router_id = 0x0a000005};
    w->session = bgp_session_create(&conf, &ops, w, 0);
    w->rib = bgp_rib_create(&rib_ops, w);
    require(w->session != NULL && w->rib != NULL);
    bgp_session_start(w->session, 0);
}

static void world_free(struct world *w)
{
    bgp_session_free(w->session);
    bgp_rib_free(w->rib);
}

/* --- composing --- */

static void put(struct stream *s, const void *data, size_t len)
{
    if (len == 0 || len > STREAM_MAX - s->len)
        return;
    memcpy(s->octets + s->len, data, len);
    s->len += len;
}

static void put_message(struct stream *s, uint8_t type, const uint8_t *body, size_t len)
{
    uint8_t header[BGP_HEADER_LEN];

    if (BGP_HEADER_LEN + len > STREAM_MAX - s->len)
        return;
    bgp_message_header(header, type, BGP_HEADER_LEN + len);
    put(s, header, sizeof header);
    put(s, body, len);
}

/* An OPEN that is accepted; the flavour adds and takes away capabilities. */
static void put_open(struct stream *s, uint8_t flavour)
{
    static const uint8_t families[] = {1, 4, 0, 1, 0, 133, 1, 4, 0, 2, 0, 1, 1, 4, 0, 2, 0, 133};
    static const uint8_t wide_as[] = {65, 4, 0, 0, 0xfd, 0xe9};
    static const uint8_t restart[] = {70, 0, 2, 0, 64, 6, 0x40, 120, 0, 1, 133, 0x80};
    uint8_t open[64] = {4, 0xfd, 0xe9, 0, (uint8_t)(flavour & 0x40 ? 0 : 9), 10, 0, 0, 9, 0, 2, 0};
    struct byte_writer w = bw_init(open, sizeof open);

    w.at += 12;
    bw_bytes(&w, families, sizeof families);
    bw_bytes(&w, (const uint8_t[]){6, 0}, 2);
    if (!(flavour & 0x80))
        bw_bytes(&w, wide_as, sizeof wide_as);
    if (flavour & 0x20)
        bw_bytes(&w, restart, sizeof restart);
    open[9] = (uint8_t)(bw_len(&w) - 10);
    open[11] = (uint8_t)(bw_len(&w) - 12);
    put_message(s, BGP_OPEN, open, bw_len(&w));
}

/* A sound announcement or withdrawal of one of a few rules. */
static void put_rule(struct stream *s, uint8_t which)
{
    static const uint8_t head[] = {0, 0, 0, 32, 0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9};
    uint8_t rule[] = {6, 1, 0x20, 203, 0, 113, which & 3};
    uint8_t body[64];
    struct byte_writer w = bw_init(body, sizeof body);

    if (which & 0x80) {
        bw_bytes(&w, (const uint8_t[]){0, 0, 0, 13, 0x80, 15, 10, 0, 1, 133}, 10);
    } else {
        bw_bytes(&w, head, sizeof head);
        bw_bytes(&w, (const uint8_t[]){0x80, 14, 12, 0, 1, 133, 0, 0}, 8);
        body[3] = sizeof head - 4 + 8 + sizeof rule;
    }
    bw_bytes(&w, rule, sizeof rule);
    put_message(s, BGP_UPDATE, body, bw_len(&w));
}

/* Adds to the stream what one step of the script says; false: the connection ends here. */
static bool compose(struct stream *s, struct byte_reader *script)
{
    uint8_t step = br_u8(script), argument = br_u8(script);
    size_t len = argument < br_left(script) ? argument : br_left(script);
    uint8_t type = step >> 4;

    switch (step % 10) {
    case 0:
        put_open(s, argument);
        return true;
    case 1:
        put_message(s, BGP_KEEPALIVE, NULL, 0);
        return true;
    case 2:
        put_rule(s, argument);
        return true;
    case 3:
        put_open(s, argument);
        put_message(s, BGP_KEEPALIVE, NULL, 0);
        return true;
    case 4: /* one octet is not what it was */
        if (s->len > 0)
            s->octets[(argument * 131u + br_u8(script)) % s->len] ^= (uint8_t)(1 + type);
        return true;
    case 5:
        return false;
    case 6:
        put(s, br_bytes(script, len), len);
        return true;
    case 7:
        put_message(s, type, br_bytes(script, len), len);
        return true;
    case 8:
        put_message(s, BGP_ROUTE_REFRESH, (const uint8_t[]){0, argument & 3, type & 3, argument & 4 ? 133 : 1}, 4);
        return true;
    default:
        put_message(s, BGP_UPDATE, br_bytes(script, len), len);
        return true;
    }
}

/* --- the two sessions --- */

static bool connection_begins(struct world *w, mono_ms_t now)
{
    bgp_session_tick(w->session, now); /* damping of a peer that breaks the session over and over may have ended */
    if (!bgp_session_accept(w->session, now))
        return false;
    w->open = true;
    bgp_session_connected(w->session, BGP_CONN_IN, now);
    return true;
}

/* A piece has a block of its own: a read past it is seen by the sanitizer. */
static void deliver(struct world *w, const uint8_t *octets, size_t len, mono_ms_t now)
{
    uint8_t *piece = malloc(len);

    require(piece != NULL);
    memcpy(piece, octets, len);
    if (w->open)
        bgp_session_receive(w->session, BGP_CONN_IN, piece, len, now);
    free(piece);
}

static void deliver_cut(struct world *w, const struct stream *s, uint32_t *random, mono_ms_t now)
{
    for (size_t at = 0; at < s->len;) {
        *random = *random * 1664525u + 1013904223u;
        size_t len = 1 + (*random >> 16) % (*random & 0x8000u ? 8 : 300);
        if (len > s->len - at)
            len = s->len - at;
        deliver(w, s->octets + at, len, now);
        at += len;
    }
}

static void connection_ends(struct world *w, mono_ms_t now)
{
    if (w->open) {
        w->open = false;
        bgp_session_closed(w->session, BGP_CONN_IN, now);
    }
    require(!w->up && bgp_rib_count(w->rib) == 0);
}

static void compare(const struct world *a, const struct world *b)
{
    struct bgp_session_info x, y;

    bgp_session_info_get(a->session, &x);
    bgp_session_info_get(b->session, &y);
    require(a->trace == b->trace && a->open == b->open && a->up == b->up);
    require(x.state == y.state && x.messages_in == y.messages_in && x.messages_out == y.messages_out);
    require(strcmp(x.last_down, y.last_down) == 0);
    require(bgp_rib_count(a->rib) == bgp_rib_count(b->rib));
}

static void play(struct world *whole, struct world *cut, const struct stream *s, uint32_t *random, mono_ms_t now)
{
    bool accepted = connection_begins(whole, now);

    require(connection_begins(cut, now) == accepted);
    if (!accepted)
        return;
    if (s->len > 0)
        deliver(whole, s->octets, s->len, now);
    deliver_cut(cut, s, random, now);
    compare(whole, cut);
    connection_ends(whole, now);
    connection_ends(cut, now);
    compare(whole, cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stream stream;
    struct byte_reader script = br_init(data, size);
    uint8_t flavour = br_u8(&script);
    uint32_t random = br_u32(&script);
    struct world whole, cut;
    mono_ms_t now = 0;

    world_init(&whole, flavour);
    world_init(&cut, flavour);
    stream.len = 0;
    while (br_left(&script) > 0) {
        if (compose(&stream, &script) && br_left(&script) > 0)
            continue;
        play(&whole, &cut, &stream, &random, now);
        stream.len = 0;
        now += 20000;
    }
    world_free(&whole);
    world_free(&cut);
    return 0;
}
