/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * YAML text as a tree of nodes that know their lines. What a value means is the schema's business: here everything
 * is text, a list or a map.
 *
 * Refused, each in plain words: syntax errors, tabs as indentation, duplicate keys, keys that are no text, aliases,
 * anchors, tags, a second document, nesting deeper than CFG_YAML_DEPTH, more than CFG_YAML_NODES nodes.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/problems.h"

#define CFG_FILE_MAX   (64u << 20) /* octets */
#define CFG_YAML_DEPTH 16          /* collections inside one another; the schema needs 5 */
#define CFG_YAML_NODES 4000000u    /* keys are not counted */

enum cfg_node_kind {
    CFG_NODE_TEXT,
    CFG_NODE_LIST,
    CFG_NODE_MAP,
    CFG_NODE_BAD, /* its problem is reported already: not to be judged again */
};

struct cfg_node {
    enum cfg_node_kind kind;
    bool plain;             /* CFG_NODE_TEXT: written without quotes */
    unsigned line;          /* 1-based, where the key stands, or the value itself where it has no key */
    unsigned value_line;    /* where the value starts */
    const char *key;        /* in a map: this entry's key, else NULL */
    const char *text;       /* CFG_NODE_TEXT */
    struct cfg_node *first; /* entries of a list or map, in the order of the file */
    struct cfg_node *last;
    struct cfg_node *next;
    size_t count; /* of entries */
};

struct cfg_tree {
    struct cfg_node *root;    /* NULL: no document in the file */
    struct cfg_block *blocks; /* memory of all nodes and texts */
    size_t nodes;
};

/*
 * Reads `len` octets of text. False when the text ends in a problem after which nothing more can be said about it;
 * lesser problems are reported and leave a tree. Call cfg_tree_free in either case.
 */
bool cfg_yaml_parse(const char *text, size_t len, struct cfg_tree *tree, struct cfg_problems *problems);

void cfg_tree_free(struct cfg_tree *tree);

/* Nothing written: `key:` alone, or `~` or `null`. */
bool cfg_node_empty(const struct cfg_node *node);

/* "a list", "a map", or the text quoted into `out` (CFG_QUOTE_SIZE octets): what a message says was found. */
const char *cfg_node_quote(const struct cfg_node *node, char *out);

/* A syntax error of libyaml (its parser_t is passed as void: only yaml*.c know that library) in plain words. */
void cfg_yaml_explain(const void *parser, const char *text, size_t len, struct cfg_problems *problems);

#endif
