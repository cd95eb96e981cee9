/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP connections of BGP sessions: octets in and out, nothing of BGP.
 *
 * A transport belongs to one owner until transport_close, or until it was told that it failed. It then finishes on its
 * own: what was sent leaves, the peer gets a moment to read it, and the socket closes. Callbacks come from the event
 * base only, never from within a call made here.
 */
#ifndef FLOODGATE_TRANSPORT_H
#define FLOODGATE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/util.h>

#include "base/ip.h"

struct event_base;
struct socket_guard;
struct transport;

#define TRANSPORT_SLICE_MAX  (32u * 1024)   /* octets handled in one turn of the event loop */
#define TRANSPORT_OUTPUT_MAX (1024u * 1024) /* octets that may wait for a peer that does not read */
#define TRANSPORT_OUTPUT_LOW (32u * 1024)   /* octets that wait when more may be handed in */
#define TRANSPORT_LINGER_MS  1000           /* for a peer to take what was sent before the close */

struct transport_ops {
    void (*connected)(void *ctx, struct transport *transport);
    void (*received)(void *ctx, struct transport *transport, const void *data, size_t len);
    /* Of what waited to be sent no more than TRANSPORT_OUTPUT_LOW octets are left. May be NULL. */
    void (*drained)(void *ctx, struct transport *transport);
    /* Something of what was sent has left; `left` octets still wait. No call back into the transport from here. */
    void (*output)(void *ctx, struct transport *transport, size_t left);
    /* Not connected, or closed by the peer, or lost: `why` in words. The transport is gone on return. */
    void (*failed)(void *ctx, struct transport *transport, const char *why);
};

/* All transports of a control plane, so that those that linger can be flushed at the end. */
struct transport_set {
    struct event_base *base;
    struct transport *first;
};

/* Connects from `bind_to` (any address where NULL). NULL with errno when it cannot even begin. */
struct transport *transport_connect(struct transport_set *set, const struct ip_addr *to, uint16_t port,
                                    const struct ip_addr *bind_to, const struct socket_guard *guard,
                                    const struct transport_ops *ops, void *ctx);

/* Takes over an accepted socket. NULL (and the socket is closed) when memory is short. */
struct transport *transport_accept(struct transport_set *set, evutil_socket_t fd, const struct transport_ops *ops,
                                   void *ctx);

void transport_send(struct transport *transport, const void *data, size_t len);

/* Octets handed in that the system has not taken yet. */
size_t transport_queued(const struct transport *transport);

/* The address of our end; family IP_NONE where it is not connected. */
struct ip_addr transport_local(const struct transport *transport);

/* The owner lets go; no callback any more. */
void transport_close(struct transport *transport);

/* Whether it has not been connected yet. */
bool transport_connecting(const struct transport *transport);

/* Closes what is left of the set, waiting at most `wait_ms` for what was sent to leave. Needs no event loop. */
void transport_set_finish(struct transport_set *set, unsigned wait_ms);

/* A socket address; returns its length. */
socklen_t transport_sockaddr(const struct ip_addr *addr, uint16_t port, struct sockaddr_storage *out);
/* Back; an IPv4 address mapped into IPv6 is IPv4. Family IP_NONE for anything else. */
struct ip_addr transport_address(const struct sockaddr *sa);

#endif
