/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/route_lane.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 1024 /* items; a multiple of 64 */

/* Words of eight octets, those that are new zero. */
static bool words_grow(uint64_t **words, size_t from, size_t to)
{
    uint64_t *bigger = realloc(*words, to * sizeof **words);

    if (bigger == NULL)
        return false;
    memset(bigger + from, 0, (to - from) * sizeof *bigger);
    *words = bigger;
    return true;
}

bool lane_reserve(struct lane *lane, uint32_t item)
{
    size_t room = lane->room > 0 ? lane->room : ROOM_FIRST;

    if (item < lane->room)
        return true;
    while (room <= item)
        room += room / 256 * 64 + 64; /* a quarter more: of a full table, half of it in vain would be many megabytes */
    if (!words_grow(&lane->told, lane->room, room) || !words_grow(&lane->pending, lane->room / 64, room / 64))
        return false;
    lane->room = room;
    return true;
}

bool lane_pends(const struct lane *lane, uint32_t item)
{
    return (lane->pending[item / 64] >> item % 64 & 1) != 0;
}

bool lane_push(struct lane *lane, uint32_t item)
{
    if (lane->queued == lane->queue_room && lane->queue_at > lane->queued / 2) {
        lane->queued -= lane->queue_at;
        memmove(lane->queue, lane->queue + lane->queue_at, lane->queued * sizeof lane->queue[0]);
        lane->queue_at = 0;
    }
    if (lane->queued == lane->queue_room) {
        size_t room = lane->queue_room > 0 ? 2 * lane->queue_room : ROOM_FIRST;
        uint32_t *bigger = realloc(lane->queue, room * sizeof *bigger);
        if (bigger == NULL)
            return false;
        lane->queue = bigger;
        lane->queue_room = room;
    }
    lane->queue[lane->queued++] = item;
    lane->pending[item / 64] |= UINT64_C(1) << item % 64;
    return true;
}

void lane_settle(struct lane *lane, uint32_t item)
{
    lane->pending[item / 64] &= ~(UINT64_C(1) << item % 64);
}

size_t lane_waiting(const struct lane *lane)
{
    return lane->queued - lane->queue_at;
}

uint32_t lane_pull(struct lane *lane)
{
    return lane->queue[lane->queue_at++];
}

void lane_rest(struct lane *lane)
{
    if (lane_waiting(lane) > 0)
        return;
    free(lane->queue); /* it may have held a whole table */
    lane->queue = NULL;
    lane->queued = lane->queue_at = lane->queue_room = 0;
}

size_t lane_memory(const struct lane *lane)
{
    return lane->room * sizeof lane->told[0] + lane->room / 64 * sizeof lane->pending[0] +
           lane->queue_room * sizeof lane->queue[0];
}

void lane_free(struct lane *lane)
{
    free(lane->told);
    free(lane->pending);
    free(lane->queue);
}
