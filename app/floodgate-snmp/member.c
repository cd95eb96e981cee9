/* SPDX-License-Identifier: BSD-3-Clause */
#include "member.h"

#include <string.h>

const json_t *member(const json_t *object, const char *path)
{
    char name[64];

    for (;;) {
        size_t len = strcspn(path, ".");
        if (len >= sizeof name)
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        object = json_object_get(object, name);
        if (object == NULL || path[len] == '\0')
            return object;
        path += len + 1;
    }
}

uint64_t member_uint(const json_t *object, const char *path)
{
    return (uint64_t)json_integer_value(member(object, path));
}

const char *member_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(member(object, path));

    return text != NULL ? text : "";
}

bool member_true(const json_t *object, const char *path)
{
    return json_is_true(member(object, path));
}

size_t text_fit(const char *text, size_t most)
{
    size_t len = strnlen(text, most + 1);

    if (len <= most)
        return len;
    for (len = most; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;) /* the middle of a character (UTF-8) */
        len--;
    return len;
}
