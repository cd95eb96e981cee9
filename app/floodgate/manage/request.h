/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests off the stream: one JSON object a line, and what each command's arguments must be. No socket in here.
 */
#ifndef FLOODGATE_REQUEST_H
#define FLOODGATE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct evbuffer;

#define REQUEST_MAX   (160u * 1024) /* octets of a line: the longest frame in hex, and the longest rule, fit */
#define REQUEST_ERROR 512

enum request_read {
    REQUEST_NONE,     /* no whole line yet */
    REQUEST_LINE,     /* `*line` is the next one, to be freed */
    REQUEST_TOO_LONG, /* more than REQUEST_MAX octets and no newline: nothing after it can be trusted */
};

/*
 * Takes the next line that is not blank out of `in`, without its newline. `at_end`: nothing will follow, so the rest is
 * a line, too.
 */
enum request_read request_read(struct evbuffer *in, bool at_end, char **line, size_t *len);

enum request_arg_type { ARG_STRING, ARG_UINT };

struct request_arg {
    const char *name; /* NULL ends a table */
    enum request_arg_type type;
    bool required;
};

/*
 * Reads one line into the command's name and its arguments (an object, empty when the request has none). `*request`
 * owns both; the caller decrefs it. False with one line in `why`.
 */
bool request_parse(const char *line, size_t len, json_t **request, const char **command, const json_t **args,
                   char *why);

/* Whether `args` are those of the table: each known, of its type, and all that are required. */
bool request_check_args(const json_t *args, const struct request_arg *table, char *why);

/* An argument checked before; NULL and `otherwise` when it was not given. */
const char *request_string(const json_t *args, const char *name);
uint64_t request_uint(const json_t *args, const char *name, uint64_t otherwise);

#endif
