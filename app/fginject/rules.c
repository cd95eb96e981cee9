/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/types.h"
#include "flowspec/order.h"
#include "flowspec/text.h"

#define ERRORS_SHOWN 20

static uint32_t family_of(const struct fs_rule *rule)
{
    uint8_t safi = rule->has_rd ? BGP_SAFI_FLOWSPEC_VPN : BGP_SAFI_FLOWSPEC;

    return bgp_family_of(rule->family == IP_V6 ? BGP_AFI_IPV6 : BGP_AFI_IPV4, safi);
}

static int by_comms(const struct fs_ext_comms *a, const struct fs_ext_comms *b)
{
    if (a->count != b->count)
        return a->count - b->count;
    if (a->count6 != b->count6)
        return a->count6 - b->count6;
    int order = memcmp(a->comms, b->comms, a->count * sizeof a->comms[0]);
    return order != 0 ? order : memcmp(a->comms6, b->comms6, a->count6 * sizeof a->comms6[0]);
}

bool rule_items_alike(const struct rule_item *a, const struct rule_item *b)
{
    return a->family == b->family && by_comms(&a->comms, &b->comms) == 0;
}

static int by_group(const void *x, const void *y)
{
    const struct rule_item *a = x, *b = y;

    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int order = by_comms(&a->comms, &b->comms);
    return order != 0 ? order : a->line < b->line ? -1 : a->line > b->line;
}

static int by_match(const void *x, const void *y)
{
    const struct rule_item *a = x, *b = y;
    int order = fs_rule_compare(a->rule, b->rule);

    if (order != 0)
        return order;
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static bool append(struct rule_file *file, const struct rule_item *item)
{
    if (file->count == file->room) {
        size_t room = file->room == 0 ? 256 : file->room * 2;
        struct rule_item *bigger = realloc(file->items, room * sizeof *bigger);
        if (bigger == NULL)
            return false;
        file->items = bigger;
        file->room = room;
    }
    file->items[file->count++] = *item;
    file->families |= item->family;
    return true;
}

/* Cuts a comment and what blanks are around; returns whether a rule is left. The columns stay as they are. */
static bool trim(char *line, size_t len)
{
    char *comment = strchr(line, '#');

    if (comment != NULL)
        len = (size_t)(comment - line);
    while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
        len--;
    line[len] = '\0';
    return line[strspn(line, " \t")] != '\0';
}

/* One line. False on a bad one, with `error` filled. */
static bool read_line(struct rule_file *file, char *line, size_t len, uint32_t number, uint32_t local_as,
                      struct fs_text_error *error)
{
    struct rule_item item = {.line = number};
    struct fs_actions actions;

    if (strlen(line) != len) {
        *error = (struct fs_text_error){.column = strlen(line) + 1, .text = "an octet of 0: this is not text"};
        return false;
    }
    if (!trim(line, len))
        return true;
    if (!fs_text_parse(line, &item.rule, &actions, error))
        return false;
    item.family = family_of(item.rule);
    fs_actions_encode(&actions, local_as, &item.comms);
    if (append(file, &item))
        return true;
    fs_rule_free(item.rule);
    *error = (struct fs_text_error){.column = 1, .text = "out of memory"};
    return false;
}

/* BGP knows one rule per match: of two, the order of announcement would decide which one is left. */
static size_t find_twins(struct rule_file *file, const char *path)
{
    size_t twins = 0;

    qsort(file->items, file->count, sizeof *file->items, by_match);
    for (size_t i = 1; i < file->count; i++) {
        const struct rule_item *a = &file->items[i - 1], *b = &file->items[i];
        if (a->family != b->family || fs_rule_compare(a->rule, b->rule) != 0)
            continue;
        if (twins++ < ERRORS_SHOWN)
            fprintf(stderr, "%s:%u:1: matches the same packets as line %u; BGP keeps one rule per match\n", path,
                    b->line, a->line);
    }
    return twins;
}

static size_t read_lines(struct rule_file *file, FILE *in, const char *path, uint32_t local_as)
{
    char *line = NULL;
    size_t room = 0, bad = 0;
    ssize_t len;

    for (uint32_t number = 1; (len = getline(&line, &room, in)) >= 0; number++) {
        struct fs_text_error error;
        if (read_line(file, line, (size_t)len, number, local_as, &error))
            continue;
        if (bad++ < ERRORS_SHOWN)
            fprintf(stderr, "%s:%u:%zu: %s\n", path, number, error.column, error.text);
    }
    free(line);
    return bad;
}

bool rule_file_read(struct rule_file *file, const char *path, uint32_t local_as)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "r");
    const char *name = is_stdin ? "<stdin>" : path;

    *file = (struct rule_file){0};
    if (in == NULL) {
        fprintf(stderr, "fginject: %s: %s\n", path, strerror(errno));
        return false;
    }
    size_t bad = read_lines(file, in, name, local_as);
    bool failed = ferror(in) != 0;
    if (failed)
        fprintf(stderr, "fginject: %s: %s\n", name, strerror(errno));
    if (!is_stdin)
        fclose(in);
    bad += find_twins(file, name);
    if (bad > ERRORS_SHOWN)
        fprintf(stderr, "%s: %zu lines are bad\n", name, bad);
    qsort(file->items, file->count, sizeof *file->items, by_group);
    return bad == 0 && !failed;
}

void rule_file_free(struct rule_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        fs_rule_free(file->items[i].rule);
    free(file->items);
    *file = (struct rule_file){0};
}
