/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/json_limit.h"

#include <stdio.h>

#include "action/action.h"
#include "manage/json_util.h"

static void set_room(json_t *o, const struct act_room *room, float per_s, const char *unit)
{
    double rate = (double)per_s < ACT_RATE_MAX ? (double)per_s : ACT_RATE_MAX;
    char name[32];

    if (!room->limits)
        return;
    snprintf(name, sizeof name, "%s_per_s", unit);
    json_object_set_new(o, name, json_real(rate));
    snprintf(name, sizeof name, "burst_%s", unit);
    json_set_uint(o, name, room->burst);
    snprintf(name, sizeof name, "room_%s", unit);
    json_set_uint(o, name, room->room);
}

json_t *json_limit(const struct act_program *program, uint64_t now_ns, uint32_t bytes, bool *conforms)
{
    struct act_room of_bytes, of_packets;

    if (conforms != NULL)
        *conforms = true;
    if (program == NULL || program->limit == NULL)
        return NULL;
    of_bytes = act_limit_bytes_room(program->limit, now_ns, bytes);
    of_packets = act_limit_packets_room(program->limit, now_ns);
    if (conforms != NULL)
        *conforms = of_bytes.conforms && of_packets.conforms;
    json_t *o = json_object();
    set_room(o, &of_bytes, program->rate_bytes_per_s, "bytes");
    set_room(o, &of_packets, program->rate_packets_per_s, "packets");
    return o;
}
