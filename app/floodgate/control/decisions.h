/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was decided about rules that are not here now: a session that flaps or a router that restarts must not undo what
 * an operator or the circuit breaker has said. A rule's marks are kept for an hour after it went, and are its own again
 * when the same source announces the same match; an approval only with the same actions. After a restart they come from
 * the journal, with the state of the kill-switch. Control thread only.
 */
#ifndef FLOODGATE_DECISIONS_H
#define FLOODGATE_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define DECISIONS_KEPT_S 3600

struct decisions;
struct journal;
struct journal_entry;
struct rule;

struct decisions *decisions_create(void);
void decisions_free(struct decisions *decisions);

/* An entry of the journal, in their order. `age_s`: how long ago it was written. */
void decisions_replay(struct decisions *decisions, const struct journal_entry *entry, double age_s, mono_ms_t now);

/* Whether the kill-switch was on, of everything, or of that peer: the latter is said once. */
bool decisions_killed(const struct decisions *decisions);
bool decisions_take_killed(struct decisions *decisions, const char *peer);

/*
 * The rule goes: keeps its marks where it is a peer's. True: it had some, and the journal is to know that it went.
 * `source`: who announces it, in a word.
 */
bool decisions_keep(struct decisions *decisions, const struct rule *rule, const char *source, mono_ms_t now);

/* The rule has come: it gets the marks that were kept for it. True: there were some. */
bool decisions_apply(struct decisions *decisions, struct rule *rule, const char *source);

/*
 * Adds to the journal again what waits for its rule, and the kill-switches that wait for their peers, before its file
 * goes. Returns how many entries.
 */
size_t decisions_record(const struct decisions *decisions, struct journal *journal, mono_ms_t now);

/* Likewise one kill-switch that is on; `peer` "": that of everything. */
void decisions_record_killed(struct journal *journal, const char *peer);

/* Forgets what was kept for its time. */
void decisions_age(struct decisions *decisions, mono_ms_t now);

/* Rules of which something is kept. */
size_t decisions_count(const struct decisions *decisions);

#endif
