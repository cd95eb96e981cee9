/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

/* Makes room for one more; false when there may be none. */
static bool problems_grow(struct cfg_problems *problems)
{
    if (problems->count < problems->room)
        return true;
    if (problems->room >= CFG_PROBLEMS_MAX)
        return false;

    size_t room = problems->room ? problems->room * 2 : 16;
    if (room > CFG_PROBLEMS_MAX)
        room = CFG_PROBLEMS_MAX;
    struct cfg_problem *list = realloc(problems->list, room * sizeof *list);
    if (!list)
        return false;
    problems->list = list;
    problems->room = room;
    return true;
}

/*
 * Texts quote the file, and the file may hold anything a terminal obeys: control characters become '?', and so do
 * those of U+0080 to U+009F (0xc2 0x80..0x9f in UTF-8).
 */
static void text_disarm(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
            *c = '?';
        else if (*c >= 0x80 && *c < 0xa0 && c > (unsigned char *)text && c[-1] == '?')
            *c = '?';
    }
}

void cfg_problem_add(struct cfg_problems *problems, unsigned line, const char *fmt, ...)
{
    char text[CFG_PROBLEM_SIZE];
    va_list args;

    problems->reported++;
    if (!problems_grow(problems))
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    text_disarm(text);

    struct cfg_problem *problem = &problems->list[problems->count];
    *problem = (struct cfg_problem){.line = line, .order = problems->reported, .text = strdup(text)};
    problems->count++;
}

static int problem_compare(const void *left, const void *right)
{
    const struct cfg_problem *a = left;
    const struct cfg_problem *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void cfg_problems_flush(struct cfg_problems *problems, const char *file, cfg_problem_fn report, void *ctx)
{
    char text[80];

    if (problems->count > 0)
        qsort(problems->list, problems->count, sizeof problems->list[0], problem_compare);
    for (size_t i = 0; i < problems->count; i++) {
        const struct cfg_problem *problem = &problems->list[i];
        report(ctx, file, problem->line, problem->text ? problem->text : "out of memory");
        free(problem->text);
    }
    if (problems->reported > problems->count) {
        snprintf(text, sizeof text, "%zu more problems are not shown", problems->reported - problems->count);
        report(ctx, file, 0, text);
    }
    free(problems->list);
    *problems = (struct cfg_problems){0};
}

const char *cfg_quote(const char *value, char *out)
{
    static const size_t CUT = 48;
    bool number = value[0] != '\0' && value[strspn(value, "0123456789.-")] == '\0' && strlen(value) <= CUT;
    struct strbuf sb = sb_init(out, CFG_QUOTE_SIZE);

    if (!number)
        sb_char(&sb, '\'');
    for (size_t i = 0; value[i] != '\0' && i < CUT; i++)
        sb_char(&sb, value[i]);
    if (strlen(value) > CUT)
        sb_text(&sb, "...");
    if (!number)
        sb_char(&sb, '\'');
    return out;
}
