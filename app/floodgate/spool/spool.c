/* SPDX-License-Identifier: BSD-3-Clause */
#include "spool/spool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 65536

/* Records one behind the other, each with its length before it. */
struct batch {
    uint8_t *octets;
    size_t used, room;
};

struct spool {
    const struct spool_ops *ops;
    void *ctx;
    size_t most;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work, rest;
    struct batch waiting;
    bool busy, stop;
    struct batch taken; /* the thread's own while it is busy */
};

static bool batch_grow(struct batch *batch, size_t needed, size_t most)
{
    size_t room = batch->room > 0 ? batch->room : FIRST_ROOM;

    if (needed <= batch->room)
        return true;
    if (needed > most)
        return false;
    while (room < needed)
        room *= 2;
    uint8_t *octets = realloc(batch->octets, room);
    if (octets == NULL)
        return false;
    batch->octets = octets;
    batch->room = room;
    return true;
}

static void batch_run(const struct spool *spool, struct batch *batch)
{
    size_t len;

    for (size_t at = 0; at < batch->used; at += sizeof len + len) {
        memcpy(&len, batch->octets + at, sizeof len);
        spool->ops->record(spool->ctx, batch->octets + at + sizeof len, len);
    }
    batch->used = 0;
    spool->ops->flush(spool->ctx);
}

/* What a burst needed is not needed for every day. */
static void batch_shrink(struct batch *batch)
{
    if (batch->room <= SPOOL_KEPT)
        return;
    free(batch->octets);
    *batch = (struct batch){.octets = NULL};
}

static void *run(void *arg)
{
    struct spool *spool = arg;

    pthread_mutex_lock(&spool->lock);
    for (;;) {
        while (spool->waiting.used == 0 && !spool->stop)
            pthread_cond_wait(&spool->work, &spool->lock);
        if (spool->waiting.used == 0)
            break;
        struct batch empty = spool->taken;
        spool->taken = spool->waiting;
        spool->waiting = empty;
        spool->busy = true;
        pthread_mutex_unlock(&spool->lock);
        batch_run(spool, &spool->taken);
        pthread_mutex_lock(&spool->lock);
        batch_shrink(&spool->taken);
        spool->busy = false;
        pthread_cond_broadcast(&spool->rest);
    }
    pthread_mutex_unlock(&spool->lock);
    return NULL;
}

/* A thread that may not run where it is to run is better than none. */
static bool thread_start(struct spool *spool, const struct spool_conf *conf)
{
    pthread_attr_t attr;

    if (pthread_attr_init(&attr) != 0)
        return false;
    int error = conf->cpus != NULL ? pthread_attr_setaffinity_np(&attr, sizeof *conf->cpus, conf->cpus) : 0;
    if (error == 0)
        error = pthread_create(&spool->thread, &attr, run, spool);
    if (error != 0)
        error = pthread_create(&spool->thread, NULL, run, spool);
    pthread_attr_destroy(&attr);
    if (error == 0)
        pthread_setname_np(spool->thread, conf->name);
    return error == 0;
}

struct spool *spool_create(const struct spool_conf *conf)
{
    struct spool *spool = calloc(1, sizeof *spool);

    if (spool == NULL)
        return NULL;
    spool->ops = conf->ops;
    spool->ctx = conf->ctx;
    spool->most = conf->room;
    pthread_mutex_init(&spool->lock, NULL);
    pthread_cond_init(&spool->work, NULL);
    pthread_cond_init(&spool->rest, NULL);
    if (thread_start(spool, conf))
        return spool;
    pthread_cond_destroy(&spool->rest);
    pthread_cond_destroy(&spool->work);
    pthread_mutex_destroy(&spool->lock);
    free(spool);
    return NULL;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL)
        return;
    pthread_mutex_lock(&spool->lock);
    spool->stop = true;
    pthread_cond_signal(&spool->work);
    pthread_mutex_unlock(&spool->lock);
    pthread_join(spool->thread, NULL);
    pthread_cond_destroy(&spool->rest);
    pthread_cond_destroy(&spool->work);
    pthread_mutex_destroy(&spool->lock);
    free(spool->waiting.octets);
    free(spool->taken.octets);
    free(spool);
}

bool spool_put(struct spool *spool, const void *data, size_t len)
{
    struct batch *batch = &spool->waiting;

    pthread_mutex_lock(&spool->lock);
    bool fits = batch_grow(batch, batch->used + sizeof len + len, spool->most);
    if (fits) {
        memcpy(batch->octets + batch->used, &len, sizeof len);
        memcpy(batch->octets + batch->used + sizeof len, data, len);
        batch->used += sizeof len + len;
        pthread_cond_signal(&spool->work);
    }
    pthread_mutex_unlock(&spool->lock);
    return fits;
}

void spool_wait(struct spool *spool)
{
    pthread_mutex_lock(&spool->lock);
    while (spool->busy || spool->waiting.used > 0)
        pthread_cond_wait(&spool->rest, &spool->lock);
    pthread_mutex_unlock(&spool->lock);
}

size_t spool_memory(struct spool *spool)
{
    pthread_mutex_lock(&spool->lock);
    size_t octets = spool->waiting.room + spool->taken.room;
    pthread_mutex_unlock(&spool->lock);
    return octets;
}
