/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>

struct strbuf sb_init(char *text, size_t size)
{
    if (size > 0)
        text[0] = '\0';
    return (struct strbuf){.text = text, .size = size, .length = 0};
}

void sb_char(struct strbuf *sb, char c)
{
    if (sb->length + 1 < sb->size) {
        sb->text[sb->length] = c;
        sb->text[sb->length + 1] = '\0';
    }
    sb->length++;
}

void sb_text(struct strbuf *sb, const char *text)
{
    for (; *text != '\0'; text++)
        sb_char(sb, *text);
}

void sb_printf(struct strbuf *sb, const char *fmt, ...)
{
    size_t room = sb->length < sb->size ? sb->size - sb->length : 0;
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(room ? sb->text + sb->length : NULL, room, fmt, args);
    va_end(args);
    if (n > 0)
        sb->length += (size_t)n;
}

void sb_hex(struct strbuf *sb, const uint8_t *data, size_t len)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        sb_char(sb, DIGITS[data[i] >> 4]);
        sb_char(sb, DIGITS[data[i] & 15]);
    }
}
