/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What managers are notified of, and where it is read: entries of the router's journal, and the peers' states from one
 * look to the next. Pure.
 */
#ifndef FLOODGATE_SNMP_EVENT_H
#define FLOODGATE_SNMP_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "position.h"

#define EVENT_TEXT 400 /* of a rule, and of a reason: two of them fit into a datagram of the usual size */
#define EVENT_WORD 128

/* In the order of the MIB: the last arc of the notification. */
enum event_kind {
    EVENT_BREAKER_TRIPPED = 1,
    EVENT_PEER_DOWN = 2,
    EVENT_PEER_UP = 3,
    EVENT_KILL_SWITCH = 4,
    EVENT_RULE_HELD = 5,
    EVENT_ROUTER_DOWN = 6,
    EVENT_ROUTER_UP = 7,
    EVENT_KINDS,
};

/* What a share is of; numbers are the MIB's. */
enum event_scope { SCOPE_OTHER = 0, SCOPE_PACKETS = 1, SCOPE_OCTETS = 2, SCOPE_PROTOCOL = 3, SCOPE_DESTINATION = 4 };

struct event {
    enum event_kind kind;
    struct positions read; /* how far the journal was read with it, set by its reader; zeros: not from there */
    uint32_t rule;
    enum event_scope scope;
    uint32_t share, limit; /* in hundredths of a per cent */
    bool on;               /* the kill-switch */
    uint64_t count;        /* sessions that the peer has had */
    char scope_value[EVENT_WORD], peer[EVENT_WORD], address[EVENT_WORD], by[EVENT_WORD], time[32];
    char match[EVENT_TEXT], reason[EVENT_TEXT];
};

/* The name in logs and in the manual: "breaker-tripped". */
const char *event_name(enum event_kind kind);

/* False for an entry that nobody is notified of. */
bool event_from_journal(const json_t *entry, struct event *out);

/* Scope, share and limit out of the breaker's reason; SCOPE_OTHER and zeros when it is worded otherwise. */
void event_read_trip(const char *reason, struct event *out);

/* Peers as they were seen last, by name. */
struct peer_watch;
struct peer_watch *peer_watch_create(void);
void peer_watch_free(struct peer_watch *watch);

/*
 * Compares with the peers as they are now (the API's array) and gives what happened in between, in its order: sessions
 * that came, went, or went and came again. `fresh`: the router was started in between, so its counts begin anew. The
 * first look gives nothing. False when memory is short: then it was not looked.
 */
bool peer_watch_look(struct peer_watch *watch, const json_t *peers, bool fresh,
                     void (*emit)(void *ctx, const struct event *event), void *ctx);

#endif
