/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What guards the TCP connections of a peer: TCP MD5 (RFC 2385), GTSM (RFC 5082), a device or VRF to stay on.
 */
#ifndef FLOODGATE_SOCKET_GUARD_H
#define FLOODGATE_SOCKET_GUARD_H

#include <stdbool.h>

#include <event2/util.h>

#include "base/ip.h"

struct socket_guard {
    const char *password; /* NULL: none; at most 80 octets */
    bool ttl_security;
    const char *device; /* NULL: any */
};

/* A socket that is about to connect to `to`. 0, or -1 with errno. */
int socket_guard_connect(evutil_socket_t fd, const struct ip_addr *to, const struct socket_guard *guard);

/*
 * An accepted socket: -1 when it came in by another VRF than the guard's (EXDEV), from further away than one hop
 * (EHOSTUNREACH), or when the system refuses. (The password was the listener's to check.)
 */
int socket_guard_accept(evutil_socket_t fd, unsigned family, const struct socket_guard *guard);

/* A listener: as below, and what is accepted can be asked for how far it came. */
void socket_guard_listen(evutil_socket_t fd, unsigned family);

/* Packets leave with the highest TTL, or hop limit: what a peer with GTSM wants, and no harm to others. */
void socket_guard_ttl(evutil_socket_t fd, unsigned family);

/* Connections from `peer` to this listener need `password`; NULL: not any more. 0, or -1 with errno. */
int socket_guard_password(evutil_socket_t fd, const struct ip_addr *peer, const char *password);

/* The same for every address in `range` that has no password of its own or of a longer range (Linux 4.13). */
int socket_guard_range_password(evutil_socket_t fd, const struct ip_prefix *range, const char *password);

#endif
