/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/punt_limit.h"

#define AT_ONCE_PER_S 10 /* of the second's packets: one in so many */
#define AT_ONCE_MIN   64
#define AT_ONCE_MAX   1024

void punt_limit_set(struct punt_limit *limit, uint32_t packets_per_s, uint64_t tsc_hz)
{
    uint64_t each = packets_per_s > 0 ? tsc_hz / packets_per_s : 0, at_once = packets_per_s / AT_ONCE_PER_S;

    at_once = at_once < AT_ONCE_MIN ? AT_ONCE_MIN : at_once > AT_ONCE_MAX ? AT_ONCE_MAX : at_once;
    limit->packets_per_s = packets_per_s;
    atomic_store_explicit(&limit->each_tsc, each, memory_order_relaxed);
    atomic_store_explicit(&limit->room_tsc, each * at_once, memory_order_relaxed);
}
