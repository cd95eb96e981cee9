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

/* One kind of limit per source; with a packet also the room of its source. Returns whether that packet conforms. */
static bool add_sources(json_t *list, struct act_sources *sources, const struct act_source_rate *rate, const char *kind,
                        uint64_t now_ns, const struct pkt_key *key)
{
    json_t *o = json_object();
    struct act_source_room room = {.conforms = true};

    json_set_text(o, "counts", kind);
    json_object_set_new(o, "per_s", json_real((double)rate->rate_per_s));
    json_set_uint(o, "prefix_length", rate->length);
    json_set_uint(o, "sources", rate->sources);
    json_set_uint(o, "tracked", act_sources_tracked(sources, now_ns));
    if (key != NULL) {
        room = act_sources_room(sources, key, now_ns);
        json_set_uint(o, "burst", room.burst);
        json_set_uint(o, "room", room.room);
    }
    json_array_append_new(list, o);
    return room.conforms;
}

static json_t *json_sources(const struct act_program *program, uint64_t now_ns, const struct pkt_key *key,
                            bool *conforms)
{
    json_t *list = json_array();

    if (program->by_source[0] != NULL &&
        !add_sources(list, program->by_source[0], &program->source_bytes, "bytes", now_ns, key))
        *conforms = false;
    if (program->by_source[1] != NULL &&
        !add_sources(list, program->by_source[1], &program->source_packets, "packets", now_ns, key))
        *conforms = false;
    return list;
}

static bool add_whole(json_t *o, const struct act_program *program, uint64_t now_ns, uint32_t bytes)
{
    struct act_room of_bytes = act_limit_bytes_room(program->limit, now_ns, bytes);
    struct act_room of_packets = act_limit_packets_room(program->limit, now_ns);

    set_room(o, &of_bytes, program->rate_bytes_per_s, "bytes");
    set_room(o, &of_packets, program->rate_packets_per_s, "packets");
    return of_bytes.conforms && of_packets.conforms;
}

json_t *json_limit(const struct act_program *program, uint64_t now_ns, const struct pkt_key *key, bool *conforms)
{
    bool passes = true;
    json_t *o = json_object();

    if (program != NULL && program->limit != NULL)
        passes = add_whole(o, program, now_ns, key != NULL ? key->length : 0);
    if (program != NULL && (program->by_source[0] != NULL || program->by_source[1] != NULL))
        json_object_set_new(o, "per_source", json_sources(program, now_ns, key, &passes));
    if (conforms != NULL)
        *conforms = passes;
    if (json_object_size(o) > 0)
        return o;
    json_decref(o);
    return NULL;
}
