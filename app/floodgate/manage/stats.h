/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Totals at the end of a run: a table for people, JSON for programs (`--stats FILE`).
 */
#ifndef FLOODGATE_STATS_H
#define FLOODGATE_STATS_H

#include <stdio.h>

struct control;
struct dataplane;

/* Packets, bytes, and drops by reason (reasons that dropped nothing are left out), then the rules that were hit. */
void stats_print(FILE *out, const struct dataplane *dp, const struct control *control);

/* Before a long run: whether the file can be written at its end. 0, or -errno. */
int stats_check(const char *file);

/* The object of `fgctl -j counters` with `rules` of `fgctl -j rules` added. 0, or -errno. */
int stats_write(const char *file, const struct dataplane *dp, const struct control *control);

#endif
