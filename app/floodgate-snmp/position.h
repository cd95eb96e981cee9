/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far the router's journal was read, and sent: one position among its decisions, one among its verdicts. Kept in a
 * file, if the operator names one. One thread.
 */
#ifndef FLOODGATE_SNMP_POSITION_H
#define FLOODGATE_SNMP_POSITION_H

#include <stdbool.h>
#include <stdint.h>

struct positions {
    uint64_t decisions, verdicts;
};

/* False with `*out` as it was when there is no such file, or when it is none of ours: then after a line on stderr. */
bool positions_load(const char *path, struct positions *out);

/* Replaces the file as a whole. -errno. */
int positions_save(const char *path, const struct positions *positions);

#endif
