/* SPDX-License-Identifier: BSD-3-Clause */
/* A rule's rate limit at this moment, for `explain` and `rule show`. Asking takes nothing from it. */
#ifndef FLOODGATE_JSON_LIMIT_H
#define FLOODGATE_JSON_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct act_program;
struct pkt_key;

/*
 * {"bytes_per_s": 1250000.0, "burst_bytes": 125000, "room_bytes": 125000} and likewise for packets: what is enforced,
 * how much may come at once, how much of that could come now. Limits per source are in a list `per_source`, each with
 * what it `counts` and, where there is a packet, its source's room. NULL when the program limits no rate. `key` (may be
 * NULL): a packet; `conforms` (may be NULL): whether it would pass now; true without a limit.
 */
json_t *json_limit(const struct act_program *program, uint64_t now_ns, const struct pkt_key *key, bool *conforms);

#endif
