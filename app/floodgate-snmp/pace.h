/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many notifications of one kind may go: so many at once, and so many more each second. What is beyond is left out
 * and counted. Pure: time is passed in.
 */
#ifndef FLOODGATE_SNMP_PACE_H
#define FLOODGATE_SNMP_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    uint32_t burst, per_s;
    uint64_t room_thousandths; /* notifications, in thousandths */
    uint64_t at_ms;
};

void pace_init(struct pace *pace, uint32_t burst, uint32_t per_s, uint64_t now_ms);

/* Whether one may go now. */
bool pace_take(struct pace *pace, uint64_t now_ms);

#endif
