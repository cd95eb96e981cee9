/* SPDX-License-Identifier: BSD-3-Clause */
/* Time stamp counter -> nanoseconds since a start, in one multiplication. Set up once, then read by any thread. */
#ifndef FLOODGATE_TSC_CLOCK_H
#define FLOODGATE_TSC_CLOCK_H

#include <stdint.h>

struct tsc_clock {
    uint64_t start_tsc;
    uint64_t ns_per_tick_q32; /* 32 bits of fraction */
};

/*
 * The counter's frequency, measured in some 25 ms to a few millionths. rte_get_tsc_hz rounds to 10 MHz: up to 0.2 %
 * off, which would be minutes a day, and as much in every rate limit.
 */
uint64_t tsc_clock_measure_hz(void);

static inline struct tsc_clock tsc_clock_start(uint64_t start_tsc, uint64_t tsc_hz)
{
    return (struct tsc_clock){.start_tsc = start_tsc, .ns_per_tick_q32 = (1000000000ull << 32) / tsc_hz};
}

/* 0 before the start: counters of other cores may be behind by a little. */
static inline uint64_t tsc_clock_ns(const struct tsc_clock *clock, uint64_t tsc)
{
    __extension__ typedef unsigned __int128 uint128_t;

    if ((int64_t)(tsc - clock->start_tsc) < 0)
        return 0;
    return (uint64_t)((uint128_t)(tsc - clock->start_tsc) * clock->ns_per_tick_q32 >> 32);
}

#endif
