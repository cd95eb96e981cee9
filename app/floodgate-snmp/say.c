/* SPDX-License-Identifier: BSD-3-Clause */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_TEXT 1024

static void print(const char *text)
{
    char line[LINE_TEXT];

    snprintf(line, sizeof line, "%s", text);
    for (char *c = line; *c != '\0'; c++) /* one line, and nothing that drives a terminal */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    fprintf(stderr, "floodgate-snmp: %s\n", line);
}

void say(const char *fmt, ...)
{
    char text[LINE_TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    print(text);
}

void trouble_say(struct trouble *trouble, const char *fmt, ...)
{
    char text[TROUBLE_TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (strcmp(text, trouble->text) == 0)
        return;
    memcpy(trouble->text, text, sizeof trouble->text);
    print(text);
}

void trouble_over(struct trouble *trouble)
{
    trouble->text[0] = '\0';
}
