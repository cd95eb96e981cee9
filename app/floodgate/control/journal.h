/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal: what was decided about each rule, when, by which step, why, and by whom it was changed. Bounded, kept in
 * memory for queries, and in an append-only file that survives a restart.
 *
 * A line of the file is a checksum in 8 hex digits, a blank, and fields separated by tabs. A line whose checksum is not
 * its own (torn by a crash) is skipped. Lines are written at once and synced to the disk within JOURNAL_SYNC_MS by
 * journal_sync; a file that has its size becomes FILE.1, in place of the one before. Control thread only.
 */
#ifndef FLOODGATE_JOURNAL_H
#define FLOODGATE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define JOURNAL_SYNC_MS 200

struct cfg_journal;
struct journal;

struct journal_entry {
    uint64_t time_ms;  /* since the epoch */
    uint32_t rule;     /* id; 0: of no rule */
    const char *event; /* "verdict", "approve", "suspend", "resume", "dry-run", "promote", "breaker", "kill-switch" */
    const char *peer;  /* name, "configuration" or "operator"; "" for all */
    const char *state; /* of the rule, afterwards; "" without a rule */
    const char *step;  /* that decided; "" when none had to say anything */
    const char *by;    /* who: "router", or the operator's user */
    const char *text;  /* the rule */
    const char *reason;
};

/* Reads what the file has. NULL when memory is short. A file that cannot be used is an error in the log, and the
 * journal is then kept in memory only. */
struct journal *journal_open(const struct cfg_journal *cfg, const struct log_hook *log);
void journal_close(struct journal *journal); /* synced */

/* `time_ms` 0: now. Texts are copied; characters that drive terminals or files become '?'. */
void journal_add(struct journal *journal, const struct journal_entry *entry);

/* Brings what was written to the disk, if anything was. */
void journal_sync(struct journal *journal);

/* What is asked for; NULL and 0: anything. */
struct journal_query {
    uint32_t rule;
    const char *peer, *step;
    size_t limit; /* the latest so many */
};

/* Calls `emit` for the entries that fit, oldest first. */
void journal_each(const struct journal *journal, const struct journal_query *query,
                  void (*emit)(void *ctx, const struct journal_entry *entry), void *ctx);

/* Lines that were skipped when the file was read. */
uint64_t journal_torn(const struct journal *journal);

#endif
