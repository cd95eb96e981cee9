/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line of the journal: a checksum in 8 hex digits, a blank, and fields separated by tabs. A line whose checksum is
 * not its own was torn by a crash or a full disk.
 */
#ifndef FLOODGATE_JOURNAL_LINE_H
#define FLOODGATE_JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "control/journal.h"

#define JOURNAL_LINE_OCTETS 4096 /* of the fields; their end included */
#define JOURNAL_HEAD_OCTETS 9    /* checksum and blank */

/* The fields of an entry. Long texts are cut and end with dots; characters that drive terminals or files become '?'. */
void journal_line_format(const struct journal_entry *entry, char out[JOURNAL_LINE_OCTETS]);

/* Takes fields (a copy that is written to, and that the entry's texts point into) apart. */
bool journal_line_parse(char *fields, struct journal_entry *out);

/* The checksum and the blank, and a '\0'. */
void journal_line_head(const char *fields, size_t len, char out[JOURNAL_HEAD_OCTETS + 1]);

/* Whether a line of a file (without its newline) is whole: then its fields are behind JOURNAL_HEAD_OCTETS. */
bool journal_line_whole(const char *line, size_t len);

#endif
