/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Publish, read, retire: the only way data that workers read is ever changed. A typed wrapper of rte_rcu_qsbr
 * (quiescent-state based: readers pay one store per burst).
 *
 * The writer (the control thread, alone) publishes with rcu_publish, and hands what it replaced to rcu_retire. Readers
 * (workers, each with its own number) load with rcu_load and keep nothing across rcu_quiescent. Retired memory is
 * freed by rcu_reclaim once every online reader has passed a quiescent point after the retirement.
 */
#ifndef RCU_RCU_H
#define RCU_RCU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rcu;

/* `readers`: how many reader numbers, 0 .. readers-1. NULL when memory is short. */
struct rcu *rcu_create(unsigned readers);

/* Frees what is still retired, too: no reader may be online. */
void rcu_free(struct rcu *rcu);

/* Reader: starts and stops being waited for. Offline readers hold no published pointer. */
void rcu_reader_online(struct rcu *rcu, unsigned reader);
void rcu_reader_offline(struct rcu *rcu, unsigned reader);

/* Reader: "I hold nothing that I loaded before now." Once per burst. */
void rcu_quiescent(struct rcu *rcu, unsigned reader);

/*
 * Writer: calls release(memory) once no reader can hold `memory`, which has been unpublished already. Does not wait,
 * unless there is no memory to remember the item by: then it waits for the readers and releases at once.
 */
void rcu_retire(struct rcu *rcu, void (*release)(void *memory), void *memory);

/* As rcu_retire, with a context for the release function. */
void rcu_retire_ctx(struct rcu *rcu, void (*release)(void *ctx, void *memory), void *ctx, void *memory);

/* Writer: releases what has become free, without waiting. Returns how many retired items still wait. */
size_t rcu_reclaim(struct rcu *rcu);

/*
 * Writer: waits until every reader online has passed a quiescent point, then releases everything retired before. The
 * calling thread must not be a reader online.
 */
void rcu_synchronize(struct rcu *rcu);

/*
 * A number that rises with each change; rcu_seen says whether every online reader has passed a quiescent point since
 * (for measuring the time from a change to its visibility). Writer only.
 */
uint64_t rcu_ticket(struct rcu *rcu);
bool rcu_seen(struct rcu *rcu, uint64_t ticket);

/* A pointer that the writer publishes and readers load. */
#define RCU_POINTER(type)        _Atomic(type *)
#define rcu_publish(slot, value) atomic_store_explicit((slot), (value), memory_order_release)
#define rcu_load(slot)           atomic_load_explicit((slot), memory_order_acquire)

#endif
