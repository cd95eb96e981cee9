/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The management API: one JSON request a line over a unix stream socket, one JSON answer a line.
 *   {"command": "rules", "args": {"family": "ipv4", "limit": 10}}
 *   {"ok": true, "result": ...}   or   {"ok": false, "error": "..."}
 * Runs on the event base's thread; a long answer is written in slices, so that BGP never waits for a slow reader.
 */
#ifndef FLOODGATE_API_H
#define FLOODGATE_API_H

#include "base/log.h"

struct api;
struct control;
struct dataplane;
struct event_base;
struct sampling;

struct api_conf {
    struct event_base *base;
    const char *socket_path;
    struct control *control;
    struct dataplane *dp;
    struct sampling *sampling; /* may be NULL */
    const struct log_hook *log;
    const char *version;
};

/*
 * Listens. A socket file left by a dead process is replaced; one that answers is in use. NULL after a line in the log.
 */
struct api *api_start(const struct api_conf *conf);

/* Closes every connection and removes the socket file. */
void api_stop(struct api *api);

#endif
