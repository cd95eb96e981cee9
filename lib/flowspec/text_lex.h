/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words of a rule text, numbers in them, and errors that know their column. Private to lib/flowspec.
 */
#ifndef FLOWSPEC_TEXT_LEX_H
#define FLOWSPEC_TEXT_LEX_H

#include "flowspec/text.h"
#include "flowspec/types.h"

/* A piece of the text, not terminated. `len` is 0 at the end of the text. */
struct fs_word {
    const char *at;
    size_t len;
};

struct fs_lexer {
    const char *start;
    const char *at;
    struct fs_text_error *error;
};

/* The next word between blanks; `len` 0 when there is none left. */
struct fs_word fs_lex_next(struct fs_lexer *lexer);

/* The same without taking it. */
struct fs_word fs_lex_peek(const struct fs_lexer *lexer);

bool fs_word_is(struct fs_word word, const char *text);

/* Copies the word, terminated; false when `size` does not hold it. */
bool fs_word_copy(struct fs_word word, char *out, size_t size);

/* Takes `text` off the front of the word if it is there. */
bool fs_word_skip(struct fs_word *word, const char *text);

/* A whole word as a number, decimal or 0x hexadecimal, up to 64 bits. */
bool fs_word_number(struct fs_word word, uint64_t *out);

/* The value of that name in a table that a NULL name ends (table NULL: none). */
bool fs_word_name(struct fs_word word, const struct fs_name *names, uint64_t *out);

/* Fills in the error: "SUBJECT WORD: why", its column that of `word`. An empty subject is left out. Always false. */
__attribute__((format(printf, 4, 5))) bool fs_lex_fail(const struct fs_lexer *lexer, const char *subject,
                                                       struct fs_word word, const char *fmt, ...);

/* The names of a table with blanks between them. */
void fs_names_list(const struct fs_name *names, struct strbuf *out);

#endif
