/* SPDX-License-Identifier: BSD-3-Clause */
#include "action/policer.h"

#define NS_PER_S 1e9

void act_policer_init(struct act_policer *policer, double units_per_s, uint64_t burst_units)
{
    double scale = units_per_s / NS_PER_S;
    uint32_t shift = 0;

    /* as many significant bits as fit: with a time below 2^63 ns (292 years) the product stays below 2^125 */
    while (scale < 0x1p61 && shift < 127) {
        scale *= 2;
        shift++;
    }
    policer->scale = (uint64_t)scale;
    policer->shift = shift;
    policer->burst = burst_units;
    atomic_init(&policer->level, 0);
}

uint64_t act_policer_position(const struct act_policer *policer, uint64_t now_ns)
{
    __extension__ typedef unsigned __int128 uint128_t;

    return (uint64_t)((uint128_t)now_ns * policer->scale >> policer->shift);
}

/*
 * Workers that lag behind see the level farther ahead than the burst, by what the rate lets through during their lag;
 * a thousand bursts (100 s by default) is more than any lag, and far less than a wrap.
 */
uint64_t act_policer_ahead_of(const struct act_policer *policer, uint64_t level, uint64_t at)
{
    uint64_t ahead = level - at;

    return ahead <= policer->burst << 10 ? ahead : 0;
}

uint64_t act_policer_ahead(const struct act_policer *policer, uint64_t now_ns)
{
    uint64_t level = atomic_load_explicit(&policer->level, memory_order_relaxed);

    return act_policer_ahead_of(policer, level, act_policer_position(policer, now_ns));
}

void act_policer_charge(struct act_policer *policer, uint64_t now_ns, uint64_t units)
{
    uint64_t at = act_policer_position(policer, now_ns), next;
    uint64_t level = atomic_load_explicit(&policer->level, memory_order_relaxed);

    do /* relaxed: the level guards no other memory */
        next = at + act_policer_ahead_of(policer, level, at) + units;
    while (!atomic_compare_exchange_weak_explicit(&policer->level, &level, next, memory_order_relaxed,
                                                  memory_order_relaxed));
}

static double rate_bounded(double per_s)
{
    return per_s < ACT_RATE_MAX ? per_s : ACT_RATE_MAX;
}

void act_limit_init(struct act_limit *limit, double bytes_per_s, double packets_per_s, uint32_t burst_ms)
{
    *limit = (struct act_limit){.bytes = {.burst = 0}};
    if (bytes_per_s > 0) {
        double rate = rate_bounded(bytes_per_s), burst = rate * burst_ms / 1000;
        act_policer_init(&limit->bytes, rate, burst > ACT_BURST_BYTES_MIN ? (uint64_t)burst : ACT_BURST_BYTES_MIN);
    }
    if (packets_per_s > 0) {
        double rate = rate_bounded(packets_per_s) * ACT_PACKET_UNITS, burst = rate * burst_ms / 1000;
        act_policer_init(&limit->packets, rate, burst > ACT_PACKET_UNITS ? (uint64_t)burst : ACT_PACKET_UNITS);
    }
}

static struct act_room room_of(const struct act_policer *policer, uint64_t now_ns, uint64_t units, uint64_t unit)
{
    if (policer->burst == 0)
        return (struct act_room){.conforms = true};
    uint64_t ahead = act_policer_ahead(policer, now_ns);
    return (struct act_room){.limits = true,
                             .burst = policer->burst / unit,
                             .room = ahead < policer->burst ? (policer->burst - ahead) / unit : 0,
                             .conforms = act_policer_conforms(policer, ahead, units)};
}

struct act_room act_limit_bytes_room(const struct act_limit *limit, uint64_t now_ns, uint32_t bytes)
{
    return room_of(&limit->bytes, now_ns, bytes, 1);
}

struct act_room act_limit_packets_room(const struct act_limit *limit, uint64_t now_ns)
{
    return room_of(&limit->packets, now_ns, ACT_PACKET_UNITS, ACT_PACKET_UNITS);
}

static void meter_open(struct act_meter *meter, struct act_limit *limit, uint64_t now_ns)
{
    act_meter_close(meter);
    meter->limit = limit;
    meter->now_ns = now_ns;
    meter->bytes_ahead = limit->bytes.burst > 0 ? act_policer_ahead(&limit->bytes, now_ns) : 0;
    meter->packets_ahead = limit->packets.burst > 0 ? act_policer_ahead(&limit->packets, now_ns) : 0;
    meter->bytes = meter->packet_units = 0;
}

bool act_meter_admit(struct act_meter *meter, struct act_limit *limit, uint64_t now_ns, uint32_t bytes)
{
    if (meter->limit != limit)
        meter_open(meter, limit, now_ns);
    if (!act_policer_conforms(&limit->bytes, meter->bytes_ahead + meter->bytes, bytes) ||
        !act_policer_conforms(&limit->packets, meter->packets_ahead + meter->packet_units, ACT_PACKET_UNITS))
        return false;
    meter->bytes += bytes;
    meter->packet_units += ACT_PACKET_UNITS;
    return true;
}

void act_meter_charge(struct act_meter *meter)
{
    struct act_limit *limit = meter->limit;

    if (meter->packet_units == 0) /* nothing passed: other workers keep the line */
        return;
    if (limit->bytes.burst > 0)
        act_policer_charge(&limit->bytes, meter->now_ns, meter->bytes);
    if (limit->packets.burst > 0)
        act_policer_charge(&limit->packets, meter->now_ns, meter->packet_units);
}
