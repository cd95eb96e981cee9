/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/journal_line.h"

struct journal_file {
    char *path, *rotated;
    int fd; /* -1: it could not be opened */
    uint64_t size, most;
    bool unsynced;
    bool cut;             /* it ends within a line */
    bool unsettled;       /* PATH.1 may have what the file has not, and must stay */
    uint64_t retry_at_ms; /* when opening or rotating is tried again; 0: at once */
    atomic_uint rotations;
    pthread_mutex_t lock; /* of what follows, which the control thread takes */
    bool troubled, untold;
    struct journal_news news;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The first trouble is told, and the end of it; what comes between is the same to whoever reads the log. */
static void trouble(struct journal_file *file, const char *what, const char *why, unsigned missing)
{
    pthread_mutex_lock(&file->lock);
    if (!file->troubled) {
        snprintf(file->news.what, sizeof file->news.what, "%s: %s", what, why);
        file->news.well = false;
        file->troubled = file->untold = true;
    }
    file->news.missing += missing;
    pthread_mutex_unlock(&file->lock);
}

static void all_is_well(struct journal_file *file)
{
    pthread_mutex_lock(&file->lock);
    if (file->troubled) {
        file->news.well = true;
        file->troubled = false;
        file->untold = true;
    }
    pthread_mutex_unlock(&file->lock);
}

bool journal_file_news(struct journal_file *file, struct journal_news *out)
{
    pthread_mutex_lock(&file->lock);
    bool untold = file->untold;
    *out = file->news;
    file->untold = false;
    pthread_mutex_unlock(&file->lock);
    return untold;
}

unsigned journal_file_rotations(const struct journal_file *file)
{
    return atomic_load_explicit(&file->rotations, memory_order_relaxed);
}

static void file_try(struct journal_file *file)
{
    struct stat status;

    file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (file->fd < 0) {
        file->retry_at_ms = now_ms() + JOURNAL_RETRY_MS;
        trouble(file, "cannot be opened", strerror(errno), 0);
        return;
    }
    file->size = fstat(file->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
    file->retry_at_ms = 0;
}

struct journal_file *journal_file_open(const char *path, uint64_t most, bool cut, bool unsettled)
{
    struct journal_file *file = calloc(1, sizeof *file);

    if (file == NULL)
        return NULL;
    file->fd = -1;
    file->most = most;
    file->cut = cut;
    file->unsettled = unsettled;
    file->path = strdup(path);
    if (file->path == NULL || asprintf(&file->rotated, "%s.1", path) < 0) {
        free(file->path);
        free(file);
        return NULL;
    }
    pthread_mutex_init(&file->lock, NULL);
    file_try(file);
    return file;
}

void journal_file_close(struct journal_file *file)
{
    if (file == NULL)
        return;
    journal_file_sync(file);
    if (file->fd >= 0)
        close(file->fd);
    pthread_mutex_destroy(&file->lock);
    free(file->path);
    free(file->rotated);
    free(file);
}

/* Where it cannot be, the file grows on: better too long than with a hole. */
static void rotate(struct journal_file *file)
{
    journal_file_sync(file);
    if (rename(file->path, file->rotated) < 0) {
        file->retry_at_ms = now_ms() + JOURNAL_RETRY_MS;
        trouble(file, "cannot be rotated and grows on", strerror(errno), 0);
        return;
    }
    close(file->fd);
    file->cut = false;
    file->unsettled = true;
    atomic_fetch_add_explicit(&file->rotations, 1, memory_order_relaxed);
    file_try(file);
}

/* Whether there is a file to write to. */
static bool ready(struct journal_file *file, size_t more)
{
    bool may_try = file->retry_at_ms == 0 || now_ms() >= file->retry_at_ms;

    if (file->fd < 0 && may_try)
        file_try(file);
    else if (file->fd >= 0 && file->size > 0 && file->size + more > file->most && may_try && !file->unsettled)
        rotate(file);
    else if (may_try)
        file->retry_at_ms = 0;
    if (file->fd >= 0)
        return true;
    trouble(file, "cannot be opened", "it is tried again", 1);
    return false;
}

void journal_file_line(struct journal_file *file, const char *fields, size_t len)
{
    char line[1 + JOURNAL_HEAD_OCTETS + JOURNAL_LINE_OCTETS + 1], head[JOURNAL_HEAD_OCTETS + 1];

    if (len >= JOURNAL_LINE_OCTETS || !ready(file, len + JOURNAL_HEAD_OCTETS + 2))
        return;
    journal_line_head(fields, len, head);
    /* what a full disk cut off stays a torn line: this one stands on its own */
    int size = snprintf(line, sizeof line, "%s%s%.*s\n", file->cut ? "\n" : "", head, (int)len, fields);
    ssize_t written = write(file->fd, line, (size_t)size);
    if (written > 0) {
        file->size += (uint64_t)written;
        file->cut = written < size;
    }
    file->unsynced = true;
    if (written < size)
        trouble(file, "cannot be written", written < 0 ? strerror(errno) : "the disk is full", 1);
    else if (file->retry_at_ms == 0)
        all_is_well(file);
}

void journal_file_settled(struct journal_file *file)
{
    file->unsettled = false;
}

void journal_file_sync(struct journal_file *file)
{
    if (file->unsynced && file->fd >= 0 && fdatasync(file->fd) < 0 && errno != EINVAL) { /* that: it is no disk's */
        file->retry_at_ms = now_ms() + JOURNAL_RETRY_MS;
        trouble(file, "cannot be synced", strerror(errno), 0);
    }
    file->unsynced = false;
}
