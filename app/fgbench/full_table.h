/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes as the Internet has them: as many of each length, and the longer ones close together within allocations. */
#ifndef FGBENCH_FULL_TABLE_H
#define FGBENCH_FULL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "bench.h"

#define FULL_TABLE_V4 1000000u
#define FULL_TABLE_V6 230000u

struct full_table {
    unsigned family; /* IP_V4 or IP_V6 */
    unsigned count;
    struct ip_prefix *prefixes; /* each once, in no order */
};

/* False when memory is short. */
bool full_table_make(struct full_table *table, unsigned family, unsigned count, struct bench_random *random);
void full_table_free(struct full_table *table);

/* An address within prefix `at`. */
void full_table_address(const struct full_table *table, unsigned at, struct bench_random *random, uint8_t address[16]);

/* Looked for from end to end: the longest prefix that covers the address, or -1. `gone` (may be NULL): 1 for each that
 * does not count. */
int full_table_match(const struct full_table *table, const uint8_t *gone, const uint8_t address[16]);

#endif
