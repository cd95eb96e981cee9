/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Monotonic time as a type. Libraries never read a clock: time is passed in by the process that uses them.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that never goes back (CLOCK_MONOTONIC); only differences mean anything. */
typedef uint64_t mono_ms_t;

#define MONO_MS_PER_S 1000u

#endif
