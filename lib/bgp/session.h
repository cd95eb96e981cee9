/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One BGP session: the finite state machine of RFC 4271 section 8, with no socket and no clock in it.
 *
 * The owner (the control thread) feeds it events: start, stop, a transport connection made, failed or closed, octets
 * received, time passed. It answers through callbacks: connect, close, send these octets, here is an UPDATE, the
 * session is up or down. Timers are deadlines that the owner asks for with bgp_session_deadline and honours by
 * calling bgp_session_tick. Calls from within callbacks into the same session are not allowed, but for
 * bgp_session_send_update from on_established.
 *
 * One struct is one configured neighbour. A second transport connection (the peer connects while we do) is resolved
 * by RFC 4271 6.8 inside: connections are numbered by `conn`, 0 the one we made, 1 the one we accepted.
 *
 * Choices the RFCs leave open:
 *  - A session restarts by itself. Pauses between attempts to connect start at half a second and grow by half each time
 *    up to connect_retry_s, with jitter (RFC 4271 10). A peer whose UPDATEs keep breaking the session is held in Idle,
 *    where it is not listened to, for 1, 2, 4 ... 64 s before each restart but the first (DampPeerOscillations).
 *  - A fault on an accepted connection closes that connection only: garbage sent to the BGP port changes nothing else.
 *  - A connection without an OPEN is closed after 240 s (RFC 4271 8.2.2), or when the peer makes a new one.
 *  - A peer that offers none of our families gets Unsupported Capability (RFC 5492 5) and is tried again only at the
 *    longest pause.
 *  - With graceful restart agreed, a new connection ends an established one: RFC 4724 4.2 takes it for a peer that has
 *    restarted before its former connection was seen to be lost. One that we made is not ended within its first ten
 *    seconds: the new connection may be the other half of a collision.
 *  - With RFC 8538 agreed, an administrative stop is a Hard Reset: the operator means it.
 */
#ifndef BGP_SESSION_H
#define BGP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "bgp/types.h"

struct bgp_session;

enum bgp_state {
    BGP_IDLE,
    BGP_CONNECT,
    BGP_ACTIVE,
    BGP_OPEN_SENT,
    BGP_OPEN_CONFIRM,
    BGP_ESTABLISHED,
};

enum bgp_conn {
    BGP_CONN_OUT = 0, /* made by us */
    BGP_CONN_IN = 1,  /* accepted */
    BGP_CONN_COUNT,
};

struct bgp_session_conf {
    const char *name; /* the peer's, for log lines; must outlive the session */
    uint32_t local_as;
    uint32_t peer_as;           /* 0: take any (learned from OPEN) */
    uint32_t router_id;         /* host order */
    uint32_t families;          /* enum bgp_family bits to offer */
    uint16_t hold_time_s;       /* 0 or 3 and above */
    uint16_t connect_retry_s;   /* the longest pause between attempts; 0 stands for 120 */
    bool passive;               /* never connect */
    bool extended_message;      /* offer RFC 8654 */
    bool enhanced_refresh;      /* offer RFC 7313 */
    uint16_t restart_time_s;    /* RFC 4724: how long the peer is to wait for us; 0: graceful restart is not offered */
    uint32_t long_lived_s;      /* RFC 9494, 24 bits: the same for long-lived stale routes; 0: not offered */
    uint16_t send_hold_s;       /* RFC 9687; 0: off. Else the owner calls bgp_session_output */
    bool add_path_receive;      /* offer RFC 7911 for all families: several paths from the peer, */
    bool add_path_send;         /* and to it */
    const struct log_hook *log; /* may be NULL */
};

/* RFC 4724 3, with the N bit of RFC 8538 2. */
struct bgp_restart {
    bool restarting;   /* R: the speaker has just started */
    bool notification; /* N: a NOTIFICATION other than a Hard Reset ends a session as gracefully as a lost connection */
    uint16_t time_s;   /* at most 4095 */
    uint32_t families; /* listed */
    uint32_t forwarding; /* of them those with F: state of before the restart was preserved */
};

/* RFC 9494 3. */
struct bgp_long_lived {
    uint32_t families, forwarding;
    uint32_t time_s[BGP_FAMILY_COUNT]; /* by number of the family's bit */
};

/* RFC 7911 4: families of which the speaker takes, and sends, several paths. */
struct bgp_add_path {
    uint32_t receive, send;
};

/* Capabilities as received (or sent). */
struct bgp_capabilities {
    uint32_t families;
    bool four_octet_as;
    bool extended_message;
    bool route_refresh;
    bool enhanced_route_refresh;
    bool graceful_restart;
    bool long_lived_restart; /* never without graceful_restart: RFC 9494 4.1 */
    struct bgp_restart restart;
    struct bgp_add_path add_path;
    struct bgp_long_lived long_lived;
    uint8_t unknown_count; /* codes received that are not known here */
    uint8_t unknown[16];
};

/* A NOTIFICATION, sent or received. */
struct bgp_notification {
    bool set;
    bool sent; /* by us; else received */
    uint8_t code;
    uint8_t subcode;
    uint16_t data_len;
    uint8_t data[258]; /* the first octets; a shutdown communication (RFC 9003) within a Hard Reset fits */
};

#define BGP_NOTIFICATION_TEXT 400 /* holds the words of any */

/* "OPEN Message Error: Bad Peer AS", in the words of RFC 4271 and its successors; into `text`. */
void bgp_notification_format(const struct bgp_notification *notification, char *text, size_t size);

#define BGP_REJECTION_LEN 21

/* CEASE, Connection Rejected (RFC 4486 4), for a connection that belongs to no session: BGP_REJECTION_LEN octets. */
size_t bgp_rejection(uint8_t *out);

struct bgp_session_info {
    enum bgp_state state;
    mono_ms_t state_since_ms;
    uint32_t peer_as, peer_router_id;
    uint16_t hold_time_s;                 /* negotiated */
    uint32_t families;                    /* offered by both */
    bool four_octet_as, extended_message; /* negotiated */
    bool enhanced_refresh;                /* negotiated */
    struct bgp_add_path add_path;         /* negotiated: families of which we receive, and send, several paths */
    struct bgp_capabilities sent, received;
    uint32_t retained; /* in `down`: families whose routes stay, as stale, for a peer that restarts (RFC 4724 4.2) */
    struct bgp_notification last_error; /* the latest NOTIFICATION, either way */
    char last_down[512];                /* why the session last left Established or failed to reach it, in words */
    uint64_t messages_in, messages_out, updates_in, updates_out;
    uint32_t established_count;
};

/* What the session asks of its owner. `ctx` is the one given at creation. All but refresh_mark must be set. */
struct bgp_session_ops {
    void (*connect)(void *ctx); /* open a connection; answer with bgp_session_connected/_failed, later */
    /* Close after what was sent has left, or give up the attempt to connect; no event in return. */
    void (*close)(void *ctx, enum bgp_conn conn);
    void (*send)(void *ctx, enum bgp_conn conn, const void *data, size_t len);
    void (*established)(void *ctx);                             /* bgp_session_info is complete */
    void (*update)(void *ctx, const uint8_t *body, size_t len); /* an UPDATE without its header; see bgp/update.h */
    void (*refresh)(void *ctx, uint32_t family);                /* ROUTE-REFRESH received for a negotiated family */
    /* BoRR, or at the `end` EoRR, of a negotiated family (RFC 7313 4); may be NULL. */
    void (*refresh_mark)(void *ctx, uint32_t family, bool end);
    void (*down)(void *ctx); /* left Established: forget what the peer announced, but for what info.retained names */
};

struct bgp_session *bgp_session_create(const struct bgp_session_conf *conf, const struct bgp_session_ops *ops,
                                       void *ctx, mono_ms_t now);
void bgp_session_free(struct bgp_session *session); /* does not call back */

/* Events (RFC 4271 8.1). */
void bgp_session_start(struct bgp_session *session, mono_ms_t now);
/* Administrative stop: CEASE with `subcode` (RFC 4486) and a shutdown communication (RFC 9003) or NULL, then Idle. */
void bgp_session_stop(struct bgp_session *session, uint8_t subcode, const char *reason, mono_ms_t now);
/*
 * Whether a connection just accepted from this peer may be handed in. True: an earlier accepted one that never got an
 * OPEN has been closed (ops->close), and bgp_session_connected(BGP_CONN_IN) is next. False (stopped, held in Idle, or
 * an accepted connection is in use): send what bgp_rejection writes on the new one and close it.
 */
bool bgp_session_accept(struct bgp_session *session, mono_ms_t now);
void bgp_session_connected(struct bgp_session *session, enum bgp_conn conn, mono_ms_t now);
void bgp_session_connect_failed(struct bgp_session *session, mono_ms_t now);
void bgp_session_closed(struct bgp_session *session, enum bgp_conn conn, mono_ms_t now); /* by the peer, or lost */
/* Octets from the stream, in any cut. Handles as many whole messages as there are, keeps the rest. */
void bgp_session_receive(struct bgp_session *session, enum bgp_conn conn, const void *data, size_t len, mono_ms_t now);
void bgp_session_tick(struct bgp_session *session, mono_ms_t now);

/*
 * Octets sent before have left; `left` still wait. Only restarts a timer (RFC 9687), so that it may be called at any
 * time.
 */
void bgp_session_output(struct bgp_session *session, enum bgp_conn conn, size_t left, mono_ms_t now);

/*
 * What the OPENs from now on say of our own restart (RFC 4724 4.1): the R bit, and the families with the F bit. False
 * and 0 at first.
 */
void bgp_session_restarting(struct bgp_session *session, bool restarting, uint32_t forwarding);

/*
 * Whether nothing would be lost with the session: no connection, not held in Idle, and no fault of the peer's that
 * still counts towards holding it.
 */
bool bgp_session_quiet(const struct bgp_session *session, mono_ms_t now);

/* When bgp_session_tick must be called next at the latest; UINT64_MAX: never. */
mono_ms_t bgp_session_deadline(const struct bgp_session *session);

/*
 * Ends the session for an error in an UPDATE that the owner found (bgp_update_parse said so): NOTIFICATION, close,
 * down. Allowed from within the `update` callback.
 */
void bgp_session_error(struct bgp_session *session, uint8_t code, uint8_t subcode, const void *data, size_t len);

/* Sends an UPDATE body (the header is added). -ENOTCONN unless Established, -EMSGSIZE beyond the negotiated size. */
int bgp_session_send_update(struct bgp_session *session, const void *body, size_t len);
/* Asks for a family again (RFC 2918). -ENOTCONN, -EOPNOTSUPP when the peer cannot, -EINVAL for a family not agreed. */
int bgp_session_send_refresh(struct bgp_session *session, uint32_t family);

/* BoRR, or at the `end` EoRR (RFC 7313 4); -EOPNOTSUPP unless both sides can, and the errors of the above. */
int bgp_session_send_refresh_mark(struct bgp_session *session, uint32_t family, bool end);

/* Most octets of an UPDATE body on this session (RFC 8654 where both offered it). */
size_t bgp_session_update_max(const struct bgp_session *session);

void bgp_session_info_get(const struct bgp_session *session, struct bgp_session_info *out);
/* The same without a copy, for who asks of many sessions; valid until the next call into this one. */
const struct bgp_session_info *bgp_session_info_see(const struct bgp_session *session);
const char *bgp_state_name(enum bgp_state state); /* "Idle", "Connect", ... */

#endif
