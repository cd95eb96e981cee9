/* SPDX-License-Identifier: BSD-3-Clause */
#include "flowspec/text_lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUOTED_MAX 48 /* characters of a wrong word that an error shows */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct fs_word fs_lex_next(struct fs_lexer *lexer)
{
    while (is_blank(*lexer->at))
        lexer->at++;
    struct fs_word word = {.at = lexer->at};
    while (*lexer->at != '\0' && !is_blank(*lexer->at))
        lexer->at++;
    word.len = (size_t)(lexer->at - word.at);
    return word;
}

struct fs_word fs_lex_peek(const struct fs_lexer *lexer)
{
    struct fs_lexer copy = *lexer;

    return fs_lex_next(&copy);
}

bool fs_word_is(struct fs_word word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.at, text, word.len) == 0;
}

bool fs_word_copy(struct fs_word word, char *out, size_t size)
{
    if (word.len >= size)
        return false;
    memcpy(out, word.at, word.len);
    out[word.len] = '\0';
    return true;
}

bool fs_word_skip(struct fs_word *word, const char *text)
{
    size_t len = strlen(text);

    if (word->len < len || memcmp(word->at, text, len) != 0)
        return false;
    word->at += len;
    word->len -= len;
    return true;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

bool fs_word_number(struct fs_word word, uint64_t *out)
{
    unsigned base = fs_word_skip(&word, "0x") ? 16 : 10;
    uint64_t value = 0;

    if (word.len == 0)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        unsigned digit = (unsigned)digit_value(word.at[i]);

        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return true;
}

bool fs_word_name(struct fs_word word, const struct fs_name *names, uint64_t *out)
{
    for (; names && names->name; names++) {
        if (fs_word_is(word, names->name)) {
            *out = names->value;
            return true;
        }
    }
    return false;
}

bool fs_lex_fail(const struct fs_lexer *lexer, const char *subject, struct fs_word word, const char *fmt, ...)
{
    char quoted[QUOTED_MAX + 4];
    char why[sizeof lexer->error->text];
    size_t shown = word.len < QUOTED_MAX ? word.len : QUOTED_MAX;
    va_list args;

    /* The text may come from anywhere and the error goes to terminals and logs: nothing unprintable passes. */
    for (size_t i = 0; i < shown; i++)
        quoted[i] = word.at[i] > ' ' && word.at[i] < 0x7f ? word.at[i] : '?';
    strcpy(quoted + shown, shown < word.len ? "..." : "");
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);

    struct strbuf out = sb_init(lexer->error->text, sizeof lexer->error->text);
    sb_text(&out, subject);
    sb_text(&out, *subject && *quoted ? " " : "");
    sb_text(&out, quoted);
    sb_text(&out, out.length ? ": " : "");
    sb_text(&out, why);
    lexer->error->column = (size_t)(word.at - lexer->start) + 1;
    return false;
}

void fs_names_list(const struct fs_name *names, struct strbuf *out)
{
    for (const struct fs_name *name = names; name->name; name++) {
        sb_text(out, name == names ? "" : " ");
        sb_text(out, name->name);
    }
}
