/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

/* The last line of a stream, which nobody ended with a newline. */
static char *take_rest(struct evbuffer *in, size_t *len)
{
    char *text = malloc(evbuffer_get_length(in) + 1);

    if (text == NULL)
        return NULL;
    *len = (size_t)evbuffer_remove(in, text, evbuffer_get_length(in));
    text[*len] = '\0';
    return text;
}

enum request_read request_read(struct evbuffer *in, bool at_end, char **line, size_t *len)
{
    for (;;) {
        struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
        size_t waiting = end.pos < 0 ? evbuffer_get_length(in) : (size_t)end.pos;

        if (waiting > REQUEST_MAX)
            return REQUEST_TOO_LONG;
        if (end.pos < 0 && (!at_end || waiting == 0))
            return REQUEST_NONE;
        char *text = end.pos < 0 ? take_rest(in, len) : evbuffer_readln(in, len, EVBUFFER_EOL_LF);
        if (text == NULL)
            return REQUEST_NONE;
        if (strspn(text, " \t\r") < *len) {
            *line = text;
            return REQUEST_LINE;
        }
        free(text);
    }
}

/* A key that the object has and `known` has not, or NULL. */
static const char *unknown_key(const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *const *k = known;
        while (*k != NULL && strcmp(*k, key) != 0)
            k++;
        if (*k == NULL)
            return key;
    }
    return NULL;
}

bool request_parse(const char *line, size_t len, json_t **request, const char **command, const json_t **args, char *why)
{
    static const char *const KEYS[] = {"command", "args", NULL};
    static const char SHAPE[] = "a request is {\"command\": \"NAME\", \"args\": {...}} on one line";
    json_error_t error;
    json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        snprintf(why, REQUEST_ERROR, "not JSON at column %d: %s", error.column, error.text);
        return false;
    }
    const char *bad = json_is_object(root) ? unknown_key(root, KEYS) : NULL;
    const json_t *given = json_object_get(root, "args");
    *command = json_string_value(json_object_get(root, "command"));
    if (!json_is_object(root) || *command == NULL)
        snprintf(why, REQUEST_ERROR, "%s", SHAPE);
    else if (bad != NULL)
        snprintf(why, REQUEST_ERROR, "unknown key '%.64s': %s", bad, SHAPE);
    else if (given != NULL && !json_is_object(given))
        snprintf(why, REQUEST_ERROR, "args must be an object: %s", SHAPE);
    else {
        if (given == NULL) {
            json_object_set_new(root, "args", json_object());
            given = json_object_get(root, "args");
        }
        *args = given;
        *request = root;
        return true;
    }
    json_decref(root);
    return false;
}

bool request_check_args(const json_t *args, const struct request_arg *table, char *why)
{
    const char *known[16] = {NULL};

    for (size_t i = 0; table[i].name != NULL && i + 1 < sizeof known / sizeof known[0]; i++) {
        const struct request_arg *arg = &table[i];
        const json_t *value = json_object_get(args, arg->name);
        known[i] = arg->name;
        if (value == NULL && arg->required) {
            snprintf(why, REQUEST_ERROR, "argument '%s' is missing", arg->name);
            return false;
        }
        if (value != NULL && arg->type == ARG_STRING && !json_is_string(value)) {
            snprintf(why, REQUEST_ERROR, "argument '%s' must be a string", arg->name);
            return false;
        }
        if (value != NULL && arg->type == ARG_UINT && (!json_is_integer(value) || json_integer_value(value) < 0)) {
            snprintf(why, REQUEST_ERROR, "argument '%s' must be a whole number, 0 or above", arg->name);
            return false;
        }
    }
    const char *bad = unknown_key(args, known);
    if (bad != NULL)
        snprintf(why, REQUEST_ERROR, "unknown argument '%.64s'", bad);
    return bad == NULL;
}

const char *request_string(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

uint64_t request_uint(const json_t *args, const char *name, uint64_t otherwise)
{
    const json_t *value = json_object_get(args, name);

    return value == NULL ? otherwise : (uint64_t)json_integer_value(value);
}
