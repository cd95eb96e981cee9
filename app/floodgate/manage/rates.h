/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets and bits per second, from totals read once a second. Pure: time is passed in. */
#ifndef FLOODGATE_RATES_H
#define FLOODGATE_RATES_H

#include <stdbool.h>

#include "base/clock.h"
#include "counters/counters.h"

struct rates {
    double rx_packets_per_s, tx_packets_per_s, dropped_packets_per_s;
    double rx_bits_per_s, tx_bits_per_s;
    struct cnt_port_sum last; /* totals at `last_ms` */
    mono_ms_t last_ms;
    bool started;
};

void rates_update(struct rates *rates, const struct cnt_port_sum *now, mono_ms_t now_ms);

#endif
