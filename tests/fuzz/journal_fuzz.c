/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of a journal's file, as a crash, a disk or somebody's editor left them. What is taken for whole comes apart
 * into fields without control characters but tabs between them, and formats to a line that comes apart the same way.
 */
#include <stdlib.h>
#include <string.h>

#include "control/journal_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_fields(const char *from, size_t len)
{
    char first[JOURNAL_LINE_OCTETS], fields[JOURNAL_LINE_OCTETS], again[JOURNAL_LINE_OCTETS];
    struct journal_entry entry, back;

    if (len >= sizeof first)
        return;
    memcpy(first, from, len);
    first[len] = '\0';
    if (!journal_line_parse(first, &entry))
        return;
    journal_line_format(&entry, fields);
    require(strlen(fields) < sizeof fields);
    for (const char *c = fields; *c != '\0'; c++)
        require(*c == '\t' || ((unsigned char)*c >= ' ' && *c != 0x7f));
    memcpy(again, fields, sizeof again);
    require(journal_line_parse(again, &back));
    require(back.time_ms == entry.time_ms && back.rule == entry.rule);
    journal_line_format(&back, first);
    require(strcmp(first, fields) == 0);
}

/* What is written is read again, and without its last octet it is not. */
static void check_round_trip(const char *fields, size_t len)
{
    char line[JOURNAL_HEAD_OCTETS + JOURNAL_LINE_OCTETS + 1], text[JOURNAL_LINE_OCTETS];
    struct journal_entry entry;

    if (len >= sizeof text || memchr(fields, '\0', len) != NULL)
        return;
    memcpy(text, fields, len);
    text[len] = '\0';
    if (!journal_line_parse(text, &entry))
        return;
    journal_line_head(fields, len, line);
    memcpy(line + JOURNAL_HEAD_OCTETS, fields, len);
    require(journal_line_whole(line, JOURNAL_HEAD_OCTETS + len));
    require(!journal_line_whole(line, JOURNAL_HEAD_OCTETS + len - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *input = malloc(size + 1); /* exactly as long as the line, so that a read past it shows */

    if (input == NULL)
        return 0;
    memcpy(input, data, size);
    if (journal_line_whole(input, size))
        check_fields(input + JOURNAL_HEAD_OCTETS, size - JOURNAL_HEAD_OCTETS);
    check_fields(input, size);
    if (size > 0)
        check_round_trip(input, size);
    free(input);
    return 0;
}
