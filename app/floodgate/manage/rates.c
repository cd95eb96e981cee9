/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/rates.h"

static uint64_t drops(const struct cnt_port_sum *sum)
{
    uint64_t total = 0;

    for (unsigned reason = 0; reason < CNT_DROP_COUNT; reason++)
        total += sum->drops[reason];
    return total;
}

void rates_update(struct rates *rates, const struct cnt_port_sum *now, mono_ms_t now_ms)
{
    const struct cnt_port_sum *last = &rates->last;

    if (rates->started && now_ms > rates->last_ms) {
        double seconds = (double)(now_ms - rates->last_ms) / MONO_MS_PER_S;
        rates->rx_packets_per_s = (double)(now->rx_packets - last->rx_packets) / seconds;
        rates->tx_packets_per_s = (double)(now->tx_packets - last->tx_packets) / seconds;
        rates->dropped_packets_per_s = (double)(drops(now) - drops(last)) / seconds;
        rates->rx_bits_per_s = (double)(now->rx_bytes - last->rx_bytes) * 8 / seconds;
        rates->tx_bits_per_s = (double)(now->tx_bytes - last->tx_bytes) * 8 / seconds;
    }
    rates->last = *now;
    rates->last_ms = now_ms;
    rates->started = true;
}
