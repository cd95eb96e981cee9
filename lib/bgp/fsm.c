/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The finite state machine of RFC 4271 8.2.2, for each transport connection of a session: one table of
 * (state, event), and what is done in each cell. No DelayOpen. RFC 6608 gives the subcodes of FSM errors.
 *
 * A connection that leaves its state by an error goes to Idle, which here means "no connection": restarting belongs to
 * the session (session.c), which keeps listening and connecting as RFC 4271 8.1.1's automatic start allows.
 */
#include "bgp/fsm.h"

#include <stdio.h>

#include "bgp/message.h"
#include "bgp/notification.h"

#define OPEN_HOLD_MS (240 * MONO_MS_PER_S) /* RFC 4271 8.2.2: "a HoldTimer value of 4 minutes is suggested" */

typedef void (*fsm_action)(struct bgp_session *session, struct bgp_connection *connection,
                           const struct fsm_input *input);

static struct bgp_connection *other_of(struct bgp_session *session, const struct bgp_connection *connection)
{
    return &session->connections[connection->number == BGP_CONN_OUT ? BGP_CONN_IN : BGP_CONN_OUT];
}

static void restart_hold(struct bgp_session *session, struct bgp_connection *connection)
{
    if (connection->hold_time_s > 0)
        connection->hold_at = session->now + (mono_ms_t)connection->hold_time_s * MONO_MS_PER_S;
    else
        connection->hold_at = MONO_NEVER;
}

static void send_keepalive(struct bgp_session *session, struct bgp_connection *connection)
{
    uint8_t message[BGP_HEADER_LEN];

    bgp_message_header(message, BGP_KEEPALIVE, sizeof message);
    session_send(session, connection, message, sizeof message);
}

static bool is_hard_reset(const struct bgp_notification *notification)
{
    return notification->code == BGP_ERR_CEASE && notification->subcode == BGP_CEASE_HARD_RESET;
}

/* RFC 5492 3: a peering that ended for want of a capability should not come back by itself. */
static void heed(struct bgp_session *session, const struct bgp_notification *notification)
{
    session->info.last_error = *notification;
    if (notification->code == BGP_ERR_OPEN && notification->subcode == BGP_OPEN_CAPABILITY)
        session_retry_slowly(session);
}

/*
 * Sends a NOTIFICATION and ends the connection; the only way one leaves, so it is always the last message. `detail`
 * takes the place of its data in what is told here.
 */
static void refuse_for(struct bgp_session *session, struct bgp_connection *connection,
                       const struct bgp_notification *notification, const void *data, size_t len, const char *detail)
{
    struct bgp_notification told = *notification;
    uint8_t message[BGP_MESSAGE_MAX];
    char words[BGP_NOTIFICATION_TEXT], why[sizeof session->info.last_down];

    if (data == NULL) {
        data = notification->data;
        len = notification->data_len;
    }
    size_t size = bgp_notification_write(notification, data, len, message);
    session_send(session, connection, message, size);
    heed(session, notification);
    if (detail[0] != '\0')
        told.data_len = 0;
    bgp_notification_format(&told, words, sizeof words);
    snprintf(why, sizeof why, "NOTIFICATION sent: %s%s%s", words, detail[0] != '\0' ? ": " : "", detail);
    /* RFC 4271 8.1.1 option 3: a peer that breaks an established session again and again is held off */
    if (connection->state == BGP_ESTABLISHED && notification->code != BGP_ERR_CEASE &&
        notification->code != BGP_ERR_HOLD_TIMER)
        session_hold_idle(session);
    session->retain = session_notifies_gracefully(session) && !is_hard_reset(notification);
    session_drop(session, connection, true, why);
}

static void refuse(struct bgp_session *session, struct bgp_connection *connection,
                   const struct bgp_notification *notification, const void *data, size_t len)
{
    refuse_for(session, connection, notification, data, len, "");
}

static void do_nothing(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    (void)session;
    (void)connection;
    (void)input;
}

static void do_send_open(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    uint8_t message[BGP_OPEN_ROOM];
    const struct bgp_open_restart restart = {session->restarting, session->forwarding};
    size_t len = bgp_open_write(&session->conf, restart, message, &session->info.sent);

    (void)input;
    session_send(session, connection, message, len);
    connection->hold_at = session->now + OPEN_HOLD_MS;
    connection->keepalive_at = MONO_NEVER;
    session_set_state(session, connection, BGP_OPEN_SENT);
}

static void do_lost(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    (void)input;
    session->retain = true;
    session_drop(session, connection, false,
                 connection->state == BGP_CONNECT ? "could not connect" : "connection closed by the peer or lost");
}

/* Stopped before there was anything to say goodbye to. */
static void do_give_up(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    (void)input;
    session_drop(session, connection, true, "stopped");
}

static void do_refuse(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    refuse(session, connection, input->fault, input->body, input->len);
}

/* RFC 8538 4: what is meant to end the session for good says so; the reason travels inside. */
static void do_shut_down(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    struct bgp_notification reset = *input->fault;

    if (session_notifies_gracefully(session))
        reset = bgp_notification_hard_reset(input->fault);
    refuse(session, connection, &reset, NULL, 0);
}

/* RFC 9687 3.2: the NOTIFICATION leaves if it can; nothing waits for that. */
static void do_send_hold_expired(struct bgp_session *session, struct bgp_connection *connection,
                                 const struct fsm_input *input)
{
    struct bgp_notification n = bgp_notification_make(BGP_ERR_SEND_HOLD_TIMER, 0, NULL, 0);

    (void)input;
    refuse(session, connection, &n, NULL, 0);
}

static void do_hold_expired(struct bgp_session *session, struct bgp_connection *connection,
                            const struct fsm_input *input)
{
    struct bgp_notification n = bgp_notification_make(BGP_ERR_HOLD_TIMER, 0, NULL, 0);

    (void)input;
    refuse(session, connection, &n, NULL, 0);
}

static void do_keepalive(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    (void)input;
    send_keepalive(session, connection);
}

/* RFC 6608 4: the subcode names the state, the data is the type of the message. */
static void do_unexpected(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    static const uint8_t types[FSM_EVENT_COUNT] = {[FSM_GOT_OPEN] = BGP_OPEN,
                                                   [FSM_GOT_UPDATE] = BGP_UPDATE,
                                                   [FSM_GOT_KEEPALIVE] = BGP_KEEPALIVE,
                                                   [FSM_GOT_ROUTE_REFRESH] = BGP_ROUTE_REFRESH};
    uint8_t subcode = (uint8_t)(connection->state - BGP_OPEN_SENT + 1);
    struct bgp_notification n = bgp_notification_make(BGP_ERR_FSM, subcode, &types[input->event], 1);

    refuse(session, connection, &n, NULL, 0);
}

/*
 * RFC 4271 6.8: of two connections the one made by the speaker with the higher identifier stays; RFC 6286 2.3: equal
 * identifiers are told apart by AS number. Only one with an OPEN behind it is compared: one that never said
 * anything must not win. True when `connection` itself was closed.
 */
static bool resolve_collision(struct bgp_session *session, struct bgp_connection *connection)
{
    struct bgp_connection *other = other_of(session, connection);
    struct bgp_notification n = bgp_notification_cease(BGP_CEASE_COLLISION, NULL);

    if (other->state != BGP_OPEN_CONFIRM && other->state != BGP_ESTABLISHED)
        return false;
    const struct bgp_open *open = &connection->open;
    bool ours = session->conf.router_id != open->router_id ? session->conf.router_id > open->router_id
                                                           : session->conf.local_as > open->as;
    enum bgp_conn stays = ours ? BGP_CONN_OUT : BGP_CONN_IN;
    /* 6.8, last but two paragraphs: an established session is not given up for a new connection */
    if (other->state == BGP_ESTABLISHED)
        stays = other->number;
    struct bgp_connection *loser = stays == connection->number ? other : connection;
    refuse(session, loser, &n, NULL, 0);
    return loser == connection;
}

static void do_open(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    struct bgp_notification fault;
    bool good = bgp_open_read(input->body, input->len, &session->conf, &connection->open, &fault);

    if (session_established(session) == NULL)
        session->info.received = connection->open.capabilities;
    if (!good) {
        char detail[160] = "";
        bgp_open_explain(&connection->open, &session->conf, &fault, detail, sizeof detail);
        refuse_for(session, connection, &fault, NULL, 0, detail);
        return;
    }
    if (resolve_collision(session, connection))
        return;
    uint16_t theirs = connection->open.hold_time_s, ours = session->conf.hold_time_s;
    connection->hold_time_s = theirs < ours ? theirs : ours;
    restart_hold(session, connection);
    send_keepalive(session, connection); /* sets the keepalive timer */
    session_set_state(session, connection, BGP_OPEN_CONFIRM);
}

static void do_establish(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    const struct bgp_open *open = &connection->open;
    struct bgp_session_info *info = &session->info;

    (void)input;
    restart_hold(session, connection);
    info->peer_as = open->as;
    info->peer_router_id = open->router_id;
    info->hold_time_s = connection->hold_time_s;
    info->received = open->capabilities;
    info->families = session->conf.families & open->capabilities.families;
    info->four_octet_as = open->capabilities.four_octet_as;
    info->extended_message = session->conf.extended_message && open->capabilities.extended_message;
    info->enhanced_refresh = session->conf.enhanced_refresh && open->capabilities.enhanced_route_refresh;
    info->add_path.receive = info->sent.add_path.receive & open->capabilities.add_path.send & info->families;
    info->add_path.send = info->sent.add_path.send & open->capabilities.add_path.receive & info->families;
    info->retained = 0;
    info->established_count++;
    session_set_state(session, connection, BGP_ESTABLISHED);
    session->ops->established(session->ctx);
}

static void do_restart_hold(struct bgp_session *session, struct bgp_connection *connection,
                            const struct fsm_input *input)
{
    (void)input;
    restart_hold(session, connection);
}

static void do_update(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    restart_hold(session, connection);
    session->info.updates_in++;
    session->ops->update(session->ctx, input->body, input->len);
}

/* RFC 7313 5: the whole message goes back. Without that agreed its header was refused already. */
static void refuse_refresh_length(struct bgp_session *session, struct bgp_connection *connection,
                                  const struct fsm_input *input)
{
    const uint8_t *message = input->body - BGP_HEADER_LEN; /* it lies behind its header */
    size_t len = BGP_HEADER_LEN + input->len;
    struct bgp_notification n = bgp_notification_make(BGP_ERR_ROUTE_REFRESH, BGP_REFRESH_BAD_LENGTH, message, len);

    refuse(session, connection, &n, message, len);
}

/* RFC 2918 4: a family that was not agreed is ignored. RFC 7313 4, 5: so are subtypes that were not. */
static void do_refresh(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    enum { ASK = 0, BEGIN = 1, END = 2 };

    if (input->len != 4) {
        refuse_refresh_length(session, connection, input);
        return;
    }
    uint32_t family = bgp_family_of((uint16_t)(input->body[0] << 8 | input->body[1]), input->body[3]);
    uint8_t subtype = input->body[2];
    restart_hold(session, connection);
    if ((family & session->info.families) == 0)
        return;
    if (subtype == ASK)
        session->ops->refresh(session->ctx, family);
    else if ((subtype == BEGIN || subtype == END) && session->info.enhanced_refresh &&
             session->ops->refresh_mark != NULL)
        session->ops->refresh_mark(session->ctx, family, subtype == END);
}

/* RFC 4271 6.4: whatever is wrong with a NOTIFICATION, it is never answered with one. */
static void do_notification(struct bgp_session *session, struct bgp_connection *connection,
                            const struct fsm_input *input)
{
    struct bgp_notification n = bgp_notification_read(input->body, input->len);
    char words[BGP_NOTIFICATION_TEXT], why[sizeof session->info.last_down];

    heed(session, &n);
    bgp_notification_format(&n, words, sizeof words);
    snprintf(why, sizeof why, "NOTIFICATION received: %s", words);
    session->retain = session_notifies_gracefully(session) && !is_hard_reset(&n);
    session_drop(session, connection, true, why);
}

/* Idle and Connect hear of the transport only; Active is a state of the session, not of a connection. */
static const fsm_action table[FSM_EVENT_COUNT][BGP_STATE_COUNT] = {
    [FSM_TCP_UP] = {[BGP_IDLE] = do_send_open, [BGP_CONNECT] = do_send_open},
    [FSM_TCP_DOWN] =
        {[BGP_CONNECT] = do_lost, [BGP_OPEN_SENT] = do_lost, [BGP_OPEN_CONFIRM] = do_lost, [BGP_ESTABLISHED] = do_lost},
    [FSM_STOP] = {[BGP_CONNECT] = do_give_up,
                  [BGP_OPEN_SENT] = do_refuse,
                  [BGP_OPEN_CONFIRM] = do_refuse,
                  [BGP_ESTABLISHED] = do_shut_down},
    [FSM_HOLD_EXPIRED] =
        {[BGP_OPEN_SENT] = do_hold_expired, [BGP_OPEN_CONFIRM] = do_hold_expired, [BGP_ESTABLISHED] = do_hold_expired},
    [FSM_KEEPALIVE_DUE] = {[BGP_OPEN_CONFIRM] = do_keepalive, [BGP_ESTABLISHED] = do_keepalive},
    [FSM_SEND_HOLD_EXPIRED] = {[BGP_OPEN_SENT] = do_send_hold_expired,
                               [BGP_OPEN_CONFIRM] = do_send_hold_expired,
                               [BGP_ESTABLISHED] = do_send_hold_expired},
    [FSM_FAULT] = {[BGP_OPEN_SENT] = do_refuse, [BGP_OPEN_CONFIRM] = do_refuse, [BGP_ESTABLISHED] = do_refuse},
    [FSM_GOT_OPEN] = {[BGP_OPEN_SENT] = do_open, [BGP_OPEN_CONFIRM] = do_unexpected, [BGP_ESTABLISHED] = do_unexpected},
    [FSM_GOT_UPDATE] =
        {[BGP_OPEN_SENT] = do_unexpected, [BGP_OPEN_CONFIRM] = do_unexpected, [BGP_ESTABLISHED] = do_update},
    [FSM_GOT_NOTIFICATION] =
        {[BGP_OPEN_SENT] = do_notification, [BGP_OPEN_CONFIRM] = do_notification, [BGP_ESTABLISHED] = do_notification},
    [FSM_GOT_KEEPALIVE] =
        {[BGP_OPEN_SENT] = do_unexpected, [BGP_OPEN_CONFIRM] = do_establish, [BGP_ESTABLISHED] = do_restart_hold},
    [FSM_GOT_ROUTE_REFRESH] =
        {[BGP_OPEN_SENT] = do_unexpected, [BGP_OPEN_CONFIRM] = do_unexpected, [BGP_ESTABLISHED] = do_refresh},
};

void fsm_handle(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input)
{
    fsm_action action = table[input->event][connection->state];

    (action != NULL ? action : do_nothing)(session, connection, input);
}
