/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of a file, in the order in which they are announced: by family and actions, and within these by line.
 */
#ifndef FGINJECT_RULES_H
#define FGINJECT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flowspec/actions.h"
#include "flowspec/rule.h"

struct rule_item {
    struct fs_rule *rule;
    uint32_t family; /* enum bgp_family */
    uint32_t line;
    struct fs_ext_comms comms;
};

struct rule_file {
    struct rule_item *items;
    size_t count, room;
    uint32_t families;
};

/* Reads `path` (- is stdin). Every bad line is named on stderr as PATH:LINE:COLUMN; false when there was one. */
bool rule_file_read(struct rule_file *file, const char *path, uint32_t local_as);
void rule_file_free(struct rule_file *file);

/* Whether two rules can share an UPDATE. */
bool rule_items_alike(const struct rule_item *a, const struct rule_item *b);

#endif
