/* SPDX-License-Identifier: BSD-3-Clause */
/* `max-prefix` of a peer: one number for each of its families, or a map of families and numbers. */
#include <stddef.h>
#include <string.h>

#include "conf/schema.h"

static const char WANTS[] = "1 to 16000000 rules or routes of one family";

static const struct cfg_key NUMBER = {
    .name = "max-prefix", .set = cfg_set_uint32, .wants = WANTS, .min = 1, .max = 16000000};

static void set_all(struct cfg_reader *reader, const struct cfg_node *node, uint32_t *limits)
{
    uint32_t limit = 0;

    cfg_set_uint32(reader, &NUMBER, node, &limit);
    for (unsigned i = 0; i < CFG_FAMILY_COUNT; i++)
        limits[i] = limit;
}

static const struct cfg_choice *family_named(const char *name)
{
    const struct cfg_choice *choice = cfg_families;

    while (choice->word != NULL && (name == NULL || strcmp(choice->word, name) != 0))
        choice++;
    return choice->word != NULL ? choice : NULL;
}

void cfg_set_max_prefix(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    uint32_t *limits = field;

    if (node->kind == CFG_NODE_BAD)
        return;
    if (node->kind == CFG_NODE_TEXT && !cfg_node_empty(node)) {
        set_all(reader, node, limits);
        return;
    }
    if (node->kind != CFG_NODE_MAP) {
        cfg_problem_value(reader, key, node);
        return;
    }
    for (const struct cfg_node *child = node->first; child != NULL; child = child->next) {
        const struct cfg_choice *family = family_named(child->key);
        if (family == NULL)
            cfg_problem_add(&reader->problems, child->line, "max-prefix: '%s' is no family; such a one is ipv4-unicast",
                            child->key != NULL ? child->key : "");
        else
            cfg_set_uint32(reader, &NUMBER, child, &limits[__builtin_ctz(family->value)]);
    }
}
