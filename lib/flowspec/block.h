/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one heap block that a rule is, while it is being filled. Private to lib/flowspec.
 */
#ifndef FLOWSPEC_BLOCK_H
#define FLOWSPEC_BLOCK_H

#include "flowspec/rule.h"

/* The writable view of what a rule points to. */
struct fs_block {
    struct fs_term *terms;
    struct fs_component *components;
    uint8_t *nlri;
};

/* A rule with its counts and pointers set and the rest for the caller to fill; NULL when memory is short. */
struct fs_rule *fs_block_new(unsigned components, unsigned terms, size_t nlri_len, struct fs_block *block);

#endif
