/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log hook. A library writes through the hook it was given and knows nothing of where lines go; the process
 * decides on level, format and place. One call is one line, without a newline, from the control thread only.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

struct log_hook {
    void (*write)(void *ctx, enum log_level level, const char *fmt, va_list args); /* NULL: be silent */
    void *ctx;
};

/* Writes one line. A NULL hook is silent. */
__attribute__((format(printf, 3, 4))) void log_line(const struct log_hook *hook, enum log_level level, const char *fmt,
                                                    ...);

/* "error", "warning", "notice", "info", "debug". */
const char *log_level_name(enum log_level level);

/* The level of that name; false when there is none. */
bool log_level_parse(const char *name, enum log_level *out);

#endif
