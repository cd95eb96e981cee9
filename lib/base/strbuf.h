/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text into a caller's buffer. Always terminated, never past the end; what did not fit is counted, so a caller can
 * ask for the length first (as with snprintf) or check `sb_truncated` once at the end.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
    char *text;
    size_t size;   /* of the buffer, terminator included; may be 0 */
    size_t length; /* of the whole text, whether or not it fitted */
};

struct strbuf sb_init(char *text, size_t size);
void sb_char(struct strbuf *sb, char c);
void sb_text(struct strbuf *sb, const char *text);
__attribute__((format(printf, 2, 3))) void sb_printf(struct strbuf *sb, const char *fmt, ...);
void sb_hex(struct strbuf *sb, const uint8_t *data, size_t len); /* lower case, no separators */

static inline bool sb_truncated(const struct strbuf *sb)
{
    return sb->length >= sb->size;
}

#endif
