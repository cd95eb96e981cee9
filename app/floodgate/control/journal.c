/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/conf.h"
#include "control/journal_file.h"
#include "control/journal_line.h"
#include "control/journal_ring.h"
#include "spool/spool.h"

#define MIB        (1024u * 1024u)
#define SPOOL_ROOM (64 * MIB) /* of lines that wait for the disk: some 200,000 */

/* Kept besides the latest entries, so that no flood of verdicts washes away what somebody must hear of. */
#define DECISIONS_KEPT 4096
#define HELD_KEPT      4096

struct journal {
    const struct log_hook *log;
    char *path;
    struct journal_file *file; /* the spool's thread writes to it; NULL: memory only */
    struct spool *spool;
    uint64_t torn;
    uint64_t refused; /* entries that found no room in the spool */
    bool refusing;    /* that was told */
    unsigned rotations;
    bool owed; /* FILE.1 may have what stands and FILE has not: a restart does not know how far the rewriting was */
    char **decisions; /* what the file had besides verdicts, until it is replayed; owned, as its fields */
    size_t decision_count, decision_room;
    uint64_t position; /* of the latest entry */
    struct journal_ring *latest, *latest_decisions, *latest_held;
};

static bool is_verdict(const struct journal_entry *entry)
{
    return strcmp(entry->event, "verdict") == 0;
}

/* Made just now: neither a verdict, nor written again after a rotation. */
static bool is_decision(const struct journal_entry *entry)
{
    return !is_verdict(entry) && strcmp(entry->step, "kept") != 0;
}

static bool is_held(const struct journal_entry *entry)
{
    return is_verdict(entry) && strcmp(entry->state, "held") == 0;
}

/* Takes `line`: fields of that entry. */
static void keep(struct journal *journal, const struct journal_entry *entry, char *line)
{
    journal->position = journal_position(journal->position, entry->time_ms);
    if (is_decision(entry))
        journal_ring_keep(journal->latest_decisions, journal->position, line != NULL ? strdup(line) : NULL);
    if (is_held(entry))
        journal_ring_keep(journal->latest_held, journal->position, line != NULL ? strdup(line) : NULL);
    journal_ring_keep(journal->latest, journal->position, line);
}

/* A line of the file that is no verdict is needed for more than queries. */
static void keep_decision(struct journal *journal, const char *fields)
{
    if (journal->decision_count == journal->decision_room) {
        size_t room = journal->decision_room > 0 ? 2 * journal->decision_room : 64;
        char **more = realloc(journal->decisions, room * sizeof *more);
        if (more == NULL)
            return;
        journal->decisions = more;
        journal->decision_room = room;
    }
    journal->decisions[journal->decision_count] = strdup(fields);
    journal->decision_count += journal->decisions[journal->decision_count] != NULL;
}

static void take_line(struct journal *journal, char *fields)
{
    char copy[JOURNAL_LINE_OCTETS];
    struct journal_entry entry;

    if (fields == NULL)
        return;
    snprintf(copy, sizeof copy, "%s", fields);
    if (!journal_line_parse(copy, &entry)) {
        free(fields);
        return;
    }
    if (!is_verdict(&entry))
        keep_decision(journal, fields);
    keep(journal, &entry, fields);
}

void journal_replay(struct journal *journal, void (*emit)(void *ctx, const struct journal_entry *entry), void *ctx)
{
    struct journal_entry entry;

    for (size_t i = 0; i < journal->decision_count; i++) {
        if (journal_line_parse(journal->decisions[i], &entry))
            emit(ctx, &entry);
        free(journal->decisions[i]);
    }
    free(journal->decisions);
    journal->decisions = NULL;
    journal->decision_count = journal->decision_room = 0;
}

/* Reads one file; `*whole` is false when its last line lacks its end. False: there is none. */
static bool read_file(struct journal *journal, const char *path, bool *whole)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    *whole = true;
    if (file == NULL)
        return false;
    while ((len = getline(&line, &room, file)) > 0) {
        *whole = line[len - 1] == '\n'; /* its checksum says of the last one, too, whether something is missing */
        size_t used = (size_t)len - *whole;
        if (journal_line_whole(line, used))
            take_line(journal, strndup(line + JOURNAL_HEAD_OCTETS, used - JOURNAL_HEAD_OCTETS));
        else
            journal->torn++;
    }
    free(line);
    fclose(file);
    return true;
}

static bool load(struct journal *journal, uint64_t most)
{
    char *before = NULL;
    bool whole;

    if (asprintf(&before, "%s.1", journal->path) < 0)
        return false;
    journal->owed = read_file(journal, before, &whole);
    free(before);
    read_file(journal, journal->path, &whole);
    if (journal->torn > 0)
        log_line(journal->log, LOG_LEVEL_WARNING, "journal %s: %" PRIu64 " torn line%s skipped", journal->path,
                 journal->torn, journal->torn == 1 ? "" : "s");
    journal->file = journal_file_open(journal->path, most, !whole, journal->owed);
    return journal->file != NULL;
}

/* An empty record is in its place among the lines, too: journal_settled. */
static void on_record(void *ctx, const void *data, size_t len)
{
    if (len == 0)
        journal_file_settled(ctx);
    else
        journal_file_line(ctx, data, len);
}

static void on_flush(void *ctx)
{
    journal_file_sync(ctx);
}

static void tell_news(struct journal *journal)
{
    struct journal_news news;

    if (journal_file_news(journal->file, &news)) {
        if (news.well)
            log_line(journal->log, LOG_LEVEL_NOTICE, "journal %s: written again; %" PRIu64 " %s not in it",
                     journal->path, news.missing + journal->refused,
                     news.missing + journal->refused == 1 ? "entry is" : "entries are");
        else
            log_line(journal->log, LOG_LEVEL_ERROR, "journal %s: %s; entries are kept in memory, and it is tried again",
                     journal->path, news.what);
    }
}

struct journal *journal_open(const struct cfg_journal *cfg, const cpu_set_t *cpus, const struct log_hook *log)
{
    static const struct spool_ops OPS = {.record = on_record, .flush = on_flush};
    struct journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL)
        return NULL;
    journal->log = log;
    journal->latest = journal_ring_create(cfg->entries);
    journal->latest_decisions = journal_ring_create(DECISIONS_KEPT);
    journal->latest_held = journal_ring_create(HELD_KEPT);
    if (journal->latest == NULL || journal->latest_decisions == NULL || journal->latest_held == NULL) {
        journal_close(journal);
        return NULL;
    }
    if (cfg->file == NULL)
        return journal;
    journal->path = strdup(cfg->file);
    if (journal->path != NULL && load(journal, (uint64_t)cfg->max_mib * MIB))
        journal->spool = spool_create(&(struct spool_conf){
            .name = "journal", .room = SPOOL_ROOM, .ops = &OPS, .ctx = journal->file, .cpus = cpus});
    if (journal->spool == NULL) {
        journal_close(journal);
        return NULL;
    }
    tell_news(journal); /* a file that cannot be opened is told now */
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    spool_free(journal->spool);
    journal_file_close(journal->file);
    journal_ring_free(journal->latest);
    journal_ring_free(journal->latest_decisions);
    journal_ring_free(journal->latest_held);
    for (size_t i = 0; i < journal->decision_count; i++)
        free(journal->decisions[i]);
    free(journal->decisions);
    free(journal->path);
    free(journal);
}

bool journal_watch(struct journal *journal)
{
    if (journal->file == NULL)
        return false;
    tell_news(journal);
    unsigned rotations = journal_file_rotations(journal->file);
    bool owed = journal->owed || rotations != journal->rotations;
    journal->rotations = rotations;
    journal->owed = false;
    return owed;
}

bool journal_settled(struct journal *journal)
{
    return journal->spool == NULL || spool_put(journal->spool, "", 0);
}

void journal_wait(struct journal *journal)
{
    if (journal->spool != NULL)
        spool_wait(journal->spool);
}

static void write_line(struct journal *journal, const char *line)
{
    if (journal->spool == NULL)
        return;
    if (spool_put(journal->spool, line, strlen(line))) {
        journal->refusing = false;
        return;
    }
    journal->refused++;
    if (!journal->refusing)
        log_line(journal->log, LOG_LEVEL_ERROR,
                 "journal %s: the disk does not keep up; entries are kept in memory only until it does", journal->path);
    journal->refusing = true;
}

void journal_add(struct journal *journal, const struct journal_entry *entry)
{
    struct journal_entry stamped = *entry;
    char line[JOURNAL_LINE_OCTETS];
    struct timespec now;

    if (journal == NULL)
        return;
    if (stamped.time_ms == 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        stamped.time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    }
    journal_line_format(&stamped, line);
    write_line(journal, line);
    if (stamped.step == NULL)
        stamped.step = "";
    if (stamped.state == NULL)
        stamped.state = "";
    keep(journal, &stamped, strdup(line));
}

static bool fits_event(const char *asked, const struct journal_entry *entry)
{
    return strcmp(asked, JOURNAL_DECISION) == 0 ? is_decision(entry) : strcmp(asked, entry->event) == 0;
}

static bool fits(const struct journal_query *query, const struct journal_entry *entry)
{
    return (query->rule == 0 || query->rule == entry->rule) &&
           (query->peer == NULL || strcmp(query->peer, entry->peer) == 0) &&
           (query->step == NULL || strcmp(query->step, entry->step) == 0) &&
           (query->event == NULL || fits_event(query->event, entry)) &&
           (query->state == NULL || strcmp(query->state, entry->state) == 0);
}

/* The entry of a slot, whose texts are in `line`, when it is asked for. */
static bool read_slot(const struct journal_slot *slot, const struct journal_query *query,
                      char line[JOURNAL_LINE_OCTETS], struct journal_entry *entry)
{
    snprintf(line, JOURNAL_LINE_OCTETS, "%s", slot->fields);
    if (!journal_line_parse(line, entry) || !fits(query, entry))
        return false;
    entry->position = slot->position;
    return true;
}

/* Decisions, and verdicts that a rule is held, are found beyond the latest entries, too. */
static const struct journal_ring *ring_for(const struct journal *journal, const struct journal_query *query)
{
    const char *event = query->event != NULL ? query->event : "", *state = query->state != NULL ? query->state : "";

    if (strcmp(event, JOURNAL_DECISION) == 0)
        return journal->latest_decisions;
    return strcmp(event, "verdict") == 0 && strcmp(state, "held") == 0 ? journal->latest_held : journal->latest;
}

void journal_each(const struct journal *journal, const struct journal_query *query,
                  void (*emit)(void *ctx, const struct journal_entry *entry), void *ctx)
{
    const struct journal_ring *ring = ring_for(journal, query);
    char line[JOURNAL_LINE_OCTETS];
    struct journal_entry entry;
    size_t from = ring->count, emitted = 0;

    if (query->after)
        from = journal_ring_after(ring, query->after_position);
    for (size_t found = 0; !query->after && from > 0 && found < query->limit; from--)
        found += read_slot(journal_ring_at(ring, from - 1), query, line, &entry);
    for (; from < ring->count && emitted < query->limit; from++) {
        if (!read_slot(journal_ring_at(ring, from), query, line, &entry))
            continue;
        emit(ctx, &entry);
        emitted++;
    }
}

void journal_ends(const struct journal *journal, struct journal_ends *out)
{
    *out = (struct journal_ends){.position = journal->position,
                                 .forgotten = journal->latest->forgotten,
                                 .forgotten_decision = journal->latest_decisions->forgotten,
                                 .forgotten_held = journal->latest_held->forgotten};
}

uint64_t journal_torn(const struct journal *journal)
{
    return journal->torn;
}
