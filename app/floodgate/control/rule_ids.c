/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rule_ids.h"

#include <stdlib.h>

#include "base/idpool.h"
#include "dataplane/dataplane.h"

struct id_slot {
    struct rule *rule; /* NULL: free, or only waiting for its release */
    bool clearing;     /* the data plane has not released it yet */
};

struct rule_ids {
    struct idpool *pool;
    uint32_t capacity;
    struct id_slot *slots; /* by id */
    uint32_t room;         /* ids that `slots` has room for */
    uint32_t waiting;      /* slots with `clearing` */
    bool closed;
    rule_ids_released_fn released;
    void *ctx;
};

struct rule_ids *rule_ids_create(uint32_t capacity, rule_ids_released_fn released, void *ctx)
{
    struct rule_ids *ids = calloc(1, sizeof *ids);

    if (ids == NULL)
        return NULL;
    ids->pool = idpool_create(capacity);
    if (ids->pool == NULL) {
        free(ids);
        return NULL;
    }
    ids->capacity = capacity;
    ids->released = released;
    ids->ctx = ctx;
    return ids;
}

static void ids_free(struct rule_ids *ids)
{
    idpool_free(ids->pool);
    free(ids->slots);
    free(ids);
}

void rule_ids_close(struct rule_ids *ids)
{
    if (ids == NULL)
        return;
    ids->closed = true;
    if (ids->waiting == 0)
        ids_free(ids);
}

static bool slots_grow(struct rule_ids *ids, uint32_t id)
{
    uint32_t room = ids->room > 0 ? ids->room : 64;

    if (id < ids->room)
        return true;
    while (room <= id)
        room = room > UINT32_MAX / 2 ? UINT32_MAX : room * 2;
    struct id_slot *slots = realloc(ids->slots, (size_t)room * sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = ids->room; i < room; i++)
        slots[i] = (struct id_slot){.rule = NULL};
    ids->slots = slots;
    ids->room = room;
    return true;
}

uint32_t rule_ids_take(struct rule_ids *ids, struct rule *rule)
{
    uint32_t id = idpool_take(ids->pool);

    if (id == ID_NONE)
        return ID_NONE;
    if (!slots_grow(ids, id)) {
        idpool_give(ids->pool, id);
        return ID_NONE;
    }
    ids->slots[id].rule = rule;
    return id;
}

struct rule *rule_ids_find(const struct rule_ids *ids, uint32_t id)
{
    return id < ids->room ? ids->slots[id].rule : NULL;
}

static void on_released(void *ctx, uint32_t id)
{
    struct rule_ids *ids = ctx;
    struct rule *rule = ids->slots[id].rule;

    ids->slots[id].clearing = false;
    ids->waiting--;
    if (ids->closed) {
        if (ids->waiting == 0)
            ids_free(ids);
        return;
    }
    if (rule != NULL)
        ids->released(ids->ctx, rule);
    else
        idpool_give(ids->pool, id);
}

void rule_ids_clear(struct rule_ids *ids, struct dataplane *dp, uint32_t id)
{
    /* first, because the data plane may release at once */
    ids->slots[id].clearing = true;
    ids->waiting++;
    dataplane_rule_clear(dp, id, on_released, ids);
}

void rule_ids_give(struct rule_ids *ids, struct dataplane *dp, uint32_t id, bool in_force)
{
    ids->slots[id].rule = NULL;
    if (in_force)
        rule_ids_clear(ids, dp, id);
    else if (!ids->slots[id].clearing)
        idpool_give(ids->pool, id);
}

bool rule_ids_clearing(const struct rule_ids *ids, uint32_t id)
{
    return ids->slots[id].clearing;
}

bool rule_ids_leaving(const struct rule_ids *ids)
{
    return ids->waiting > 0;
}

bool rule_ids_room(const struct rule_ids *ids)
{
    return idpool_used(ids->pool) < ids->capacity;
}
