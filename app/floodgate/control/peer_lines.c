/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines in the log about a peer, and how many of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/dynamic.h"
#include "control/internal.h"

struct peer_lines *peer_lines_of(struct peer *peer)
{
    struct peer_lines *shared = peer->range != NULL ? dynamic_lines(peer->control->dynamic, peer->range) : NULL;

    return shared != NULL ? shared : &peer->lines;
}

void peer_lines_held_back(const struct peer *peer, uint64_t count)
{
    const char *what = peer->range != NULL ? "peers of range" : "peer";

    if (count > 0)
        log_line(peer->control->log, LOG_LEVEL_NOTICE, "%s %s: %" PRIu64 " more such lines were not logged", what,
                 peer->range != NULL ? peer->range : peer->name, count);
}

/*
 * Lines of the session. What it calls information are reasons why a connection did not get to Established: an
 * operator wants the first of a kind at once, but not one every few seconds while a peer is away.
 */
__attribute__((format(printf, 3, 0))) static void session_log_write(void *ctx, enum log_level level, const char *fmt,
                                                                    va_list args)
{
    struct peer *peer = ctx;
    const struct log_hook *log = peer->control->log;
    char line[sizeof peer->session_line];
    uint64_t held_back = 0;

    vsnprintf(line, sizeof line, fmt, args);
    if (level == LOG_LEVEL_INFO) {
        bool repeated = peer->connect_told || strcmp(line, peer->session_line) == 0;
        level = !repeated && log_limit_pass(&peer_lines_of(peer)->session, control_now(), &held_back) ? LOG_LEVEL_NOTICE
                                                                                                      : LOG_LEVEL_DEBUG;
    }
    if (level != LOG_LEVEL_DEBUG)
        memcpy(peer->session_line, line, sizeof line);
    log_line(log, level, "%s", line);
    peer_lines_held_back(peer, held_back);
}

struct log_hook peer_session_log(struct peer *peer)
{
    return (struct log_hook){.write = session_log_write, .ctx = peer};
}
