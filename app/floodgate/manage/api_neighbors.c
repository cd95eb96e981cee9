/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's command `neighbors`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "forward/forward.h"
#include "manage/api_commands.h"
#include "manage/json_util.h"
#include "ports/ports.h"

struct list {
    struct fwd_neighbor_info *info;
    size_t count, room;
    bool is_short; /* of memory */
};

static void add(void *ctx, const struct fwd_neighbor_info *info)
{
    struct list *list = ctx;

    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct fwd_neighbor_info *more = realloc(list->info, room * sizeof *more);
        if (more == NULL) {
            list->is_short = true;
            return;
        }
        list->info = more;
        list->room = room;
    }
    list->info[list->count++] = *info;
}

/* By port, IPv4 first, then by address. */
static int compare(const void *one, const void *other)
{
    const struct fwd_neighbor_info *a = one, *b = other;

    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    if (a->address.family != b->address.family)
        return a->address.family == IP_V4 ? -1 : 1;
    return memcmp(a->address.octets, b->address.octets, sizeof a->address.octets);
}

static json_t *neighbor_json(const struct fwd_neighbor_info *info, const struct ports *ports, mono_ms_t now)
{
    json_t *o = json_object();
    char address[IP_TEXT_SIZE], mac[18];
    const uint8_t *m = info->mac;

    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    json_set_text(o, "address", ip_addr_format(&info->address, address));
    json_set_text(o, "port", ports->port[info->port].name);
    json_object_set_new(o, "mac", info->state == FWD_NEIGHBOR_ASKED ? json_null() : json_string(mac));
    json_set_text(o, "state", fwd_neighbor_state_name(info->state));
    json_object_set_new(o, "age_s",
                        info->state == FWD_NEIGHBOR_STATIC || info->since > now
                            ? json_null()
                            : json_integer((json_int_t)((now - info->since) / MONO_MS_PER_S)));
    json_set_uint(o, "held_packets", info->held);
    return o;
}

void api_run_neighbors(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const struct fwd *fwd = dataplane_fwd(state->dp);
    struct list list = {.count = 0};
    json_t *array = json_array();

    (void)args;
    if (fwd != NULL)
        fwd_neighbors_walk(fwd, add, &list);
    if (list.count > 0)
        qsort(list.info, list.count, sizeof list.info[0], compare);
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(array, neighbor_json(&list.info[i], dataplane_ports(state->dp), api_now_ms()));
    free(list.info);
    if (list.is_short)
        json_decref(array); /* half a list would mislead */
    else
        answer->result = array;
}
