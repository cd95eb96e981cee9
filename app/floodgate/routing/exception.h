/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exception path: the router's own traffic between its ports and the kernel, by one interface of the kernel for
 * each port (routing/kernel_if.h). Control thread.
 */
#ifndef FLOODGATE_EXCEPTION_H
#define FLOODGATE_EXCEPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cfg;
struct event_base;
struct exception;
struct routing;

/*
 * Interfaces for the ports that are to have one (`dataplane.exception-path`); the ports have their addresses. *out is
 * NULL where none has. 0, or -errno after a line in the log: only where they are asked for.
 */
int exception_start(struct routing *routing, struct event_base *base, const struct cfg *cfg, struct exception **out);
void exception_stop(struct exception *exception);

/* A packet for an address of the router that came in by `port`, to the kernel. */
void exception_deliver(struct exception *exception, uint16_t port, const uint8_t *packet, size_t len);
/* A packet of at least an IP header to the kernel by the port's interface; false when it is lost. Counts nothing. */
bool exception_deliver_by(const struct exception *exception, uint16_t port, const uint8_t *packet, size_t len);

#endif
