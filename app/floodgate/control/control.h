/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control plane: BGP sessions, the RIB, the rule feed and reload, all on the thread that runs the event base.
 */
#ifndef FLOODGATE_CONTROL_H
#define FLOODGATE_CONTROL_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "bgp/session.h"
#include "control/rules.h"
#include "policy/policy.h"

struct cfg;
struct bgp_unicast;
struct control;
struct dataplane;
struct event_base;
struct routing;

struct control_conf {
    struct event_base *base;
    const struct cfg *cfg;   /* outlives the control plane, or until a reload replaced it */
    const char *config_file; /* read again by control_reload */
    struct dataplane *dp;
    struct routing *routing;      /* NULL where no port routes */
    const cpu_set_t *helper_cpus; /* where threads that write to files may run; NULL: where this one may */
    const struct log_hook *log;
};

/*
 * Puts the configured rules into force, listens for and connects to peers. NULL after a line in the log (an address
 * in use, no memory).
 */
struct control *control_start(const struct control_conf *conf);

/*
 * Ends every session with a CEASE while the event base and the workers go on, for sessions that go by the router's own
 * ports; the rules stay. True once nothing waits to be sent any more; ask again after each turn of the event base.
 */
bool control_goodbye(struct control *control);

/* Ends every session with a CEASE (RFC 4486: administrative shutdown), waiting at most a second for it to leave. */
void control_stop(struct control *control);

const struct rules *control_rules(const struct control *control);

/* Unicast routes that the peers announced. */
const struct bgp_unicast *control_routes(const struct control *control);

/* Rules of the operator: `fgctl rule ...`. False with one line in `why`. `*id` is the rule's. */
bool control_rule_add(struct control *control, const char *text, uint32_t *id, char *why, size_t size);
bool control_rule_del(struct control *control, uint32_t id, char *why, size_t size);
/* steer.c: the operator's word on one rule, whoever announces it. `by`: who, for the journal. */
enum control_steer { CONTROL_SUSPEND, CONTROL_RESUME, CONTROL_APPROVE, CONTROL_DRY_RUN, CONTROL_PROMOTE };
bool control_rule_steer(struct control *control, uint32_t id, enum control_steer what, const char *by, char *why,
                        size_t size);

/*
 * Stops enforcing every rule at once, or those of one peer (NULL: all), and enforces them again. Forwarding and
 * sessions go on. False when there is no such peer.
 */
bool control_kill_switch(struct control *control, const char *peer, bool on, const char *by, bool *changed, char *why,
                         size_t size);
bool control_peer_killed(const struct control *control, const char *name);

/* What watches over the rules, for `fgctl status`. */
struct control_vetting {
    bool kill_switch;
    bool sense;          /* rules that no packet can match stay out of the data plane */
    bool guard, breaker; /* configured */
    size_t samples;      /* headers in the guard's window */
    uint64_t trips;      /* rules that the breaker suspended since the start */
    double drop_share;   /* per cent of the window's packets that rules dropped; 0 without a breaker */
    size_t delayed;      /* changes that wait for max-changes */
};
void control_vetting_get(const struct control *control, struct control_vetting *out);

struct journal;
const struct journal *control_journal(const struct control *control);

/*
 * Judges rule text without installing it (rule_check.c): every step's verdict, then the whole; the operator's own, or
 * as if `peer` announced it (NULL: the operator's). False when the text is no rule, or there is no such peer.
 */
bool control_rule_check(struct control *control, const char *text, const char *peer, pol_step_fn report, void *ctx,
                        struct pol_verdict *verdict, char *why, size_t size);

/*
 * Reads the configuration file again and applies what can change while running: rules, peers, listeners. Returns false
 * and changes nothing when the file has problems or asks for a change that needs a restart (ports, workers, memory);
 * each problem is logged and the first is in `why`. `summary` says what changed ("2 rules added, 1 peer removed").
 */
bool control_reload(struct control *control, char *summary, size_t summary_size, char *why, size_t size);

/* Routes of one family of a peer. */
struct control_peer_routes {
    uint64_t accepted; /* held now */
    uint64_t
        rejected;  /* announcements of this session that were not taken: by the import filter, or our own next hop */
    uint64_t sent; /* that the peer was told and that it has not been told to forget */
};

/* One peer for `fgctl peers`. Pointers are valid until the next event. */
struct control_peer {
    const char *name;
    const char *range; /* the entry of the configuration that it came by; NULL: its own */
    struct ip_addr address;
    uint16_t port;
    uint32_t asn;
    bool passive;
    bool admin_down;
    uint32_t families_configured;
    struct bgp_session_info session;
    uint64_t rules_received[2]; /* announcements held now: IPv4, IPv6 */
    uint64_t rules_active[2];
    uint64_t rules_rejected[2];
    uint64_t rules_not_imported[2]; /* of SAFI 134, and no VRF here imports them */
    uint64_t rules_sent[2];         /* rules that the peer was told and that it has not been told to forget */
    uint64_t rules_queued[2];       /* announcements and withdrawals that wait for its socket */
    uint64_t rules_too_large;       /* that fit into no message of its session: not announced */
    uint64_t rules_filtered;        /* announcements that the import filter kept out, of routes too, in this session */
    struct control_peer_routes routes[BGP_FAMILY_COUNT]; /* by number of the family's bit; zero for rules */
    uint64_t routes_unreachable; /* held, and left out because their next hops cannot be reached */
    uint64_t routes_queued;      /* announcements that wait for its socket */
    uint64_t routes_too_large;   /* that fit into no message of its session: not announced */
    uint64_t rules_stale[2];
    uint32_t stale_families; /* whose rules are kept from a former session; for at most stale_left_s more */
    uint32_t stale_left_s;
    uint32_t deferred; /* families of which it is not told yet what was learned: control/deferral.h */
    uint64_t refreshes_begun, refreshes_ended; /* BoRR and EoRR of RFC 7313 */
    uint64_t output_waiting_bytes;             /* written, and not yet taken by the peer */
    bool password, ttl_security;
    const char *device; /* NULL: any */
    uint64_t withdrawals;
    uint64_t bad_nlri; /* NLRI refused alone */
    uint64_t bad_attributes;
    char last_bad[128];           /* what was wrong with the latest of these, in words; "" when none */
    uint64_t refused_connections; /* connections of the peer's address that were turned away */
};
size_t control_peer_count(const struct control *control);
void control_peer_get(const struct control *control, size_t index, struct control_peer *out);

/* An entry of the configuration with a `range`. Pointers are valid until the next event. */
struct control_range {
    const char *name;
    struct ip_prefix prefix;
    size_t peers, max_peers;      /* now, and at most */
    uint64_t refused_connections; /* that found no room */
};
size_t control_range_count(const struct control *control);
void control_range_get(const struct control *control, size_t index, struct control_range *out);

enum control_peer_command { CONTROL_PEER_UP, CONTROL_PEER_DOWN, CONTROL_PEER_REFRESH };
/* `reason`: with CONTROL_PEER_DOWN, what the peer's operator is told (RFC 9003); NULL: nothing. */
bool control_peer_command(struct control *control, const char *name, enum control_peer_command command,
                          const char *reason, char *why, size_t size);

/* Connections from addresses that are no peer's. */
uint64_t control_unknown_connections(const struct control *control);

#endif
