/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of JSON objects. A path with dots leads into objects within: "vetting.breaker". */
#ifndef FLOODGATE_SNMP_MEMBER_H
#define FLOODGATE_SNMP_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Borrowed; NULL where there is none. */
const json_t *member(const json_t *object, const char *path);

/* With 0, "" and false where there is none, or one of another type. */
uint64_t member_uint(const json_t *object, const char *path);
const char *member_text(const json_t *object, const char *path);
bool member_true(const json_t *object, const char *path);

/* How many octets of a text to take, `most` at the most, so that no character is cut in two. */
size_t text_fit(const char *text, size_t most);

#endif
