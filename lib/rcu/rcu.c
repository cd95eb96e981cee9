/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Quiescent-state based reclamation over rte_rcu_qsbr, with a queue of our own: rte_rcu_qsbr's defer queue has a
 * fixed size and copies fixed-size elements, while a withdrawn session may retire a million rules at once.
 */
#include "rcu/rcu.h"

#include <rte_pause.h>
#include <rte_rcu_qsbr.h>
#include <stdlib.h>

/* One retired piece of memory. Tokens rise along the queue, so the head is always the first to become free. */
struct retired {
    struct retired *next;
    uint64_t token;
    void (*release)(void *memory);
    void (*release_ctx)(void *ctx, void *memory); /* instead of `release` where that is NULL */
    void *ctx;
    void *memory;
};

struct rcu {
    struct rte_rcu_qsbr *qsbr;
    struct retired *head; /* the queue is the writer's alone */
    struct retired **tail;
    size_t waiting;
};

struct rcu *rcu_create(unsigned readers)
{
    unsigned numbers = readers ? readers : 1; /* rte_rcu_qsbr refuses to start with none */
    size_t size = rte_rcu_qsbr_get_memsize(numbers);
    struct rcu *rcu = calloc(1, sizeof *rcu);

    if (rcu == NULL)
        return NULL;
    rcu->tail = &rcu->head;
    rcu->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
    if (rcu->qsbr == NULL || rte_rcu_qsbr_init(rcu->qsbr, numbers) != 0) {
        free(rcu->qsbr);
        free(rcu);
        return NULL;
    }
    /* Registered for good: a reader that is offline is not waited for, and going online stays a store and a fence. */
    for (unsigned reader = 0; reader < numbers; reader++)
        rte_rcu_qsbr_thread_register(rcu->qsbr, reader);
    return rcu;
}

static void retired_release(struct retired *item)
{
    if (item->release != NULL)
        item->release(item->memory);
    else
        item->release_ctx(item->ctx, item->memory);
}

/* Takes the head off the queue and releases it. A release function may itself retire more: it goes to the tail. */
static void release_head(struct rcu *rcu)
{
    struct retired *item = rcu->head;

    rcu->head = item->next;
    if (rcu->head == NULL)
        rcu->tail = &rcu->head;
    rcu->waiting--;
    retired_release(item);
    free(item);
}

void rcu_free(struct rcu *rcu)
{
    if (rcu == NULL)
        return;
    while (rcu->head != NULL)
        release_head(rcu);
    free(rcu->qsbr);
    free(rcu);
}

void rcu_reader_online(struct rcu *rcu, unsigned reader)
{
    rte_rcu_qsbr_thread_online(rcu->qsbr, reader);
}

void rcu_reader_offline(struct rcu *rcu, unsigned reader)
{
    rte_rcu_qsbr_thread_offline(rcu->qsbr, reader);
}

void rcu_quiescent(struct rcu *rcu, unsigned reader)
{
    rte_rcu_qsbr_quiescent(rcu->qsbr, reader);
}

/* Not rte_rcu_qsbr_check(wait = true): one way of waiting, visible to sanitizers, kind to a sibling hyperthread. */
static void wait_for(struct rcu *rcu, uint64_t token)
{
    while (!rte_rcu_qsbr_check(rcu->qsbr, token, false))
        rte_pause();
}

static void retire(struct rcu *rcu, struct retired what)
{
    struct retired *item = malloc(sizeof *item);

    if (item == NULL) {
        /* Without memory to remember it by, wait for the readers here: slow, but nothing leaks or is freed early. */
        wait_for(rcu, rte_rcu_qsbr_start(rcu->qsbr));
        retired_release(&what);
        return;
    }
    *item = what;
    item->token = rte_rcu_qsbr_start(rcu->qsbr);
    item->next = NULL;
    *rcu->tail = item;
    rcu->tail = &item->next;
    rcu->waiting++;
}

void rcu_retire(struct rcu *rcu, void (*release)(void *memory), void *memory)
{
    retire(rcu, (struct retired){.release = release, .memory = memory});
}

void rcu_retire_ctx(struct rcu *rcu, void (*release)(void *ctx, void *memory), void *ctx, void *memory)
{
    retire(rcu, (struct retired){.release_ctx = release, .ctx = ctx, .memory = memory});
}

size_t rcu_reclaim(struct rcu *rcu)
{
    while (rcu->head != NULL && rte_rcu_qsbr_check(rcu->qsbr, rcu->head->token, false))
        release_head(rcu);
    return rcu->waiting;
}

void rcu_synchronize(struct rcu *rcu)
{
    uint64_t token = rte_rcu_qsbr_start(rcu->qsbr);

    wait_for(rcu, token);
    while (rcu->head != NULL && rcu->head->token <= token)
        release_head(rcu);
}

uint64_t rcu_ticket(struct rcu *rcu)
{
    return rte_rcu_qsbr_start(rcu->qsbr);
}

bool rcu_seen(struct rcu *rcu, uint64_t ticket)
{
    return rte_rcu_qsbr_check(rcu->qsbr, ticket, false) == 1;
}
