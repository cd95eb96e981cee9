/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

#define FIELDS       9
#define FIELD_OCTETS 1536 /* nine of them: two numbers, and of the texts two are long */
#define WORD_OCTETS  128

/* FNV-1a: enough to tell a torn line from a whole one. */
static uint32_t checksum(const char *text, size_t len)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (uint8_t)text[i]) * 16777619u;
    return sum;
}

void journal_line_head(const char *fields, size_t len, char out[JOURNAL_HEAD_OCTETS + 1])
{
    snprintf(out, JOURNAL_HEAD_OCTETS + 1, "%08" PRIx32 " ", checksum(fields, len));
}

bool journal_line_whole(const char *line, size_t len)
{
    char head[JOURNAL_HEAD_OCTETS + 1];
    unsigned tabs = 0;

    if (len <= JOURNAL_HEAD_OCTETS || len >= JOURNAL_LINE_OCTETS + JOURNAL_HEAD_OCTETS)
        return false;
    journal_line_head(line + JOURNAL_HEAD_OCTETS, len - JOURNAL_HEAD_OCTETS, head);
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\0')
            return false;
        tabs += line[i] == '\t';
    }
    return tabs == FIELDS - 1 && memcmp(head, line, JOURNAL_HEAD_OCTETS) == 0;
}

/* Cut where it is long, and nothing in it that ends a field or a line or drives a terminal. */
static void add_field(struct strbuf *out, const char *from, size_t most)
{
    char text[FIELD_OCTETS];

    snprintf(text, most, "%s", from);
    if (strlen(from) >= most)
        strcpy(&text[most - 4], "...");
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    sb_printf(out, "\t%s", text);
}

void journal_line_format(const struct journal_entry *entry, char out[JOURNAL_LINE_OCTETS])
{
    struct strbuf line = sb_init(out, JOURNAL_LINE_OCTETS);
    const char *words[] = {entry->event, entry->peer, entry->state, entry->step, entry->by},
               *texts[] = {entry->text, entry->reason};

    sb_printf(&line, "%" PRIu64 "\t%" PRIu32, entry->time_ms, entry->rule);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        add_field(&line, words[i] != NULL ? words[i] : "", WORD_OCTETS);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add_field(&line, texts[i] != NULL ? texts[i] : "", FIELD_OCTETS);
}

bool journal_line_parse(char *fields, struct journal_entry *out)
{
    const char *field[FIELDS];
    char *rest = fields;

    for (unsigned i = 0; i < FIELDS; i++) {
        field[i] = strsep(&rest, "\t");
        if (field[i] == NULL)
            return false;
    }
    if (rest != NULL)
        return false; /* more fields than there are */
    *out = (struct journal_entry){.time_ms = strtoull(field[0], NULL, 10),
                                  .rule = (uint32_t)strtoul(field[1], NULL, 10),
                                  .event = field[2],
                                  .peer = field[3],
                                  .state = field[4],
                                  .step = field[5],
                                  .by = field[6],
                                  .text = field[7],
                                  .reason = field[8]};
    return true;
}
