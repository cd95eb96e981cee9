/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules that the circuit breaker may suspend, in the order in which it does: newest first, of one second the widest. */
#ifndef FLOODGATE_SUSPECTS_H
#define FLOODGATE_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct rule;

struct suspect {
    uint32_t id;
    mono_ms_t since_ms;
    unsigned width; /* the shorter its destination, the wider */
    double amount;  /* what it takes, in the unit of whoever asks */
};

struct suspects {
    struct suspect *list; /* NULL at first */
    size_t count, room;
};

/* False when memory is short. A rule that is approved or not enforced is left out. */
bool suspects_add(struct suspects *suspects, const struct rule *rule, double amount);
void suspects_sort(struct suspects *suspects);
void suspects_free(struct suspects *suspects);

#endif
