/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/json_util.h"

#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
    json_t *string = json_string(text);

    if (string != NULL)
        return string;
    char *ascii = strdup(text);
    if (ascii == NULL)
        return json_string("");
    for (char *c = ascii; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    string = json_string(ascii);
    free(ascii);
    return string;
}

json_t *json_time(time_t when)
{
    char text[32];
    struct tm tm;

    if (when == 0 || gmtime_r(&when, &tm) == NULL)
        return json_null();
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(text);
}

void json_set_uint(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name, json_integer((json_int_t)value));
}

void json_set_text(json_t *object, const char *name, const char *value)
{
    json_object_set_new(object, name, json_text(value));
}
