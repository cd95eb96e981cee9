/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <stddef.h>
#include <string.h>

static const char *const LEVEL_NAMES[] = {
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
    [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

void log_line(const struct log_hook *hook, enum log_level level, const char *fmt, ...)
{
    va_list args;

    if (hook == NULL || hook->write == NULL)
        return;
    va_start(args, fmt);
    hook->write(hook->ctx, level, fmt, args);
    va_end(args);
}

const char *log_level_name(enum log_level level)
{
    return LEVEL_NAMES[level];
}

bool log_level_parse(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof LEVEL_NAMES / sizeof LEVEL_NAMES[0]; i++) {
        if (strcmp(name, LEVEL_NAMES[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}
