/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal: what was decided about each rule, when, by which step, why, and by whom it was changed. Bounded, kept in
 * memory for queries, and in an append-only file that survives a restart.
 *
 * Lines of the file (journal_line.h) that a crash has torn are skipped. A thread of the journal's own writes and syncs
 * what was added, at once and as fast as the disk lets it (journal_file.h); a file that has its size becomes FILE.1, in
 * place of the one before. Control thread only.
 */
#ifndef FLOODGATE_JOURNAL_H
#define FLOODGATE_JOURNAL_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define JOURNAL_WATCH_MS 200

struct cfg_journal;
struct journal;

struct journal_entry {
    uint64_t time_ms;  /* since the epoch */
    uint64_t position; /* in the journal: of what journal_each gives */
    uint32_t rule;     /* id; 0: of no rule */
    const char *event; /* "verdict", "approve", "suspend", "resume", "dry-run", "promote", "breaker", "kill-switch" */
    const char *peer;  /* name, "configuration" or "operator"; "" for all */
    const char *state; /* of the rule, afterwards; "" without a rule */
    const char *step;  /* that decided; "" when none had to say anything */
    const char *by;    /* who: "router", or the operator's user */
    const char *text;  /* the rule */
    const char *reason;
};

/* Reads what the file has. NULL when memory is short. A file that cannot be used is an error in the log; it is tried
 * again with each entry, a second apart. `cpus`: where its thread may run; NULL: where this one may. */
struct journal *journal_open(const struct cfg_journal *cfg, const cpu_set_t *cpus, const struct log_hook *log);
void journal_close(struct journal *journal); /* written and synced */

/* `time_ms` 0: now. Texts are copied; characters that drive terminals or files become '?'. */
void journal_add(struct journal *journal, const struct journal_entry *entry);

/*
 * Tells the log what has become of the file, every JOURNAL_WATCH_MS or so. True: it was rotated since, or there was a
 * FILE.1 at the start, so what stands is to be added again, and then journal_settled called.
 */
bool journal_watch(struct journal *journal);

/*
 * After that: what stands has been added again. Until then the file is not rotated once more, and grows instead.
 * False: no room for that to be told, so do it again.
 */
bool journal_settled(struct journal *journal);

/*
 * Calls `emit` for what the file had besides verdicts when it was read, oldest first, whether or not it is among the
 * latest entries; and forgets it.
 */
void journal_replay(struct journal *journal, void (*emit)(void *ctx, const struct journal_entry *entry), void *ctx);

/* Waits until everything added is on the disk. */
void journal_wait(struct journal *journal);

/*
 * As an event that is asked for: every one but verdicts, and but what is written again after a rotation (step "kept").
 * A flood of verdicts washes none of them away, nor the verdicts whose state is "held", when those are asked for.
 */
#define JOURNAL_DECISION "decision"

/* What is asked for; NULL and 0: anything. */
struct journal_query {
    uint32_t rule;
    const char *peer, *step, *event, *state;
    size_t limit; /* the latest so many */
    bool after;   /* those behind `after_position` alone, and of them the first so many */
    uint64_t after_position;
};

/*
 * Calls `emit` for the entries that fit, oldest first. A position grows from entry to entry, and is the same after a
 * restart where the file has the entry; so whoever asks for what is behind the last one it has seen, misses nothing
 * that is still there and is told nothing twice.
 */
void journal_each(const struct journal *journal, const struct journal_query *query,
                  void (*emit)(void *ctx, const struct journal_entry *entry), void *ctx);

struct journal_ends {
    uint64_t position;           /* of the latest entry */
    uint64_t forgotten;          /* of the latest that memory has no longer; 0: it has all */
    uint64_t forgotten_decision; /* of the latest decision, likewise */
    uint64_t forgotten_held;     /* of the latest verdict that a rule is held, likewise */
};
void journal_ends(const struct journal *journal, struct journal_ends *out);

/* Lines that were skipped when the file was read. */
uint64_t journal_torn(const struct journal *journal);

#endif
