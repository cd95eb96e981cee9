/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Expressions of components as text: prefixes and operator lists. Private to lib/flowspec.
 */
#ifndef FLOWSPEC_TEXT_TERMS_H
#define FLOWSPEC_TEXT_TERMS_H

#include "flowspec/text_lex.h"

/* Reads a prefix and says of which family it is. */
bool fs_prefix_parse(const struct fs_lexer *lexer, struct fs_word word, struct fs_component *out, uint8_t *family);

/* Reads an operator list and appends its terms to `terms`, of which `*count` are used and FS_TERMS_MAX exist. */
bool fs_terms_parse(const struct fs_lexer *lexer, struct fs_word word, uint8_t family, struct fs_component *out,
                    struct fs_term *terms, unsigned *count);

#endif
