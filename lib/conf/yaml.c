/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libyaml's events -> a tree of nodes. Iterative, with a stack of CFG_YAML_DEPTH levels: the input is not trusted to
 * be shallow.
 */
#include "conf/tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

/* Nodes and texts live and die together: bump allocation in blocks. */
struct cfg_block {
    struct cfg_block *next;
    size_t used;
    size_t size;
    _Alignas(16) char octets[];
};

struct builder {
    struct cfg_tree *tree;
    struct cfg_problems *problems;
    struct cfg_node *stack[CFG_YAML_DEPTH]; /* open collections */
    size_t depth;
    const char *key; /* of the value that comes next, where the open collection is a map */
    unsigned key_line;
    bool key_bad; /* the key was no text: its value is read and dropped */
    size_t documents;
};

static void *tree_alloc(struct cfg_tree *tree, size_t size)
{
    static const size_t BLOCK = 64 * 1024;
    struct cfg_block *block = tree->blocks;

    size = (size + 15) & ~(size_t)15;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        block = malloc(sizeof *block + room);
        if (!block)
            return NULL;
        *block = (struct cfg_block){.next = tree->blocks, .size = room};
        tree->blocks = block;
    }
    void *octets = block->octets + block->used;
    block->used += size;
    return octets;
}

void cfg_tree_free(struct cfg_tree *tree)
{
    while (tree->blocks) {
        struct cfg_block *block = tree->blocks;
        tree->blocks = block->next;
        free(block);
    }
    *tree = (struct cfg_tree){0};
}

static unsigned event_line(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static struct cfg_node *builder_top(struct builder *b)
{
    return b->depth ? b->stack[b->depth - 1] : NULL;
}

/* Whether the next node is a key. */
static bool builder_wants_key(struct builder *b)
{
    struct cfg_node *top = builder_top(b);

    return top && top->kind == CFG_NODE_MAP && !b->key && !b->key_bad;
}

/* A node of this kind, hung into the open collection. NULL after a problem that ends the reading. */
static struct cfg_node *builder_add(struct builder *b, enum cfg_node_kind kind, const yaml_event_t *event)
{
    struct cfg_node *top = builder_top(b);

    if (b->tree->nodes >= CFG_YAML_NODES) {
        cfg_problem_add(b->problems, event_line(event), "more than %u values: too many for one file", CFG_YAML_NODES);
        return NULL;
    }
    struct cfg_node *node = tree_alloc(b->tree, sizeof *node);
    if (!node) {
        cfg_problem_add(b->problems, 0, "out of memory");
        return NULL;
    }
    b->tree->nodes++;
    *node = (struct cfg_node){.kind = kind, .line = event_line(event), .value_line = event_line(event)};
    if (!top) {
        b->tree->root = node;
        return node;
    }
    if (top->kind == CFG_NODE_MAP) {
        bool drop = b->key_bad;
        node->key = b->key;
        node->line = b->key_line;
        b->key = NULL;
        b->key_bad = false;
        if (drop)
            return node;
    }
    if (top->last)
        top->last->next = node;
    else
        top->first = node;
    top->last = node;
    top->count++;
    return node;
}

/* Anchors and tags, reported: true when there was one. */
static bool builder_refuse_marks(struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
                                 const yaml_char_t *tag)
{
    char quoted[CFG_QUOTE_SIZE];

    if (anchor)
        cfg_problem_add(b->problems, event_line(event),
                        "YAML anchors ('&name') are not taken: put text that starts with '&' in quotes, and write "
                        "repeated parts out");
    if (tag)
        cfg_problem_add(b->problems, event_line(event),
                        "YAML tags (%s) are not taken: put text that starts with '!' in quotes",
                        cfg_quote((const char *)tag, quoted));
    return anchor || tag;
}

static bool builder_text(struct builder *b, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    bool nul = memchr(value, '\0', len) != NULL;
    bool implicit = event->data.scalar.plain_implicit || event->data.scalar.quoted_implicit;
    bool is_key = builder_wants_key(b);

    bool bad = builder_refuse_marks(b, event, event->data.scalar.anchor, implicit ? NULL : event->data.scalar.tag);
    if (nul)
        cfg_problem_add(b->problems, event_line(event), "a NUL character ('\\0') in a text: take it out");
    char *text = tree_alloc(b->tree, len + 1);
    if (!text) {
        cfg_problem_add(b->problems, 0, "out of memory");
        return false;
    }
    memcpy(text, value, len);
    text[len] = '\0';
    if (is_key) {
        b->key = nul ? NULL : text;
        b->key_bad = nul;
        b->key_line = event_line(event);
        return true;
    }
    struct cfg_node *node = builder_add(b, nul || bad ? CFG_NODE_BAD : CFG_NODE_TEXT, event);
    if (!node)
        return false;
    node->text = text;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return true;
}

static bool builder_open(struct builder *b, enum cfg_node_kind kind, const yaml_event_t *event)
{
    const yaml_char_t *anchor =
        kind == CFG_NODE_MAP ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag = kind == CFG_NODE_MAP ? event->data.mapping_start.tag : event->data.sequence_start.tag;

    if (builder_wants_key(b)) {
        cfg_problem_add(b->problems, event_line(event),
                        "a key must be text, not %s: a '%c' that starts a text needs quotes",
                        kind == CFG_NODE_MAP ? "a map" : "a list", kind == CFG_NODE_MAP ? '{' : '[');
        return false;
    }
    if (b->depth == CFG_YAML_DEPTH) {
        cfg_problem_add(b->problems, event_line(event), "nested more than %d levels deep", CFG_YAML_DEPTH);
        return false;
    }
    builder_refuse_marks(b, event, anchor, tag);
    struct cfg_node *node = builder_add(b, kind, event);
    if (!node)
        return false;
    b->stack[b->depth++] = node;
    return true;
}

struct key_ref {
    struct cfg_node *node;
    size_t position;
};

static int key_compare(const void *left, const void *right)
{
    const struct key_ref *a = left;
    const struct key_ref *b = right;
    int order = strcmp(a->node->key, b->node->key);

    return order ? order : a->position < b->position ? -1 : a->position > b->position;
}

/* Reports each key that the map has already had, and takes that entry out of further judgement. */
static bool builder_check_keys(struct builder *b, struct cfg_node *map)
{
    char quoted[CFG_QUOTE_SIZE];
    size_t count = 0;

    if (map->count < 2)
        return true;
    struct key_ref *keys = calloc(map->count, sizeof *keys);
    if (!keys) {
        cfg_problem_add(b->problems, 0, "out of memory");
        return false;
    }
    for (struct cfg_node *node = map->first; node; node = node->next) {
        keys[count] = (struct key_ref){.node = node, .position = count};
        count++;
    }
    qsort(keys, count, sizeof keys[0], key_compare);
    for (size_t i = 1, first = 0; i < count; i++) {
        if (strcmp(keys[i].node->key, keys[first].node->key) != 0) {
            first = i;
            continue;
        }
        keys[i].node->kind = CFG_NODE_BAD;
        cfg_problem_add(b->problems, keys[i].node->line, "%s is given twice; the first is on line %u",
                        cfg_quote(keys[i].node->key, quoted), keys[first].node->line);
    }
    free(keys);
    return true;
}

static bool builder_close(struct builder *b)
{
    struct cfg_node *node = b->stack[--b->depth];

    return node->kind != CFG_NODE_MAP || builder_check_keys(b, node);
}

/* Takes one event. False when reading must end. */
static bool builder_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->documents++ == 0)
            return true;
        cfg_problem_add(b->problems, event_line(event),
                        "a second document ('---') starts here: one file holds one configuration");
        return false;
    case YAML_ALIAS_EVENT:
        cfg_problem_add(b->problems, event_line(event),
                        "YAML aliases ('*name') are not taken: put text that starts with '*' in quotes, and write "
                        "repeated parts out");
        if (builder_wants_key(b)) {
            b->key_bad = true;
            b->key_line = event_line(event);
            return true;
        }
        return builder_add(b, CFG_NODE_BAD, event) != NULL;
    case YAML_SCALAR_EVENT:
        return builder_text(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return builder_open(b, CFG_NODE_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return builder_open(b, CFG_NODE_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return builder_close(b);
    default:
        return true;
    }
}

bool cfg_yaml_parse(const char *text, size_t len, struct cfg_tree *tree, struct cfg_problems *problems)
{
    struct builder b = {.tree = tree, .problems = problems};
    yaml_parser_t parser;
    bool go_on = true;

    *tree = (struct cfg_tree){0};
    if (!yaml_parser_initialize(&parser)) {
        cfg_problem_add(problems, 0, "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    for (bool end = false; go_on && !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            cfg_yaml_explain(&parser, text, len, problems);
            go_on = false;
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        go_on = builder_event(&b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return go_on;
}

bool cfg_node_empty(const struct cfg_node *node)
{
    return node->kind == CFG_NODE_TEXT && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

const char *cfg_node_quote(const struct cfg_node *node, char *out)
{
    switch (node->kind) {
    case CFG_NODE_LIST:
        return "a list";
    case CFG_NODE_MAP:
        return "a map";
    default:
        return cfg_quote(node->text ? node->text : "", out);
    }
}
