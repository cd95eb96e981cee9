/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The schema: tables of keys, walked by one generic reader. A key names its setter (the type), where its value goes,
 * what range or words it takes, whether it is required, and its default as text, read by the same setter.
 *
 * Every message about a value has one shape, `KEY: WHAT IS WANTED, not WHAT IS THERE`; a missing key tells what is
 * wanted with the same words.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "conf/problems.h"
#include "conf/tree.h"

struct cfg_key;
struct cfg_map;

/* Which line a field of struct cfg was read from: cross-references are judged after the tree is gone. */
struct cfg_field_line {
    const void *field;
    unsigned line;
};

struct cfg_reader {
    struct cfg *cfg;
    struct cfg_problems problems;
    struct cfg_field_line *fields;
    size_t field_count;
    size_t field_room;
    bool fields_sorted;
};

/* Reads `node` into `field`. Reports what is wrong and then leaves `field` as it was (zero). */
typedef void (*cfg_set_fn)(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                           void *field);

/* A word of the file and its value; a NULL word ends the table. */
struct cfg_choice {
    const char *word;
    uint32_t value;
};

struct cfg_key {
    const char *name; /* for the entries of a list: the list's name */
    cfg_set_fn set;
    size_t offset; /* of the field */
    bool required;
    const char *fallback; /* default as text; NULL: the field stays zero */
    const char *wants;    /* what would be right; NULL: derived from the limits below */

    uint64_t min, max; /* cfg_set_uint*; max 0: no limits */
    const char *unit;
    const struct cfg_choice *choices; /* cfg_set_choice, cfg_set_choice_bits, cfg_set_choice_text */
    const struct cfg_map *map;        /* cfg_set_map */
    const struct cfg_key *item;       /* cfg_set_list, cfg_set_table */
    size_t item_size;
    size_t count_offset; /* of a list's size_t count, in the same struct as `offset` */
    size_t max_items;    /* 0: no limit */
};

/* A map of known keys, read into a struct. */
struct cfg_map {
    const char *title; /* how messages call it: "dataplane", "a port" */
    const struct cfg_key *keys;
    size_t key_count;
    bool has_line;
    size_t line_offset; /* of `unsigned line`, where has_line */
    /* Judges keys that depend on one another, after all were read; may be NULL. */
    void (*finish)(struct cfg_reader *reader, const struct cfg_node *node, void *object);
};

#define CFG_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* schema.c: the walk */
void cfg_set_map(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *object);
/* A list: `field` is the array's pointer, the count lies (count_offset - offset) octets from it. */
void cfg_set_list(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
/* A map of names that the user chooses, into an array of structs that start with `char *name`. */
void cfg_set_table(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);

/* "KEY: WANTS, not VALUE". */
void cfg_problem_value(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node);
/* The node's text; NULL, reported, when it is a list, a map or nothing. */
const char *cfg_node_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node);
/* What the key takes, in words, into `out`. */
#define CFG_WANTS_SIZE 256
const char *cfg_key_wants(const struct cfg_key *key, char *out);
bool cfg_map_has(const struct cfg_node *map, const char *key);

/* The line that `field` was read from, or `otherwise` when it was not in the file. */
unsigned cfg_line_of(struct cfg_reader *reader, const void *field, unsigned otherwise);

/* values.c: one setter per type of value */
void cfg_set_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_name(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_bool(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_uint8(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_uint16(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_uint32(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_percent(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_choice(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_choice_bits(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                         void *field);
void cfg_set_choice_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                         void *field);
/* Whether `text` is a decimal number without sign, blanks or leading zeros. */
bool cfg_parse_uint(const char *text, uint64_t *out);
bool cfg_name_ok(const char *name);
extern const char cfg_name_wants[];

/* addresses.c: addresses in their forms */
void cfg_set_router_id(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
/* A unicast address of one host. */
void cfg_set_host(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
/* An address to listen on: that, or 0.0.0.0, or ::. */
void cfg_set_local(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_prefix(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_port_address(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                          void *field);
/* ADDRESS:PORT or [ADDRESS]:PORT, kept as text. */
void cfg_set_endpoint(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_mac(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
void cfg_set_route_target(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                          void *field);

/* suggest.c: the word a user may have meant, or NULL; `get` returns the i-th candidate, NULL behind the last. */
typedef const char *(*cfg_word_fn)(const void *words, size_t i);
const char *cfg_suggest(const char *word, cfg_word_fn get, const void *words);

/* One file per section: its keys. */
extern const struct cfg_map cfg_root_map;
extern const struct cfg_map cfg_router_map;
extern const struct cfg_map cfg_dataplane_map;
extern const struct cfg_map cfg_punt_limits_map; /* into an array of limits by enum cfg_punt */
extern const struct cfg_key cfg_port_item;
extern const struct cfg_key cfg_vrf_item;
extern const struct cfg_key cfg_route_item;
extern const struct cfg_key cfg_neighbor_item;
extern const struct cfg_map cfg_bgp_map;
extern const struct cfg_choice cfg_families[];
extern const struct cfg_map cfg_filter_map;
/* max_prefix.c: into an array of CFG_FAMILY_COUNT limits by number of the family's bit. */
void cfg_set_max_prefix(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field);
extern const struct cfg_key cfg_rule_item;
extern const struct cfg_key cfg_policy_item;
extern const struct cfg_key cfg_protect_item;
extern const struct cfg_map cfg_guard_map;
extern const struct cfg_map cfg_journal_map;
extern const struct cfg_map cfg_api_map;
extern const struct cfg_map cfg_sampling_map;

/* check.c: what one section says about another, once all are read. */
void cfg_check(struct cfg_reader *reader);

#endif
