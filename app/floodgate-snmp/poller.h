/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread that asks the router: every second for its state, the peers and what is new in its journal, and for the
 * rules when somebody reads their table. It may wait for the router as long as it likes: nobody waits for it.
 */
#ifndef FLOODGATE_SNMP_POLLER_H
#define FLOODGATE_SNMP_POLLER_H

#include <stdatomic.h>

#include "board.h"
#include "position.h"

#define POLLER_TICK_MS 1000

struct poller;

struct poller_conf {
    struct board *board;
    const char *socket;
    const char *state_file; /* NULL: none */
    uint32_t rules_most;
    uint32_t burst, per_s;   /* of notifications, of each kind */
    const atomic_bool *stop; /* set before board_stop */
};

/* Starts the thread. NULL when memory or threads are short. `conf` is copied. */
struct poller *poller_start(const struct poller_conf *conf);

/* After `stop` was set and board_stop. */
void poller_join(struct poller *poller);

#endif
