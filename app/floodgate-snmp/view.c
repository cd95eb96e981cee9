/* SPDX-License-Identifier: BSD-3-Clause */
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "member.h"

/* ---- the state ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Sorts, and leaves out what is the same as another once names are cut: an index is of one row. */
static size_t sort_unique(struct named *rows, size_t count)
{
    size_t kept = 0;

    qsort(rows, count, sizeof *rows, by_name);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(rows[kept - 1].name, rows[i].name) != 0)
            rows[kept++] = rows[i];
    return kept;
}

static void set_name(struct named *row, const char *name, const json_t *json)
{
    snprintf(row->name, sizeof row->name, "%s", name);
    row->json = json;
}

static bool list_peers(struct state_view *view)
{
    size_t count = json_array_size(view->peers);

    view->peer_rows = calloc(count + 1, sizeof *view->peer_rows);
    if (view->peer_rows == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *peer = json_array_get(view->peers, i);
        set_name(&view->peer_rows[i], member_text(peer, "name"), peer);
    }
    view->peer_count = sort_unique(view->peer_rows, count);
    return true;
}

static bool list_drops(struct state_view *view)
{
    json_t *drops = json_object_get(json_object_get(view->status, "counters"), "drops"), *value;
    const char *name;
    size_t count = 0;

    view->drop_rows = calloc(json_object_size(drops) + 1, sizeof *view->drop_rows);
    if (view->drop_rows == NULL)
        return false;
    json_object_foreach(drops, name, value) set_name(&view->drop_rows[count++], name, value);
    view->drop_count = sort_unique(view->drop_rows, count);
    return true;
}

struct state_view *state_view_create(json_t *status, json_t *ports, json_t *peers)
{
    struct state_view *view = calloc(1, sizeof *view);

    if (view == NULL) {
        json_decref(status);
        json_decref(ports);
        json_decref(peers);
        return NULL;
    }
    atomic_init(&view->refs, 1);
    view->status = status;
    view->ports = ports;
    view->peers = peers;
    if (list_peers(view) && list_drops(view))
        return view;
    state_view_drop(view);
    return NULL;
}

struct state_view *state_view_hold(struct state_view *view)
{
    if (view != NULL)
        atomic_fetch_add(&view->refs, 1);
    return view;
}

void state_view_drop(struct state_view *view)
{
    if (view == NULL || atomic_fetch_sub(&view->refs, 1) > 1)
        return;
    json_decref(view->status);
    json_decref(view->ports);
    json_decref(view->peers);
    free(view->peer_rows);
    free(view->drop_rows);
    free(view);
}

/* ---- the rules ---- */

struct rule_view *rule_view_create(void)
{
    struct rule_view *view = calloc(1, sizeof *view);

    if (view != NULL)
        atomic_init(&view->refs, 1);
    return view;
}

struct rule_view *rule_view_hold(struct rule_view *view)
{
    if (view != NULL)
        atomic_fetch_add(&view->refs, 1);
    return view;
}

void rule_view_drop(struct rule_view *view)
{
    if (view == NULL || atomic_fetch_sub(&view->refs, 1) > 1)
        return;
    for (size_t i = 0; i < view->count; i++)
        free(view->rows[i].match);
    free(view->rows);
    free(view);
}

/* 1 for the first of the words, 0 for none of them. */
static uint8_t number_of(const char *word, const char *const *words)
{
    for (uint8_t i = 0; words[i] != NULL; i++)
        if (strcmp(word, words[i]) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

/* The actions, separated by blanks; the caller's to free. */
static char *join_actions(const json_t *actions)
{
    size_t size = 1, used = 0;

    for (size_t i = 0; i < json_array_size(actions); i++)
        size += json_string_length(json_array_get(actions, i)) + 1;
    char *text = malloc(size);
    for (size_t i = 0; text != NULL && i < json_array_size(actions); i++) {
        const char *action = json_string_value(json_array_get(actions, i));
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "", action != NULL ? action : "");
    }
    if (text != NULL)
        text[used] = '\0';
    return text;
}

static const char *source_of(const json_t *rule)
{
    const char *kind = member_text(rule, "source.kind");

    if (strcmp(kind, "bgp") == 0)
        return member_text(rule, "source.peer");
    return strcmp(kind, "config") == 0 ? "configuration" : "operator";
}

/* Copies a text behind the others of a row. */
static const char *put(char **to, const char *text)
{
    size_t len = strlen(text) + 1;
    const char *at = *to;

    memcpy(*to, text, len);
    *to += len;
    return at;
}

static bool set_texts(struct rule_row *row, const json_t *rule)
{
    const char *match = member_text(rule, "match"), *reason = member_text(rule, "reason"), *source = source_of(rule);
    char *actions = join_actions(member(rule, "actions")), *room = NULL;

    if (actions != NULL)
        room = malloc(strlen(match) + strlen(actions) + strlen(reason) + strlen(source) + 4);
    if (room != NULL) {
        row->match = room;
        put(&room, match);
        row->actions = put(&room, actions);
        row->reason = put(&room, reason);
        row->source = put(&room, source);
    }
    free(actions);
    return row->match != NULL;
}

bool rule_view_add(struct rule_view *view, const json_t *rule)
{
    static const char *const FAMILIES[] = {"ipv4", "ipv6", NULL};
    static const char *const STATES[] = {"active", "rejected", "held",         "suspended", "never-matches",
                                         "stale",  "dry-run",  "not-imported", NULL};
    struct rule_row row = {.id = (uint32_t)member_uint(rule, "id"),
                           .rank = (uint32_t)member_uint(rule, "rank"),
                           .family = number_of(member_text(rule, "family"), FAMILIES),
                           .state = number_of(member_text(rule, "state"), STATES),
                           .packets = member_uint(rule, "packets"),
                           .octets = member_uint(rule, "bytes"),
                           .dropped_packets = member_uint(rule, "dropped_packets"),
                           .dropped_octets = member_uint(rule, "dropped_bytes")};

    if (view->count == view->room) {
        size_t room = view->room > 0 ? 2 * view->room : 256;
        struct rule_row *more = realloc(view->rows, room * sizeof *more);
        if (more == NULL)
            return false;
        view->rows = more;
        view->room = room;
    }
    if (row.id == 0 || !set_texts(&row, rule))
        return false;
    view->rows[view->count++] = row;
    return true;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const struct rule_row *)a)->id, y = ((const struct rule_row *)b)->id;

    return x < y ? -1 : x > y;
}

void rule_view_sort(struct rule_view *view)
{
    if (view->count > 0)
        qsort(view->rows, view->count, sizeof *view->rows, by_id);
}
