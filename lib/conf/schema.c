/* SPDX-License-Identifier: BSD-3-Clause */
/* Walks a tree of nodes along tables of keys. */
#include "conf/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

/* Remembers where a field came from. Without memory the message falls back to a line nearby. */
static void reader_note(struct cfg_reader *reader, const struct cfg_key *key, const void *field, unsigned line)
{
    if (key->set == cfg_set_map)
        return; /* has the address of its first field, which has a line of its own */
    if (reader->field_count == reader->field_room) {
        size_t room = reader->field_room ? reader->field_room * 2 : 64;
        struct cfg_field_line *fields = realloc(reader->fields, room * sizeof *fields);
        if (!fields)
            return;
        reader->fields = fields;
        reader->field_room = room;
    }
    reader->fields[reader->field_count++] = (struct cfg_field_line){.field = field, .line = line};
    reader->fields_sorted = false;
}

static int field_compare(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)((const struct cfg_field_line *)left)->field;
    uintptr_t b = (uintptr_t)((const struct cfg_field_line *)right)->field;

    return a < b ? -1 : a > b;
}

unsigned cfg_line_of(struct cfg_reader *reader, const void *field, unsigned otherwise)
{
    struct cfg_field_line wanted = {.field = field};

    if (reader->field_count == 0)
        return otherwise;
    if (!reader->fields_sorted)
        qsort(reader->fields, reader->field_count, sizeof reader->fields[0], field_compare);
    reader->fields_sorted = true;

    const struct cfg_field_line *found =
        bsearch(&wanted, reader->fields, reader->field_count, sizeof wanted, field_compare);
    return found ? found->line : otherwise;
}

static const char *choice_word(const void *choices, size_t i)
{
    return ((const struct cfg_choice *)choices)[i].word;
}

const char *cfg_key_wants(const struct cfg_key *key, char *out)
{
    struct strbuf sb = sb_init(out, CFG_WANTS_SIZE);

    if (key->wants) {
        sb_text(&sb, key->wants);
    } else if (key->choices) {
        for (size_t i = 0; key->choices[i].word; i++)
            sb_printf(&sb, "%s%s", i == 0 ? "" : key->choices[i + 1].word ? ", " : " or ", key->choices[i].word);
    } else if (key->max > 0) {
        sb_printf(&sb, "%llu to %llu", (unsigned long long)key->min, (unsigned long long)key->max);
        if (key->unit)
            sb_printf(&sb, " %s", key->unit);
    } else if (key->item) {
        sb_text(&sb, "a list");
    } else if (key->map) {
        sb_text(&sb, "a map of keys");
    } else {
        sb_text(&sb, "a text");
    }
    return out;
}

void cfg_problem_value(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node)
{
    char wants[CFG_WANTS_SIZE];
    char quoted[CFG_QUOTE_SIZE];
    char hint[80];
    const char *meant = NULL;

    if (key->choices && node->kind == CFG_NODE_TEXT)
        meant = cfg_suggest(node->text, choice_word, key->choices);
    bool glued = key->map && node->kind == CFG_NODE_TEXT && strchr(node->text, ':');
    struct strbuf sb = sb_init(hint, sizeof hint);
    if (meant)
        sb_printf(&sb, "; did you mean '%s'?", meant);
    else if (glued)
        sb_text(&sb, "; a blank belongs after ':'");
    cfg_problem_add(&reader->problems, node->value_line, "%s: %s, not %s%s", key->name, cfg_key_wants(key, wants),
                    cfg_node_quote(node, quoted), hint);
}

const char *cfg_node_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node)
{
    char wants[CFG_WANTS_SIZE];

    if (node->kind == CFG_NODE_BAD)
        return NULL;
    if (cfg_node_empty(node)) {
        cfg_problem_add(&reader->problems, node->line, "%s%s; it takes %s", key->name,
                        node->key ? " has no value" : ": an empty entry", cfg_key_wants(key, wants));
        return NULL;
    }
    if (node->kind != CFG_NODE_TEXT) {
        cfg_problem_value(reader, key, node);
        return NULL;
    }
    return node->text;
}

bool cfg_map_has(const struct cfg_node *map, const char *key)
{
    for (const struct cfg_node *node = map->first; node; node = node->next) {
        if (strcmp(node->key, key) == 0)
            return true;
    }
    return false;
}

static const char *key_word(const void *map, size_t i)
{
    const struct cfg_map *of = map;

    return i < of->key_count ? of->keys[i].name : NULL;
}

/* The section that has a key of this name, or NULL. */
static const char *section_of(const char *name)
{
    for (size_t s = 0; s < cfg_root_map.key_count; s++) {
        const struct cfg_map *map = cfg_root_map.keys[s].map;
        for (size_t i = 0; map && i < map->key_count; i++) {
            if (strcmp(map->keys[i].name, name) == 0)
                return map->title;
        }
    }
    return NULL;
}

static void map_unknown_key(struct cfg_reader *reader, const struct cfg_map *map, const struct cfg_node *node)
{
    char quoted[CFG_QUOTE_SIZE];
    char known[CFG_PROBLEM_SIZE];
    const char *meant = cfg_suggest(node->key, key_word, map);
    const char *section = section_of(node->key);
    struct strbuf sb = sb_init(known, sizeof known);

    if (section) {
        sb_printf(&sb, "it is a key of %s", section);
    } else if (meant) {
        sb_printf(&sb, "did you mean '%s'?", meant);
    } else {
        sb_text(&sb, "it takes ");
        for (size_t i = 0; i < map->key_count; i++)
            sb_printf(&sb, "%s%s", i ? ", " : "", map->keys[i].name);
    }
    cfg_problem_add(&reader->problems, node->line, "unknown key %s in %s; %s", cfg_quote(node->key, quoted), map->title,
                    known);
}

/* A key that the file does not give: its default, or a problem. */
static void map_default(struct cfg_reader *reader, const struct cfg_map *map, const struct cfg_key *key,
                        const struct cfg_node *node, void *field)
{
    char wants[CFG_WANTS_SIZE];

    if (key->required) {
        cfg_problem_add(&reader->problems, node->line, "'%s' is missing in %s: %s", key->name, map->title,
                        cfg_key_wants(key, wants));
    } else if (key->map && key->set == cfg_set_map) {
        /* an absent section has its keys' defaults */
        struct cfg_node empty = {.kind = CFG_NODE_MAP};
        if (!key->map->has_line)
            key->set(reader, key, &empty, field);
    } else if (key->fallback) {
        struct cfg_node text = {.kind = CFG_NODE_TEXT, .text = key->fallback};
        key->set(reader, key, &text, field);
    }
}

void cfg_set_map(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *object)
{
    const struct cfg_map *map = key->map;
    struct cfg_node empty = *node;

    if (node->kind == CFG_NODE_BAD)
        return;
    if (cfg_node_empty(node)) { /* a section with all its keys commented out */
        empty = (struct cfg_node){.kind = CFG_NODE_MAP, .line = node->line, .value_line = node->value_line};
        node = &empty;
    }
    if (node->kind != CFG_NODE_MAP) {
        cfg_problem_value(reader, key, node);
        return;
    }
    if (map->has_line)
        *(unsigned *)((char *)object + map->line_offset) = node->line;
    for (const struct cfg_node *child = node->first; child; child = child->next) {
        size_t i = 0;
        while (i < map->key_count && strcmp(map->keys[i].name, child->key) != 0)
            i++;
        if (child->kind == CFG_NODE_BAD)
            continue;
        if (i == map->key_count) {
            map_unknown_key(reader, map, child);
            continue;
        }
        void *field = (char *)object + map->keys[i].offset;
        reader_note(reader, &map->keys[i], field, child->line);
        map->keys[i].set(reader, &map->keys[i], child, field);
    }
    for (size_t i = 0; i < map->key_count; i++) {
        if (!cfg_map_has(node, map->keys[i].name))
            map_default(reader, map, &map->keys[i], node, (char *)object + map->keys[i].offset);
    }
    if (map->finish)
        map->finish(reader, node, object);
}

/* An array for the node's entries at `field`, and its count next to it. NULL when there is nothing to read. */
static char *list_alloc(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    if (node->count == 0)
        return NULL;
    if (key->max_items > 0 && node->count > key->max_items) {
        cfg_problem_add(&reader->problems, node->line, "%s: at most %zu entries, not %zu", key->name, key->max_items,
                        node->count);
        return NULL;
    }
    void *array = calloc(node->count, key->item_size);
    if (!array) {
        cfg_problem_add(&reader->problems, 0, "out of memory");
        return NULL;
    }
    memcpy(field, &array, sizeof array);
    *(size_t *)((char *)field + (key->count_offset - key->offset)) = node->count;
    return array;
}

void cfg_set_list(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    if (node->kind == CFG_NODE_BAD || cfg_node_empty(node))
        return; /* `rules:` with every entry commented out is an empty list */
    if (node->kind != CFG_NODE_LIST) {
        cfg_problem_value(reader, key, node);
        return;
    }
    char *array = list_alloc(reader, key, node, field);
    if (!array)
        return;
    for (const struct cfg_node *child = node->first; child; child = child->next, array += key->item_size) {
        reader_note(reader, key->item, array, child->line);
        key->item->set(reader, key->item, child, array);
    }
}

void cfg_set_table(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    char quoted[CFG_QUOTE_SIZE];

    if (node->kind == CFG_NODE_BAD || cfg_node_empty(node))
        return;
    if (node->kind != CFG_NODE_MAP) {
        cfg_problem_value(reader, key, node);
        return;
    }
    char *array = list_alloc(reader, key, node, field);
    if (!array)
        return;
    for (const struct cfg_node *child = node->first; child; child = child->next, array += key->item_size) {
        if (child->kind == CFG_NODE_BAD)
            continue;
        if (!cfg_name_ok(child->key))
            cfg_problem_add(&reader->problems, child->line, "%s: a name is %s, not %s", key->name, cfg_name_wants,
                            cfg_quote(child->key, quoted));
        char *name = strdup(child->key);
        if (!name) {
            cfg_problem_add(&reader->problems, 0, "out of memory");
            return;
        }
        memcpy(array, &name, sizeof name);
        key->item->set(reader, key->item, child, array);
    }
}
