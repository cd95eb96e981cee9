/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FLOODGATE_JSON_UTIL_H
#define FLOODGATE_JSON_UTIL_H

#include <stdint.h>
#include <time.h>

#include <jansson.h>

/*
 * A JSON string of any octets: where they are not UTF-8 (a peer's shutdown communication, a file name) those beyond
 * ASCII become '?', so that a key is never left out.
 */
json_t *json_text(const char *text);

/* "2026-01-02T03:04:05Z", or JSON null for 0. */
json_t *json_time(time_t when);

void json_set_uint(json_t *object, const char *name, uint64_t value);
void json_set_text(json_t *object, const char *name, const char *value);

#endif
