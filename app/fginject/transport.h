/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One TCP connection to the router, non-blocking, on libevent. What happens is told through callbacks, never from
 * within a call.
 */
#ifndef FGINJECT_TRANSPORT_H
#define FGINJECT_TRANSPORT_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "options.h"

struct transport;

struct transport_ops {
    void (*up)(void *ctx);
    void (*down)(void *ctx, bool was_up, const char *why); /* failed to connect, closed by the peer, or lost */
    void (*received)(void *ctx, const void *data, size_t len);
    void (*drained)(void *ctx); /* little is left to be sent */
    void (*closed)(void *ctx);  /* after transport_close: all has left and the peer has closed too, or time is up */
};

struct transport *transport_create(struct event_base *base, const struct options *options,
                                   const struct transport_ops *ops, void *ctx);
void transport_free(struct transport *transport);

void transport_connect(struct transport *transport);
void transport_send(struct transport *transport, const void *data, size_t len);
void transport_close(struct transport *transport); /* after what was sent has left */

bool transport_is_up(const struct transport *transport);

/* Octets that wait here, and those the peer's TCP has not acknowledged. */
size_t transport_waiting(const struct transport *transport);
size_t transport_unacknowledged(const struct transport *transport);

#endif
