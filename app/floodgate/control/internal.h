/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of the control plane: what its files share. Everything here lives on the thread of the event base.
 */
#ifndef FLOODGATE_CONTROL_INTERNAL_H
#define FLOODGATE_CONTROL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "bgp/rib.h"
#include "bgp/session.h"
#include "bgp/unicast_rib.h"
#include "bgp/update.h"
#include "conf/conf.h"
#include "control/control.h"
#include "control/log_limit.h"
#include "control/rules.h"
#include "control/transport.h"

struct event;
struct event_base;
struct bgp_adj_out;
struct bgp_builder;
struct chores;
struct deferral;
struct dynamic;
struct graceful;
struct incoming;
struct reachability;
struct rejudge;
struct peer_out;
struct peer_routes;

/* What keeps a peer's lines from filling the log. Peers of one range share one, or each that comes would bring its own.
 */
struct peer_lines {
    struct log_limit session, bad, refused, forgotten;
};

/* How a peer stands to its max-prefix in this session. */
struct peer_limit {
    uint32_t warned;  /* families */
    uint32_t touched; /* families of routes of the UPDATE being read: looked at once, behind it */
    bool octets;      /* by the memory that its attributes take, not by their number */
    bool breached;    /* the session is ended and stays down until the operator says otherwise */
    uint32_t family;  /* the one that went beyond */
};

/* One neighbour. */
struct peer {
    struct control *control;
    struct rule_source source;
    char *name;
    char *range;          /* dynamic.c's: the entry it was made from; NULL: it has an entry of its own */
    struct cfg_peer conf; /* numbers only: its strings are the configuration's, which a reload replaces */
    bool admin_down;
    bool password_unset; /* a listener could not be told the password */
    struct bgp_session *session;
    struct log_hook session_log;
    struct transport *connections[BGP_CONN_COUNT];
    struct event *timer; /* of the session's deadline */
    mono_ms_t timer_at;
    struct event *connect_failed; /* reports a connection that could not even begin, once its caller has returned */
    int connect_errno;
    bool connect_told;
    char connect_line[160];    /* the last line about a failed attempt, so that repeated ones show once */
    struct graceful *graceful; /* what stays of a session that was lost */
    bool departs; /* no peer any more, it only has what is still being taken out: freed with the last of that */
    LIST_ENTRY(peer) departing;
    struct bgp_update_conf update_conf;   /* negotiated */
    struct bgp_shared_attrs *route_attrs; /* of the UPDATE being read, but for labels; as `route_attrs_of` was told */
    const struct bgp_attrs *route_attrs_of;
    struct ip_addr local;                       /* our end of the session */
    const struct bgp_attrs *own_next_hop;       /* of the UPDATE being read: those whose next hop was told to be ours */
    uint32_t end_of_rib;                        /* families whose End-of-RIB has come in this session */
    uint32_t deferred;                          /* families of which it is not told yet what was learned: deferral.h */
    struct peer_out *out;                       /* distribute.c's, while the session is up */
    struct peer_routes *told;                   /* route_distribute.c's, while the session is up and carries routes */
    struct peer_limit limit;                    /* limit.c's */
    uint64_t filtered;                          /* announcements that the import filter kept out, in this session */
    uint64_t routes_rejected[BGP_FAMILY_COUNT]; /* announcements of routes that were not taken, in this session */
    uint64_t refreshes_begun, refreshes_ended;
    uint64_t withdrawals, bad_nlri, bad_attributes, refused_connections;
    char last_bad[128];
    bool update_told;        /* of the UPDATE being read a fault went to the log */
    char session_line[576];  /* the last line of the session's log, for the same reason */
    struct peer_lines lines; /* where it has no range: peer_lines_of */
};

struct control {
    struct event_base *base;
    struct dataplane *dp;
    struct routing *routing; /* NULL where no port routes */
    const struct log_hook *log;
    const char *config_file;
    const struct cfg *cfg; /* in force */
    struct cfg *loaded;    /* `cfg` where a reload read it: ours to free; NULL: it is the caller's */
    struct bgp_rib *rib;
    struct bgp_unicast *routes;        /* unicast routes of the peers */
    struct reachability *reachability; /* of their next hops */
    struct rejudge *rejudge;           /* rules by the routes they rest on */
    struct log_limit install_lines;
    struct rules *rules;
    struct judge *judge; /* of `cfg` */
    struct bgp_adj_out *adj_out;
    uint8_t *export_room; /* for bgp_attrs_export */
    struct bgp_builder *route_builder;
    struct deferral *deferral; /* of End-of-RIB, after our start */
    struct guard *guard;
    struct breaker *breaker;
    struct journal *journal;
    struct decisions *decisions;
    bool decisions_due;  /* recover.c: the journal was rotated since they were written into it */
    bool decisions_many; /* they were, that time */
    mono_ms_t decisions_written_at;
    struct rule_source config_source, api_source;
    uint32_t source_number; /* the last one given out */
    struct peer **peers;    /* in the order of the configuration, then dynamic ones */
    size_t peer_count;
    LIST_HEAD(, peer) departing; /* those that are none any more */
    struct chores *chores;
    struct dynamic *dynamic;
    struct incoming *incoming;
    struct transport_set transports;
    struct event *reclaim_timer, *retry_timer, *watch_timer, *journal_timer;
    mono_ms_t watched_at; /* the breaker's last tick */
    bool stopping;        /* sessions end, but their rules stay until the workers have stopped */
};

mono_ms_t control_now(void);
uint32_t control_cluster_id(const struct control *control); /* RFC 4456 7 */

/* peers.c */
struct peer *peer_create(struct control *control, const struct cfg_peer *conf);
void peer_start(struct peer *peer);
/* Ends the session with a CEASE `subcode` (RFC 4486); the peer's rules go. */
void peer_stop(struct peer *peer, uint8_t subcode, const char *reason);
void peer_free(struct peer *peer); /* stopped, or never started; nothing of it is in a RIB */
/* Stopped: freed now or later, when its rules and routes have been taken out, in pieces. */
void peer_depart(struct peer *peer);
/* Takes over a socket that came from the peer's address. */
void peer_accept(struct peer *peer, evutil_socket_t fd);
struct peer *peer_find(const struct control *control, const char *name);
const struct cfg_peer *peer_conf_of(const struct bgp_source *source); /* of a source that is a peer */
struct ip_addr peer_local_address(const struct peer *peer);           /* our end of its connection, or IP_NONE */
uint32_t peer_families(const struct peer *peer);                      /* offered to it, as lib/bgp has them */
uint32_t peer_cfg_family(uint32_t family); /* the configuration's bit of a family of lib/bgp */
bool peer_refresh(struct peer *peer, char *why, size_t size);
void peer_timer_arm(struct peer *peer); /* after every call into its session */

/* peer_lines.c */
struct peer_lines *peer_lines_of(struct peer *peer);
void peer_lines_held_back(const struct peer *peer,
                          uint64_t count);           /* says how many lines were not written before one */
struct log_hook peer_session_log(struct peer *peer); /* for the session of the peer */

/* update_feed.c */
void update_feed(struct peer *peer, const uint8_t *body, size_t len);
void update_feed_start(struct peer *peer); /* the session is up */

/* route_feed.c */
bool route_feed_create(struct control *control); /* false: memory is short; route_feed_free cleans up */
void route_feed_free(struct control *control);   /* after the rules */
bool route_feed_infeasible(const struct control *control, const struct bgp_rib_entry *entry,
                           const struct bgp_path *path);
void route_feed_import_again(struct control *control, const struct cfg *old); /* VRFs import other route targets now */
/* A route of the peer; 0, or as bgp_unicast_announce. */
int route_reach(struct peer *peer, const struct bgp_route *route, const struct bgp_attrs *attrs);
void route_feed_end(struct peer *peer); /* the UPDATE is read */

/* limit.c: max-prefix */
uint32_t limit_of(const struct peer *peer, uint32_t family);
void limit_check(struct peer *peer, uint32_t family); /* another announcement of the family was taken */
void limit_check_routes(struct peer *peer);           /* the UPDATE is read */
void limit_end_session(struct peer *peer);            /* breached: from the session's `update` callback */
void limit_hold(struct peer *peer);                   /* afterwards, outside of it: no more sessions */

/* incoming.c */
struct incoming *incoming_create(struct control *control);
void incoming_free(struct incoming *incoming);
/* Listens on these addresses and on no others: new ones first, so that on failure (logged) nothing has changed. */
bool incoming_set(struct incoming *incoming, const struct cfg_listen *listens, size_t count, char *why, size_t size);
/* Connections from the peer's address need its password, or none. `incoming` NULL: nothing listens any more. */
void incoming_password(struct incoming *incoming, struct peer *peer);
/* Each listening socket. */
void incoming_each(struct incoming *incoming, void (*see)(void *ctx, evutil_socket_t listener, unsigned family),
                   void *ctx);
uint64_t incoming_unknown(const struct incoming *incoming);

/* local_rules.c: rules that originate here. */
/* What the configuration's rules become: those in `old` (may be NULL) and not in `new` go. Counts for the summary. */
struct local_rules_change {
    size_t added, removed, changed, refused;
};
void local_rules_configure(struct control *control, const struct cfg *old, const struct cfg *new,
                           struct local_rules_change *change);

/* recover.c: decisions of before the restart, from the journal: the kill-switch, and what rules get that come again. */
bool recover(struct control *control);       /* false: memory is short */
void recover_peer(struct peer *peer);        /* a peer that is new here */
void recover_watch(struct control *control); /* what was decided stays in the journal's files; every so often */

/* unserved.c: one warning for each thing that the configuration asks for and this version does not do, or switches off.
 */
void unserved_warn(const struct cfg *cfg, const char *file, const struct log_hook *log);

#endif
