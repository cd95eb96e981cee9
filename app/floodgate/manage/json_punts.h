/* SPDX-License-Identifier: BSD-3-Clause */
/* The router's own packets as JSON: a part of the object of `fgctl -j counters`. Control thread. */
#ifndef FLOODGATE_JSON_PUNTS_H
#define FLOODGATE_JSON_PUNTS_H

#include <jansson.h>

struct dataplane;

/* Adds "punts" (what was handed to the router itself, by kind) and "kernel" to `counters`; nothing where no port
 * routes. */
void json_punts_add(json_t *counters, const struct dataplane *dp);

#endif
