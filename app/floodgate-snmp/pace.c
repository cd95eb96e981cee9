/* SPDX-License-Identifier: BSD-3-Clause */
#include "pace.h"

void pace_init(struct pace *pace, uint32_t burst, uint32_t per_s, uint64_t now_ms)
{
    *pace = (struct pace){.burst = burst, .per_s = per_s, .room_thousandths = UINT64_C(1000) * burst, .at_ms = now_ms};
}

bool pace_take(struct pace *pace, uint64_t now_ms)
{
    uint64_t most = UINT64_C(1000) * pace->burst, passed_ms = now_ms - pace->at_ms;
    bool full = pace->per_s > 0 && passed_ms > most / pace->per_s;

    pace->room_thousandths = full ? most : pace->room_thousandths + passed_ms * pace->per_s;
    if (pace->room_thousandths > most)
        pace->room_thousandths = most;
    pace->at_ms = now_ms;
    if (pace->room_thousandths < 1000)
        return false;
    pace->room_thousandths -= 1000;
    return true;
}
