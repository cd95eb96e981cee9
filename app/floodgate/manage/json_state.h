/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters, ports, workers and peers as JSON. Control thread. Each returns a new reference.
 *
 * Counters are JSON integers; jansson holds them as int64, so they are exact below 2^63: at 400 million packets a
 * second that is 700 years.
 */
#ifndef FLOODGATE_JSON_STATE_H
#define FLOODGATE_JSON_STATE_H

#include <jansson.h>

#include "counters/counters.h"

struct control;
struct dataplane;

json_t *json_counters(const struct cnt_port_sum *sum);
json_t *json_ports(const struct dataplane *dp);
json_t *json_workers(const struct dataplane *dp);
json_t *json_peers(const struct control *control);

#endif
