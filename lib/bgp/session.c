/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session from its owner's side: events from outside, timers, framing of the stream, restarts. What an event means
 * in each state of a connection is in fsm.c.
 */
#include "bgp/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/fsm.h"
#include "bgp/message.h"
#include "bgp/notification.h"

#define RETRY_FIRST_MS      500u
#define KEEPALIVE_LEAST_MS  1000u /* RFC 4271 4.4: never more often */
#define RETRY_DEFAULT_MAX_S 120u
#define CONNECT_TIMEOUT_MS  10000u
#define IDLE_HOLD_MAX_SHIFT 6u /* 64 s */
#define FLAP_FORGET_MS      (300 * MONO_MS_PER_S)
#define COLLISION_MS        10000u /* after a session is up the peer's own connection may still be on its way */

static mono_ms_t earlier(mono_ms_t a, mono_ms_t b)
{
    return a < b ? a : b;
}

static enum bgp_state session_state(const struct bgp_session *session)
{
    enum bgp_state best = BGP_IDLE;

    if (!session->started || session->idle_until != MONO_NEVER)
        return BGP_IDLE;
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++) {
        if (session->connections[i].state > best)
            best = session->connections[i].state;
    }
    return best == BGP_IDLE ? BGP_ACTIVE : best;
}

static void note_state(struct bgp_session *session)
{
    enum bgp_state state = session_state(session);

    if (state == session->info.state)
        return;
    /* the owner hears of Established and says so in its own words, with what was agreed */
    log_line(session->conf.log, LOG_LEVEL_DEBUG, "peer %s: %s -> %s", session->conf.name,
             bgp_state_name(session->info.state), bgp_state_name(state));
    session->info.state = state;
    session->info.state_since_ms = session->now;
}

struct bgp_connection *session_established(struct bgp_session *session)
{
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++) {
        if (session->connections[i].state == BGP_ESTABLISHED)
            return &session->connections[i];
    }
    return NULL;
}

static bool session_confirmed(const struct bgp_session *session)
{
    return session->connections[BGP_CONN_OUT].state >= BGP_OPEN_CONFIRM ||
           session->connections[BGP_CONN_IN].state >= BGP_OPEN_CONFIRM;
}

static uint32_t retry_max_ms(const struct bgp_session *session)
{
    uint32_t s = session->conf.connect_retry_s;

    return (s != 0 ? s : RETRY_DEFAULT_MAX_S) * MONO_MS_PER_S;
}

/* RFC 4271 10: each pause is multiplied by 0.75 to 1.0, so that two speakers do not collide for ever. */
static mono_ms_t jittered(struct bgp_session *session, uint32_t pause_ms)
{
    session->jitter = session->jitter * 1664525u + 1013904223u;
    return pause_ms - (mono_ms_t)pause_ms * (session->jitter >> 24) / 1024;
}

static void arm_retry(struct bgp_session *session)
{
    uint32_t max = retry_max_ms(session);
    uint32_t pause = session->retry_ms < max ? session->retry_ms : max;

    session->retry_at = session->now + jittered(session, pause);
    session->retry_ms = pause + pause / 2;
}

static void connect_now(struct bgp_session *session)
{
    struct bgp_connection *out = &session->connections[BGP_CONN_OUT];

    session->retry_at = session->now + CONNECT_TIMEOUT_MS;
    session_set_state(session, out, BGP_CONNECT);
    session->ops->connect(session->ctx);
}

/* Begins to listen and, unless passive, to connect. */
static void restart(struct bgp_session *session)
{
    session->idle_until = MONO_NEVER;
    note_state(session);
    if (!session->conf.passive && session->connections[BGP_CONN_OUT].state == BGP_IDLE && !session_confirmed(session))
        connect_now(session);
}

void session_set_state(struct bgp_session *session, struct bgp_connection *connection, enum bgp_state state)
{
    struct bgp_connection *out = &session->connections[BGP_CONN_OUT];

    connection->state = state;
    if (connection == out && state >= BGP_OPEN_SENT)
        session->retry_at = MONO_NEVER;
    if (state == BGP_ESTABLISHED) {
        session->retry_at = MONO_NEVER;
        session->retry_ms = RETRY_FIRST_MS;
        /* an attempt of ours that is still under way is not needed any more */
        if (out->state == BGP_CONNECT) {
            out->state = BGP_IDLE;
            session->ops->close(session->ctx, BGP_CONN_OUT);
        }
    }
    note_state(session);
}

void session_send(struct bgp_session *session, struct bgp_connection *connection, const void *data, size_t len)
{
    session->info.messages_out++;
    /* RFC 4271 4.4 and 8.2.2: each message sent restarts the keepalive timer, a third of the hold time; 10: jitter */
    if (connection->hold_time_s > 0) {
        mono_ms_t pause = jittered(session, (uint32_t)connection->hold_time_s * MONO_MS_PER_S / 3);
        connection->keepalive_at = session->now + (pause < KEEPALIVE_LEAST_MS ? KEEPALIVE_LEAST_MS : pause);
    }
    if (session->conf.send_hold_s > 0 && connection->send_hold_at == MONO_NEVER)
        connection->send_hold_at = session->now + (mono_ms_t)session->conf.send_hold_s * MONO_MS_PER_S;
    session->ops->send(session->ctx, connection->number, data, len);
}

bool session_notifies_gracefully(const struct bgp_session *session)
{
    const struct bgp_capabilities *caps = &session->info.received;

    return session->conf.restart_time_s > 0 && caps->graceful_restart && caps->restart.notification;
}

/* RFC 4724 4.2: of the families agreed on, those that the peer listed. */
static uint32_t families_retained(const struct bgp_session *session)
{
    const struct bgp_capabilities *caps = &session->info.received;

    if (!session->retain || session->conf.restart_time_s == 0 || !caps->graceful_restart)
        return 0;
    return caps->restart.families & session->info.families;
}

void session_hold_idle(struct bgp_session *session)
{
    if (session->now - session->idle_since > FLAP_FORGET_MS)
        session->flaps = 0;
    session->idle_since = session->now;
    if (session->flaps++ == 0)
        return;
    unsigned shift = session->flaps - 2 < IDLE_HOLD_MAX_SHIFT ? session->flaps - 2 : IDLE_HOLD_MAX_SHIFT;
    session->idle_until = session->now + (MONO_MS_PER_S << shift);
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++) {
        struct bgp_connection *connection = &session->connections[i];
        if (connection->state != BGP_IDLE && connection->state != BGP_ESTABLISHED)
            session_drop(session, connection, true, "held in Idle");
    }
}

void session_retry_slowly(struct bgp_session *session)
{
    session->retry_ms = retry_max_ms(session);
}

void session_drop(struct bgp_session *session, struct bgp_connection *connection, bool close, const char *why)
{
    bool was_established = connection->state == BGP_ESTABLISHED;
    bool had_transport = connection->state != BGP_IDLE;

    connection->state = BGP_IDLE;
    connection->buffered = 0;
    connection->hold_time_s = 0;
    connection->hold_at = connection->keepalive_at = connection->send_hold_at = MONO_NEVER;
    if (close && had_transport)
        session->ops->close(session->ctx, connection->number);
    /* a second connection that goes while the session is up is no news of the session */
    if (was_established || session_established(session) == NULL) {
        snprintf(session->info.last_down, sizeof session->info.last_down, "%s", why);
        log_line(session->conf.log, was_established ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO, "peer %s: %s%s",
                 session->conf.name, was_established ? "session down: " : "", why);
    }
    if (session->started && !session->conf.passive && session->retry_at == MONO_NEVER &&
        session->connections[BGP_CONN_OUT].state == BGP_IDLE)
        arm_retry(session);
    note_state(session);
    if (was_established) {
        session->info.retained = families_retained(session);
        session->info.families = 0;
    }
    session->retain = false;
    if (was_established)
        session->ops->down(session->ctx);
}

struct bgp_session *bgp_session_create(const struct bgp_session_conf *conf, const struct bgp_session_ops *ops,
                                       void *ctx, mono_ms_t now)
{
    struct bgp_session *session = calloc(1, sizeof *session);

    if (session == NULL)
        return NULL;
    session->conf = *conf;
    session->ops = ops;
    session->ctx = ctx;
    session->now = now;
    session->jitter = conf->router_id;
    session->retry_at = session->idle_until = MONO_NEVER;
    session->retry_ms = RETRY_FIRST_MS;
    session->info.state = BGP_IDLE;
    session->info.state_since_ms = now;
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++) {
        session->connections[i].number = (enum bgp_conn)i;
        session->connections[i].hold_at = session->connections[i].keepalive_at = MONO_NEVER;
        session->connections[i].send_hold_at = MONO_NEVER;
    }
    return session;
}

void bgp_session_free(struct bgp_session *session)
{
    free(session);
}

void bgp_session_start(struct bgp_session *session, mono_ms_t now)
{
    session->now = now;
    if (session->started)
        return;
    session->started = true;
    session->retry_ms = RETRY_FIRST_MS;
    restart(session);
}

void bgp_session_stop(struct bgp_session *session, uint8_t subcode, const char *reason, mono_ms_t now)
{
    struct bgp_notification cease = bgp_notification_cease(subcode, reason);
    struct fsm_input input = {.event = FSM_STOP, .fault = &cease};

    session->now = now;
    session->started = false;
    session->retry_at = session->idle_until = MONO_NEVER;
    session->flaps = 0;
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++)
        fsm_handle(session, &session->connections[i], &input);
    note_state(session);
}

/*
 * RFC 4724 5: a peer with graceful restart that connects anew has lost the established session, whoever made that. But
 * where we made it a moment ago, this may as well be the other half of a collision (RFC 4271 6.8).
 */
static struct bgp_connection *superseded(struct bgp_session *session)
{
    struct bgp_connection *up = session_established(session);
    const struct bgp_capabilities *caps = &session->info.received;

    if (up == NULL || session->conf.restart_time_s == 0 || !caps->graceful_restart || caps->restart.families == 0)
        return NULL;
    if (up->number == BGP_CONN_OUT && session->now - session->info.state_since_ms < COLLISION_MS)
        return NULL;
    return up;
}

bool bgp_session_accept(struct bgp_session *session, mono_ms_t now)
{
    struct bgp_connection *in = &session->connections[BGP_CONN_IN];

    session->now = now;
    if (!session->started || session->idle_until != MONO_NEVER)
        return false;
    struct bgp_connection *former = superseded(session);
    if (former != NULL) {
        session->retain = true;
        session_drop(session, former, true, "the peer made a new connection: it has restarted");
    }
    if (in->state >= BGP_OPEN_CONFIRM)
        return false;
    if (in->state != BGP_IDLE)
        session_drop(session, in, true, "the peer made a new connection before it sent OPEN");
    return true;
}

void bgp_session_connected(struct bgp_session *session, enum bgp_conn conn, mono_ms_t now)
{
    struct bgp_connection *connection = &session->connections[conn];
    bool expected = conn == BGP_CONN_OUT ? connection->state == BGP_CONNECT : connection->state == BGP_IDLE;

    session->now = now;
    if (!session->started || session->idle_until != MONO_NEVER || !expected) {
        if (connection->state == BGP_IDLE)
            session->ops->close(session->ctx, conn);
        return;
    }
    fsm_handle(session, connection, &(struct fsm_input){.event = FSM_TCP_UP});
}

void bgp_session_connect_failed(struct bgp_session *session, mono_ms_t now)
{
    struct bgp_connection *out = &session->connections[BGP_CONN_OUT];

    session->now = now;
    if (out->state != BGP_CONNECT)
        return;
    session->retry_at = MONO_NEVER;
    fsm_handle(session, out, &(struct fsm_input){.event = FSM_TCP_DOWN});
}

void bgp_session_closed(struct bgp_session *session, enum bgp_conn conn, mono_ms_t now)
{
    struct bgp_connection *connection = &session->connections[conn];

    session->now = now;
    if (connection->state == BGP_CONNECT)
        session->retry_at = MONO_NEVER;
    fsm_handle(session, connection, &(struct fsm_input){.event = FSM_TCP_DOWN});
}

static void handle_message(struct bgp_session *session, struct bgp_connection *connection, const uint8_t *message,
                           size_t len)
{
    static const enum fsm_event events[] = {[BGP_OPEN] = FSM_GOT_OPEN,
                                            [BGP_UPDATE] = FSM_GOT_UPDATE,
                                            [BGP_NOTIFICATION] = FSM_GOT_NOTIFICATION,
                                            [BGP_KEEPALIVE] = FSM_GOT_KEEPALIVE,
                                            [BGP_ROUTE_REFRESH] = FSM_GOT_ROUTE_REFRESH};
    struct fsm_input input = {
        .event = events[message[BGP_HEADER_LEN - 1]], .body = message + BGP_HEADER_LEN, .len = len - BGP_HEADER_LEN};

    session->info.messages_in++;
    fsm_handle(session, connection, &input);
}

/*
 * Where the message ends. With enhanced refresh agreed a ROUTE-REFRESH of a wrong length is no fault of the header: it
 * goes back whole (RFC 7313 5).
 */
static int framed_length(const struct bgp_session *session, const struct bgp_connection *connection,
                         const uint8_t *data, size_t len, struct bgp_notification *fault)
{
    int message = bgp_message_length(data, len, session->conf.extended_message, fault);
    bool enhanced = connection->state == BGP_ESTABLISHED && session->info.enhanced_refresh;

    if (message >= 0 || !enhanced || fault->subcode != BGP_HEADER_BAD_LENGTH ||
        data[BGP_HEADER_LEN - 1] != BGP_ROUTE_REFRESH)
        return message;
    unsigned length = (unsigned)data[16] << 8 | data[17];
    return length >= BGP_HEADER_LEN && length <= BGP_MESSAGE_MAX ? (int)length : -1;
}

/* Handles the whole messages at the start of `data`; returns the octets used. All of them once the connection ended. */
static size_t handle_stream(struct bgp_session *session, struct bgp_connection *connection, const uint8_t *data,
                            size_t len)
{
    size_t used = 0;

    while (used < len) {
        struct bgp_notification fault;
        int message = framed_length(session, connection, data + used, len - used, &fault);
        if (message < 0) {
            fsm_handle(session, connection, &(struct fsm_input){.event = FSM_FAULT, .fault = &fault});
            return len;
        }
        if (message == 0 || (size_t)message > len - used)
            break;
        handle_message(session, connection, data + used, (size_t)message);
        if (connection->state < BGP_OPEN_SENT)
            return len;
        used += (size_t)message;
    }
    return used;
}

/* How many octets the message that begins in the buffer still lacks, as far as can be told. */
static size_t buffer_lacks(const struct bgp_connection *connection)
{
    if (connection->buffered < BGP_HEADER_LEN)
        return BGP_HEADER_LEN - connection->buffered;
    size_t length = (size_t)connection->buffer[16] << 8 | connection->buffer[17];
    return length - connection->buffered;
}

void bgp_session_receive(struct bgp_session *session, enum bgp_conn conn, const void *data, size_t len, mono_ms_t now)
{
    struct bgp_connection *connection = &session->connections[conn];
    const uint8_t *at = data;

    session->now = now;
    /* a message begun earlier is completed in the buffer; all others are read where they are */
    while (len > 0 && connection->buffered > 0 && connection->state >= BGP_OPEN_SENT) {
        size_t take = buffer_lacks(connection);
        if (take > len)
            take = len;
        memcpy(connection->buffer + connection->buffered, at, take);
        connection->buffered += take;
        at += take;
        len -= take;
        size_t whole = connection->buffered;
        if (handle_stream(session, connection, connection->buffer, whole) == whole)
            connection->buffered = 0;
    }
    if (len == 0 || connection->state < BGP_OPEN_SENT)
        return;
    size_t used = handle_stream(session, connection, at, len);
    if (connection->state >= BGP_OPEN_SENT && used < len) {
        memcpy(connection->buffer, at + used, len - used);
        connection->buffered = len - used;
    }
}

static void tick_connection(struct bgp_session *session, struct bgp_connection *connection)
{
    if (connection->hold_at <= session->now)
        fsm_handle(session, connection, &(struct fsm_input){.event = FSM_HOLD_EXPIRED});
    else if (connection->send_hold_at <= session->now)
        fsm_handle(session, connection, &(struct fsm_input){.event = FSM_SEND_HOLD_EXPIRED});
    else if (connection->keepalive_at <= session->now)
        fsm_handle(session, connection, &(struct fsm_input){.event = FSM_KEEPALIVE_DUE});
}

static void tick_retry(struct bgp_session *session)
{
    struct bgp_connection *out = &session->connections[BGP_CONN_OUT];

    if (out->state == BGP_CONNECT) {
        session->retry_at = MONO_NEVER;
        session_drop(session, out, true, "could not connect: no answer"); /* arms the timer again */
    } else if (session_confirmed(session)) {
        arm_retry(session); /* the peer's own connection is about to be established */
    } else {
        connect_now(session);
    }
}

void bgp_session_tick(struct bgp_session *session, mono_ms_t now)
{
    session->now = now;
    if (session->idle_until <= now)
        restart(session);
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++)
        tick_connection(session, &session->connections[i]);
    if (session->retry_at <= now && session->started && session->idle_until == MONO_NEVER)
        tick_retry(session);
}

static mono_ms_t connection_deadline(const struct bgp_connection *connection)
{
    return earlier(connection->send_hold_at, earlier(connection->hold_at, connection->keepalive_at));
}

mono_ms_t bgp_session_deadline(const struct bgp_session *session)
{
    mono_ms_t at = session->idle_until;

    if (at == MONO_NEVER)
        at = session->retry_at;
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++)
        at = earlier(at, connection_deadline(&session->connections[i]));
    return at;
}

void bgp_session_output(struct bgp_session *session, enum bgp_conn conn, size_t left, mono_ms_t now)
{
    struct bgp_connection *connection = &session->connections[conn];

    if (connection->send_hold_at == MONO_NEVER)
        return;
    connection->send_hold_at = left > 0 ? now + (mono_ms_t)session->conf.send_hold_s * MONO_MS_PER_S : MONO_NEVER;
}

void bgp_session_restarting(struct bgp_session *session, bool restarting, uint32_t forwarding)
{
    session->restarting = restarting;
    session->forwarding = forwarding;
}

bool bgp_session_quiet(const struct bgp_session *session, mono_ms_t now)
{
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++)
        if (session->connections[i].state != BGP_IDLE)
            return false;
    return session->idle_until == MONO_NEVER && (session->flaps == 0 || now - session->idle_since > FLAP_FORGET_MS);
}

void bgp_session_error(struct bgp_session *session, uint8_t code, uint8_t subcode, const void *data, size_t len)
{
    struct bgp_connection *connection = session_established(session);
    struct bgp_notification fault = bgp_notification_make(code, subcode, data, len);

    if (connection != NULL)
        fsm_handle(session, connection,
                   &(struct fsm_input){.event = FSM_FAULT, .fault = &fault, .body = data, .len = len});
}

int bgp_session_send_update(struct bgp_session *session, const void *body, size_t len)
{
    struct bgp_connection *connection = session_established(session);
    uint8_t header[BGP_HEADER_LEN];

    if (connection == NULL)
        return -ENOTCONN;
    if (len > bgp_session_update_max(session))
        return -EMSGSIZE;
    bgp_message_header(header, BGP_UPDATE, BGP_HEADER_LEN + len);
    session_send(session, connection, header, sizeof header);
    session->ops->send(session->ctx, connection->number, body, len);
    session->info.updates_out++;
    return 0;
}

static int send_refresh(struct bgp_session *session, uint32_t family, bool able, uint8_t subtype)
{
    struct bgp_connection *connection = session_established(session);
    uint16_t afi = bgp_family_afi(family);
    uint8_t message[BGP_HEADER_LEN + 4];

    if (connection == NULL)
        return -ENOTCONN;
    if (!able)
        return -EOPNOTSUPP;
    if (afi == 0 || (session->info.families & family) == 0)
        return -EINVAL;
    bgp_message_header(message, BGP_ROUTE_REFRESH, sizeof message);
    message[BGP_HEADER_LEN] = (uint8_t)(afi >> 8);
    message[BGP_HEADER_LEN + 1] = (uint8_t)afi;
    message[BGP_HEADER_LEN + 2] = subtype;
    message[BGP_HEADER_LEN + 3] = bgp_family_safi(family);
    session_send(session, connection, message, sizeof message);
    return 0;
}

int bgp_session_send_refresh(struct bgp_session *session, uint32_t family)
{
    return send_refresh(session, family, session->info.received.route_refresh, 0);
}

int bgp_session_send_refresh_mark(struct bgp_session *session, uint32_t family, bool end)
{
    return send_refresh(session, family, session->info.enhanced_refresh, end ? 2 : 1);
}

size_t bgp_session_update_max(const struct bgp_session *session)
{
    return (session->info.extended_message ? BGP_EXTENDED_MESSAGE_MAX : BGP_MESSAGE_MAX) - BGP_HEADER_LEN;
}

void bgp_session_info_get(const struct bgp_session *session, struct bgp_session_info *out)
{
    *out = session->info;
}

const struct bgp_session_info *bgp_session_info_see(const struct bgp_session *session)
{
    return &session->info;
}

const char *bgp_state_name(enum bgp_state state)
{
    static const char *const names[BGP_STATE_COUNT] = {"Idle",     "Connect",     "Active",
                                                       "OpenSent", "OpenConfirm", "Established"};

    return (unsigned)state < BGP_STATE_COUNT ? names[state] : "unknown";
}
