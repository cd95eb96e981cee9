/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tsc_clock.h"

#include <time.h>

#include <rte_cycles.h>

#define MEASURE_MS 25 /* two readings 100 ns off make 8 millionths */
#define TRIES      16

struct reading {
    uint64_t tsc;
    uint64_t ns;
};

/* The counter and the clock at the same moment: of several tries the one that was interrupted least. */
static struct reading read_both(void)
{
    struct reading best = {.tsc = 0};
    uint64_t best_gap = UINT64_MAX;

    for (int i = 0; i < TRIES; i++) {
        struct timespec now;
        uint64_t before = rte_rdtsc_precise();
        clock_gettime(CLOCK_MONOTONIC, &now);
        uint64_t gap = rte_rdtsc_precise() - before;
        if (gap < best_gap) {
            best_gap = gap;
            best.tsc = before + gap / 2;
            best.ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        }
    }
    return best;
}

uint64_t tsc_clock_measure_hz(void)
{
    const struct timespec pause = {.tv_nsec = MEASURE_MS * 1000000l};
    struct reading first = read_both();

    nanosleep(&pause, NULL);
    struct reading second = read_both();
    if (second.ns <= first.ns || second.tsc <= first.tsc)
        return rte_get_tsc_hz();
    return (uint64_t)((double)(second.tsc - first.tsc) * 1e9 / (double)(second.ns - first.ns));
}
