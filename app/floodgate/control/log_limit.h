/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps one noisy cause from drowning the log: so many lines a window, the rest are counted and told with the next.
 */
#ifndef FLOODGATE_LOG_LIMIT_H
#define FLOODGATE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define LOG_LIMIT_LINES     5
#define LOG_LIMIT_WINDOW_MS (30 * MONO_MS_PER_S)

struct log_limit {
    mono_ms_t window_ends; /* 0: none yet */
    unsigned lines;        /* let through in this window */
    uint64_t held_back;    /* since the last line that was let through */
};

/* Whether the line may be written; then `*held_back` says how many were not, before it. */
static inline bool log_limit_pass(struct log_limit *limit, mono_ms_t now, uint64_t *held_back)
{
    if (now >= limit->window_ends) {
        limit->window_ends = now + LOG_LIMIT_WINDOW_MS;
        limit->lines = 0;
    }
    if (limit->lines == LOG_LIMIT_LINES) {
        limit->held_back++;
        return false;
    }
    limit->lines++;
    *held_back = limit->held_back;
    limit->held_back = 0;
    return true;
}

#endif
