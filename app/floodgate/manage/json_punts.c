/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/json_punts.h"

#include "dataplane/dataplane.h"
#include "manage/json_util.h"

void json_punts_add(json_t *counters, const struct dataplane *dp)
{
    struct dataplane_punt punt;
    struct dataplane_kernel kernel;

    if (!dataplane_punt_get(dp, 0, &punt))
        return;
    json_t *punts = json_object(), *o = json_object();
    for (unsigned i = 0; dataplane_punt_get(dp, i, &punt); i++) {
        json_t *kind = json_object();
        json_set_uint(kind, "packets", punt.packets);
        json_set_uint(kind, "dropped", punt.dropped);
        json_set_uint(kind, "limit_per_s", punt.limit_per_s);
        json_object_set_new(punts, punt.name, kind);
    }
    dataplane_kernel_get(dp, &kernel);
    json_set_uint(o, "delivered", kernel.delivered);
    json_set_uint(o, "lost", kernel.lost);
    json_set_uint(o, "taken", kernel.taken);
    json_set_uint(o, "refused", kernel.refused);
    json_object_set_new(counters, "punts", punts);
    json_object_set_new(counters, "kernel", o);
}
