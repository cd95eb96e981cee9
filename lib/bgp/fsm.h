/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of a session, shared by session.c (events from outside, timers, framing) and fsm.c (states).
 */
#ifndef BGP_FSM_H
#define BGP_FSM_H

#include "bgp/open.h"
#include "bgp/session.h"

#define MONO_NEVER UINT64_MAX

#define BGP_STATE_COUNT (BGP_ESTABLISHED + 1)

/* What can happen to one connection. */
enum fsm_event {
    FSM_TCP_UP,            /* RFC 4271 8.1.4 events 16, 17 */
    FSM_TCP_DOWN,          /* event 18 */
    FSM_STOP,              /* event 2; `fault` is the CEASE */
    FSM_HOLD_EXPIRED,      /* event 10 */
    FSM_KEEPALIVE_DUE,     /* event 11 */
    FSM_SEND_HOLD_EXPIRED, /* event 29 of RFC 9687 */
    FSM_FAULT,             /* events 21, 22, 23, 28; `fault` is the NOTIFICATION to send */
    FSM_GOT_OPEN,          /* event 19, or 22 once it was read */
    FSM_GOT_UPDATE,        /* event 27 */
    FSM_GOT_NOTIFICATION,  /* events 24, 25 */
    FSM_GOT_KEEPALIVE,     /* event 26 */
    FSM_GOT_ROUTE_REFRESH, /* RFC 2918 */
    FSM_EVENT_COUNT,
};

struct fsm_input {
    enum fsm_event event;
    const struct bgp_notification *fault;
    const uint8_t *body; /* of the message without its header; or the fault's data where that is longer than it holds */
    size_t len;
};

/* One transport connection. */
struct bgp_connection {
    enum bgp_conn number;
    enum bgp_state state; /* Idle: there is none; Connect: ours, under way */
    struct bgp_open open; /* the peer's, from OpenConfirm on */
    uint16_t hold_time_s; /* negotiated, from OpenConfirm on */
    mono_ms_t hold_at, keepalive_at;
    mono_ms_t send_hold_at; /* RFC 9687; MONO_NEVER while nothing waits to be sent */
    size_t buffered;        /* octets of a message not whole yet */
    uint8_t buffer[BGP_EXTENDED_MESSAGE_MAX];
};

struct bgp_session {
    struct bgp_session_conf conf;
    const struct bgp_session_ops *ops;
    void *ctx;
    mono_ms_t now; /* of the event being handled */
    bool started;
    mono_ms_t retry_at;   /* next attempt to connect; while one is under way, when it is given up */
    uint32_t retry_ms;    /* the pause after the next failure */
    uint32_t jitter;      /* state of a small generator */
    mono_ms_t idle_until; /* held in Idle */
    unsigned flaps;       /* times the peer broke the session lately */
    mono_ms_t idle_since; /* when it was last broken */
    bool restarting;      /* RFC 4724: the R bit of our OPENs */
    uint32_t forwarding;  /* and their F bits */
    bool retain;          /* the connection that is being dropped ends gracefully */
    struct bgp_session_info info;
    struct bgp_connection connections[BGP_CONN_COUNT];
};

/* fsm.c: the one door into the state machine. */
void fsm_handle(struct bgp_session *session, struct bgp_connection *connection, const struct fsm_input *input);

/* session.c: what the state machine asks of it. */
void session_send(struct bgp_session *session, struct bgp_connection *connection, const void *data, size_t len);
void session_set_state(struct bgp_session *session, struct bgp_connection *connection, enum bgp_state state);
/* Drops a connection: `close` asks the owner to, `why` goes to info.last_down. */
void session_drop(struct bgp_session *session, struct bgp_connection *connection, bool close, const char *why);
/* The peer broke the session: counts it, and holds the session in Idle when it was not the first time. */
void session_hold_idle(struct bgp_session *session);
/* From here on, until a session is established, the pause between attempts to connect is the longest. */
void session_retry_slowly(struct bgp_session *session);
/* Whether both sides have RFC 8538: NOTIFICATIONs, but Hard Resets, end a session gracefully. */
bool session_notifies_gracefully(const struct bgp_session *session);
struct bgp_connection *session_established(struct bgp_session *session);

#endif
