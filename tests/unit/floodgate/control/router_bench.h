/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole control plane over loopback sockets and a data plane that is only pretended, for tests to be its peers. */
#ifndef ROUTER_BENCH_H
#define ROUTER_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "control/control.h"

struct router {
    char file[64];
    uint16_t port;      /* we listen */
    uint16_t peer_port; /* an active peer listens */
    struct event_base *base;
    struct dataplane *dp;
    struct cfg *cfg;
    struct control *control;
    struct log_hook hook;
    char log[65536]; /* every line at notice and above */
    size_t log_len;
};

/* cmocka's: `*state` is a struct router. */
int router_set_up(void **state);
int router_tear_down(void **state);

/* The configuration: `peers` as lines of bgp.peers, `rest` as whole sections. */
void router_config_write(const struct router *router, unsigned asn, const char *peers, const char *rest);
void router_start(struct router *router, const char *peers, const char *rest);

bool router_logged(const struct router *router, const char *text);
struct control_peer router_peer(const struct router *router); /* the first one */

/* Conditions for speaker_wait, of the data plane. */
bool router_one_in_force(void *dp);
bool router_none_in_force(void *dp);

#endif
