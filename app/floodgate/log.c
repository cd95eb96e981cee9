/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1024

static const char *level_colour(enum log_level level)
{
    return level == LOG_LEVEL_ERROR ? "\033[31m" : level == LOG_LEVEL_WARNING ? "\033[33m" : "";
}

static void write_line(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    const enum log_level *max_level = ctx;
    char text[LINE_MAX_OCTETS];
    char when[32];
    struct timespec now;
    struct tm utc;

    if (level > *max_level)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    vsnprintf(text, sizeof text, fmt, args);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?'; /* what a peer sends may end up here: one line stays one line */

    const char *colour = isatty(fileno(stderr)) ? level_colour(level) : "";
    fprintf(stderr, "%s%s.%03ldZ %-7s %s%s\n", colour, when, now.tv_nsec / 1000000, log_level_name(level), text,
            *colour ? "\033[0m" : "");
}

struct log_hook log_to_stderr(enum log_level *max_level)
{
    return (struct log_hook){.write = write_line, .ctx = max_level};
}

static ssize_t dpdk_write(void *cookie, const char *text, size_t len)
{
    const struct log_hook *hook = cookie;
    size_t line = len;

    while (line > 0 && (text[line - 1] == '\n' || text[line - 1] == ' '))
        line--;
    if (line > 0)
        log_line(hook, LOG_LEVEL_INFO, "dpdk: %.*s", (int)(line < LINE_MAX_OCTETS ? line : LINE_MAX_OCTETS), text);
    return (ssize_t)len;
}

FILE *log_dpdk_stream(const struct log_hook *hook)
{
    /* the hook is only read; a cookie is not const */
    FILE *stream = fopencookie((void *)(uintptr_t)hook, "w", (cookie_io_functions_t){.write = dpdk_write});

    if (stream != NULL)
        setvbuf(stream, NULL, _IOLBF, LINE_MAX_OCTETS);
    return stream;
}
