/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many packets of a kind the control thread takes in a second, of all workers together: a bucket that fills with
 * time. A flood of one kind takes nothing from another.
 */
#ifndef FLOODGATE_PUNT_LIMIT_H
#define FLOODGATE_PUNT_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct punt_limit {
    _Atomic uint64_t spent_until_tsc; /* workers */
    _Atomic uint64_t each_tsc;        /* [control] of one packet; 0: none passes */
    _Atomic uint64_t room_tsc;        /* [control] of as many as may come at once */
    uint32_t packets_per_s;           /* control thread alone: as it was set */
    uint32_t own_line[9];             /* two kinds never share a cache line */
};

/*
 * Control thread: from now on `packets_per_s`. A tenth of a second of it may come at once, 64 packets at least and 1024
 * at most: what the control thread takes in one turn or two.
 */
void punt_limit_set(struct punt_limit *limit, uint32_t packets_per_s, uint64_t tsc_hz);

/* Worker: whether one more may pass. Beyond the limit nothing is written, so that a flood costs other workers nothing.
 */
static inline bool punt_limit_admit(struct punt_limit *limit, uint64_t now_tsc)
{
    uint64_t each = atomic_load_explicit(&limit->each_tsc, memory_order_relaxed);
    uint64_t room = atomic_load_explicit(&limit->room_tsc, memory_order_relaxed);
    uint64_t spent = atomic_load_explicit(&limit->spent_until_tsc, memory_order_relaxed), from;

    do {
        from = now_tsc > room && spent < now_tsc - room ? now_tsc - room : spent;
        if (each == 0 || from + each > now_tsc)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&limit->spent_until_tsc, &spent, from + each, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

#endif
