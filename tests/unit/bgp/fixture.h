/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session whose owner writes everything down, with a clock that is a number, and the messages of a peer.
 */
#ifndef UNIT_BGP_FIXTURE_H
#define UNIT_BGP_FIXTURE_H

#include "../cm.h"

#include <stdbool.h>
#include <string.h>

#include "bgp/notification.h"
#include "bgp/session.h"

#define LOCAL_AS   65000u
#define PEER_AS    65001u
#define LOCAL_ID   0xc0000201u /* 192.0.2.1 */
#define PEER_ID    0xc0000202u
#define LOW_ID     0xc0000200u
#define FAMILIES   (BGP_IPV4_FLOWSPEC | BGP_IPV6_FLOWSPEC)
#define SENT_MAX   (256 * 1024)
#define MARKER_HEX "ffffffffffffffffffffffffffffffff"

struct fixture {
    struct bgp_session_conf conf;
    struct bgp_session *session;
    mono_ms_t now;
    unsigned connects, closes[BGP_CONN_COUNT], established, downs, updates, refreshes, refresh_begins, refresh_ends;
    uint32_t refresh_family;
    size_t update_len;
    uint8_t update[BGP_EXTENDED_MESSAGE_MAX];
    size_t sent_len[BGP_CONN_COUNT];
    uint8_t sent[BGP_CONN_COUNT][SENT_MAX];
    bool reset_on_update; /* answers an UPDATE with bgp_session_error(3, 1) */
};

/* What the peer says in its OPEN. */
struct peer_open {
    uint8_t version;
    uint16_t my_as, hold_time_s;
    uint32_t id;
    const char *params; /* hex, without the length in front; NULL: both flowspec families, 4-octet AS, refresh */
    bool extended_message;
};

struct fixture *fixture_new(void (*configure)(struct bgp_session_conf *conf)); /* NULL: passive */
void fixture_free(struct fixture *f);

size_t unhex(const char *hex, uint8_t *out);
void receive_hex(struct fixture *f, enum bgp_conn conn, const char *hex);
void receive(struct fixture *f, enum bgp_conn conn, uint8_t type, const void *body, size_t len);
void receive_open(struct fixture *f, enum bgp_conn conn, struct peer_open open);
size_t peer_open_build(struct peer_open open, uint8_t *out); /* the whole message */
struct peer_open good_open(void);
void receive_keepalive(struct fixture *f, enum bgp_conn conn);
void advance(struct fixture *f, mono_ms_t ms); /* the clock, with a tick at every deadline on the way */

/* Accepts a connection and brings it up to a state. */
void up_to(struct fixture *f, enum bgp_state state);

void forget_sent(struct fixture *f);
void expect_sent(const struct fixture *f, enum bgp_conn conn, const char *hex); /* exactly, since forget_sent */
void expect_state(const struct fixture *f, enum bgp_state state);
struct bgp_session_info info_of(const struct fixture *f);

#endif
