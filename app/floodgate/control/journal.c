/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "conf/conf.h"

#define LINE_MAX_OCTETS 4096
#define SUM_DIGITS      8
#define FIELDS          9
#define MIB             (1024u * 1024u)

struct journal {
    const struct log_hook *log;
    char *file;
    int fd;        /* -1: memory only */
    uint64_t size; /* of the file */
    uint64_t most; /* of it, octets */
    bool unsynced;
    bool failed_told; /* a write failed, and that was logged */
    bool cut;         /* the file ends within a line */
    uint64_t torn;
    size_t capacity, first, count;
    char *lines[]; /* a ring, without checksums and newlines; owned */
};

/* FNV-1a: enough to tell a torn line from a whole one. */
static uint32_t checksum(const char *text, size_t len)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (uint8_t)text[i]) * 16777619u;
    return sum;
}

static void keep(struct journal *journal, char *line)
{
    if (line == NULL)
        return;
    if (journal->count == journal->capacity) {
        free(journal->lines[journal->first]);
        journal->lines[journal->first] = line;
        journal->first = (journal->first + 1) % journal->capacity;
    } else {
        journal->lines[(journal->first + journal->count++) % journal->capacity] = line;
    }
}

/* A line of the file, its newline not counted. False when it is not whole. */
static bool take_line(struct journal *journal, const char *line, size_t len)
{
    char sum[SUM_DIGITS + 1];
    unsigned tabs = 0;

    if (len <= SUM_DIGITS + 1)
        return false;
    snprintf(sum, sizeof sum, "%08" PRIx32, checksum(line + SUM_DIGITS + 1, len - SUM_DIGITS - 1));
    for (size_t i = 0; i < len; i++)
        tabs += line[i] == '\t';
    if (memcmp(sum, line, SUM_DIGITS) != 0 || line[SUM_DIGITS] != ' ' || tabs != FIELDS - 1)
        return false;
    keep(journal, strndup(line + SUM_DIGITS + 1, len - SUM_DIGITS - 1));
    return true;
}

/* Reads one file; `*whole` is false when its last line lacks its end. */
static void read_file(struct journal *journal, const char *path, bool *whole)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    *whole = true;
    if (file == NULL)
        return;
    while ((len = getline(&line, &room, file)) > 0) {
        *whole = line[len - 1] == '\n';
        if (!*whole || !take_line(journal, line, (size_t)len - 1))
            journal->torn++;
    }
    free(line);
    fclose(file);
}

static void give_up(struct journal *journal, const char *what)
{
    log_line(journal->log, LOG_LEVEL_ERROR, "journal %s: %s: %s; entries are kept in memory only", journal->file, what,
             strerror(errno));
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
}

static void open_file(struct journal *journal)
{
    struct stat status;

    journal->fd = open(journal->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (journal->fd < 0)
        give_up(journal, "cannot be opened");
    else
        journal->size = fstat(journal->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static char *rotated_name(const struct journal *journal)
{
    char *name = NULL;

    return asprintf(&name, "%s.1", journal->file) < 0 ? NULL : name;
}

static void load(struct journal *journal)
{
    char *before = rotated_name(journal);
    bool whole;

    if (before != NULL)
        read_file(journal, before, &whole);
    free(before);
    read_file(journal, journal->file, &whole);
    open_file(journal);
    if (journal->torn > 0)
        log_line(journal->log, LOG_LEVEL_WARNING, "journal %s: %" PRIu64 " torn line%s skipped", journal->file,
                 journal->torn, journal->torn == 1 ? "" : "s");
    journal->cut = !whole;
}

struct journal *journal_open(const struct cfg_journal *cfg, const struct log_hook *log)
{
    struct journal *journal = calloc(1, sizeof *journal + cfg->entries * sizeof journal->lines[0]);

    if (journal == NULL)
        return NULL;
    journal->log = log;
    journal->fd = -1;
    journal->capacity = cfg->entries;
    journal->most = (uint64_t)cfg->max_mib * MIB;
    if (cfg->file == NULL)
        return journal;
    journal->file = strdup(cfg->file);
    if (journal->file == NULL) {
        free(journal);
        return NULL;
    }
    load(journal);
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    journal_sync(journal);
    if (journal->fd >= 0)
        close(journal->fd);
    for (size_t i = 0; i < journal->count; i++)
        free(journal->lines[(journal->first + i) % journal->capacity]);
    free(journal->file);
    free(journal);
}

static void rotate(struct journal *journal)
{
    char *before = rotated_name(journal);

    journal_sync(journal);
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
    if (before == NULL || rename(journal->file, before) < 0)
        give_up(journal, "cannot be rotated");
    else
        open_file(journal);
    journal->cut = false;
    free(before);
}

static void write_line(struct journal *journal, const char *line, size_t len)
{
    char whole[LINE_MAX_OCTETS + SUM_DIGITS + 4];

    if (journal->fd < 0)
        return;
    if (journal->size > 0 && journal->size + len + SUM_DIGITS + 3 > journal->most)
        rotate(journal);
    if (journal->fd < 0)
        return;
    /* what a full disk cut off stays a torn line: this one stands on its own */
    int size =
        snprintf(whole, sizeof whole, "%s%08" PRIx32 " %s\n", journal->cut ? "\n" : "", checksum(line, len), line);
    ssize_t written = write(journal->fd, whole, (size_t)size);
    if (written > 0) {
        journal->size += (uint64_t)written;
        journal->cut = written < size;
    }
    journal->unsynced = true;
    if (written == size)
        journal->failed_told = false;
    else if (!journal->failed_told) {
        journal->failed_told = true;
        log_line(journal->log, LOG_LEVEL_ERROR, "journal %s: cannot be written: %s", journal->file,
                 written < 0 ? strerror(errno) : "the disk is full");
    }
}

void journal_sync(struct journal *journal)
{
    if (journal->unsynced && journal->fd >= 0)
        fdatasync(journal->fd);
    journal->unsynced = false;
}

/* Cut where it is long, and nothing in it that ends a field or a line or drives a terminal. */
static void add_field(struct strbuf *out, const char *from)
{
    char text[1536];

    snprintf(text, sizeof text, "%s", from);
    if (strlen(from) >= sizeof text)
        strcpy(&text[sizeof text - 4], "...");
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    sb_printf(out, "\t%s", text);
}

void journal_add(struct journal *journal, const struct journal_entry *entry)
{
    char line[LINE_MAX_OCTETS];
    struct strbuf out = sb_init(line, sizeof line);
    uint64_t time_ms = entry->time_ms;
    struct timespec now;

    if (journal == NULL)
        return;
    if (time_ms == 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    }
    sb_printf(&out, "%" PRIu64 "\t%" PRIu32, time_ms, entry->rule);
    const char *fields[] = {entry->event, entry->peer, entry->state, entry->step,
                            entry->by,    entry->text, entry->reason};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        add_field(&out, fields[i] != NULL ? fields[i] : "");
    write_line(journal, line, strlen(line));
    keep(journal, strdup(line));
}

/* Takes a line (a copy) apart. */
static bool parse(char *line, struct journal_entry *out)
{
    const char *fields[FIELDS];
    char *rest = line;

    for (unsigned i = 0; i < FIELDS; i++) {
        fields[i] = strsep(&rest, "\t");
        if (fields[i] == NULL)
            return false;
    }
    *out = (struct journal_entry){.time_ms = strtoull(fields[0], NULL, 10),
                                  .rule = (uint32_t)strtoul(fields[1], NULL, 10),
                                  .event = fields[2],
                                  .peer = fields[3],
                                  .state = fields[4],
                                  .step = fields[5],
                                  .by = fields[6],
                                  .text = fields[7],
                                  .reason = fields[8]};
    return true;
}

static bool fits(const struct journal_query *query, const struct journal_entry *entry)
{
    return (query->rule == 0 || query->rule == entry->rule) &&
           (query->peer == NULL || strcmp(query->peer, entry->peer) == 0) &&
           (query->step == NULL || strcmp(query->step, entry->step) == 0);
}

static const char *line_at(const struct journal *journal, size_t i)
{
    return journal->lines[(journal->first + i) % journal->capacity];
}

void journal_each(const struct journal *journal, const struct journal_query *query,
                  void (*emit)(void *ctx, const struct journal_entry *entry), void *ctx)
{
    char line[LINE_MAX_OCTETS];
    struct journal_entry entry;
    size_t from = journal->count;

    for (size_t found = 0; from > 0 && found < query->limit; from--) {
        snprintf(line, sizeof line, "%s", line_at(journal, from - 1));
        found += parse(line, &entry) && fits(query, &entry);
    }
    for (; from < journal->count; from++) {
        snprintf(line, sizeof line, "%s", line_at(journal, from));
        if (parse(line, &entry) && fits(query, &entry))
            emit(ctx, &entry);
    }
}

uint64_t journal_torn(const struct journal *journal)
{
    return journal->torn;
}
