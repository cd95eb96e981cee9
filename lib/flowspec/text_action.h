/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions as text, reading side. Private to lib/flowspec.
 */
#ifndef FLOWSPEC_TEXT_ACTION_H
#define FLOWSPEC_TEXT_ACTION_H

#include "flowspec/text_lex.h"

/* Reads the actions behind the word `then`, one at least, to the end of the text. `out` comes in all zero. */
bool fs_actions_parse(struct fs_lexer *lexer, struct fs_word then, struct fs_actions *out);

/* Rates as text: the largest unit that gives a whole number, else enough digits to come back as the same float. */
void fs_rate_bytes_format(float rate_bytes_per_s, struct strbuf *out);
void fs_rate_packets_format(float rate_packets_per_s, struct strbuf *out);

/* Reads either kind. NULL, or why the word is no rate. */
const char *fs_rate_parse(struct fs_word word, float *rate, bool *is_packets);

#endif
