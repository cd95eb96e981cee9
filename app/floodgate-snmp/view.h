/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the router said, made ready for the tables of the MIB: rows in the order of their indices. Never changed once it
 * is made, so that the thread that made it and the one that reads it share it by counted references. Pure.
 */
#ifndef FLOODGATE_SNMP_VIEW_H
#define FLOODGATE_SNMP_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define INDEX_TEXT_MOST 96 /* octets of a name that is an index: an OID has 128 arcs at most */

/* An object of the API under a name that is its index. */
struct named {
    char name[INDEX_TEXT_MOST + 1];
    const json_t *json; /* borrowed of the view */
};

struct state_view {
    atomic_uint refs;
    json_t *status, *ports, *peers; /* only read: their own reference counts are touched by the maker and the last */
    struct named *peer_rows, *drop_rows;
    size_t peer_count, drop_count;
};

/* Takes the three, answers of the commands of the same names. NULL when memory is short; they are taken even so. */
struct state_view *state_view_create(json_t *status, json_t *ports, json_t *peers);
struct state_view *state_view_hold(struct state_view *view);
void state_view_drop(struct state_view *view); /* NULL is fine */

struct rule_row {
    uint32_t id, rank;
    uint8_t family, state; /* as the MIB numbers them; 0: none of those it knows */
    uint64_t packets, octets, dropped_packets, dropped_octets;
    char *match; /* owned: the other texts are behind it in the same piece of memory */
    const char *actions, *reason, *source;
};

struct rule_view {
    atomic_uint refs;
    size_t count, room;
    struct rule_row *rows; /* by id */
};

struct rule_view *rule_view_create(void);
struct rule_view *rule_view_hold(struct rule_view *view);
void rule_view_drop(struct rule_view *view); /* NULL is fine */

/* Adds a rule of the API; then, once, sorts them. False when memory is short: the rule is not in it. */
bool rule_view_add(struct rule_view *view, const json_t *rule);
void rule_view_sort(struct rule_view *view);

#endif
