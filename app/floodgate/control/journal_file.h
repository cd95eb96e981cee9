/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal's file: append-only, synced, rotated, and tried again where it cannot be opened or rotated. All functions
 * but journal_file_news, which the control thread calls, belong to the thread that writes.
 */
#ifndef FLOODGATE_JOURNAL_FILE_H
#define FLOODGATE_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_RETRY_MS 1000 /* between attempts to open or to rotate */

struct journal_file;

/*
 * `most`: octets, then it becomes PATH.1, once what stands was written into it (journal_file_settled). `cut`: it ends
 * within a line. `unsettled`: PATH.1 may have what the file has not. NULL when memory is short; a file that cannot be
 * opened is tried again.
 */
struct journal_file *journal_file_open(const char *path, uint64_t most, bool cut, bool unsettled);
void journal_file_close(struct journal_file *file); /* synced */

/* Appends fields as one line, with their checksum. */
void journal_file_line(struct journal_file *file, const char *fields, size_t len);

/* What was decided and still stands has been written since the last rotation: what is older may go with the next. */
void journal_file_settled(struct journal_file *file);

/* Brings it to the disk. */
void journal_file_sync(struct journal_file *file);

/* What has become of the file since the last call. False: nothing that must be told. */
struct journal_news {
    bool well;        /* it is written again */
    char what[128];   /* "cannot be opened: Permission denied" */
    uint64_t missing; /* entries that are not in it, so far */
};
bool journal_file_news(struct journal_file *file, struct journal_news *out);

/* How often it was rotated so far; any thread. */
unsigned journal_file_rotations(const struct journal_file *file);

#endif
