/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle: checks what callers pass, dispatches to the engine, and keeps replicas alike. */
#include "classifier/classifier.h"

#include <errno.h>
#include <stdlib.h>

#include "classifier/arena.h"
#include "classifier/engine.h"

static const struct cls_engine_ops *const engines[] = {
    [CLS_LINEAR] = &cls_linear_ops,
    [CLS_FAST] = &cls_fast_ops,
};

/* One replica; the writer's handle is the first. */
struct cls {
    const struct cls_engine_ops *ops;
    void *engine;
    struct cls *next; /* the next replica */
    struct rcu *rcu;
    const size_t *shared_bytes;
};

static struct cls *replica_create(const struct cls_conf *conf, const struct cls_memory *memory, unsigned replicas)
{
    struct cls_conf own = *conf;
    struct cls *cls = calloc(1, sizeof *cls);

    if (cls == NULL)
        return NULL;
    own.memory = memory;
    own.memory_bytes = conf->shared_bytes != NULL ? conf->memory_bytes : conf->memory_bytes / replicas;
    cls->ops = engines[conf->engine];
    cls->rcu = conf->rcu;
    cls->shared_bytes = conf->shared_bytes;
    cls->engine = cls->ops->create(&own);
    if (cls->engine == NULL) {
        free(cls);
        return NULL;
    }
    return cls;
}

struct cls *cls_create(const struct cls_conf *conf)
{
    unsigned replicas = conf->engine == CLS_FAST && conf->replicas > 1 ? conf->replicas : 1;
    struct cls *first = NULL, **tail = &first;

    if (replicas > CLS_REPLICAS_MAX)
        return NULL;
    for (unsigned i = 0; i < replicas; i++) {
        *tail = replica_create(conf, conf->memory != NULL ? &conf->memory[i] : &cls_system_memory, replicas);
        if (*tail == NULL) {
            cls_free(first);
            return NULL;
        }
        tail = &(*tail)->next;
    }
    return first;
}

void cls_free(struct cls *cls)
{
    while (cls != NULL) {
        struct cls *next = cls->next;
        cls->ops->free(cls->engine);
        free(cls);
        cls = next;
    }
}

unsigned cls_replicas(const struct cls *cls)
{
    unsigned count = 0;

    for (; cls != NULL; cls = cls->next)
        count++;
    return count;
}

const struct cls *cls_replica(const struct cls *cls, unsigned n)
{
    while (n-- > 0)
        cls = cls->next;
    return cls;
}

static void changes_abort(struct cls *cls, const struct cls_change *changes, unsigned begun)
{
    for (unsigned i = 0; i < begun; i++, cls = cls->next)
        cls->ops->add_abort(cls->engine, &changes[i]);
}

/* In every replica or in none. */
static int add_to_all(struct cls *first, uint32_t id, const struct fs_rule *rule)
{
    struct cls_change changes[CLS_REPLICAS_MAX];
    bool replaces = false;
    unsigned begun = 0;

    for (struct cls *cls = first; cls != NULL; cls = cls->next, begun++) {
        int error = cls->ops->add_begin(cls->engine, id, rule, &changes[begun]);
        if (error != 0) {
            changes_abort(first, changes, begun);
            return error;
        }
        if (changes[begun].fresh == NULL)
            return 0;
        replaces |= changes[begun].old != NULL;
    }
    if (replaces)
        rcu_synchronize(first->rcu);
    for (unsigned i = 0; i < begun; i++, first = first->next)
        first->ops->add_finish(first->engine, &changes[i]);
    return 0;
}

/* What the limit is compared with. */
static size_t limited_bytes(const struct cls *cls)
{
    struct cls_stats stats;

    if (cls->shared_bytes != NULL)
        return *cls->shared_bytes;
    cls_stats_get(cls, &stats);
    return stats.memory_bytes;
}

int cls_rule_add(struct cls *cls, uint32_t id, const struct fs_rule *rule)
{
    if (id == CLS_NO_MATCH)
        return -EINVAL;
    if (cls->ops->add != NULL)
        return cls->ops->add(cls->engine, id, rule);
    int error = add_to_all(cls, id, rule);
    if (error != -ENOMEM)
        return error;
    /* Retired memory that has become free makes room. Not in the middle of a change, which relies on what it found. */
    size_t before = limited_bytes(cls);
    rcu_reclaim(cls->rcu);
    return limited_bytes(cls) < before ? add_to_all(cls, id, rule) : error;
}

int cls_rule_remove(struct cls *cls, uint32_t id)
{
    int error = id == CLS_NO_MATCH ? -ENOENT : 0;

    for (; cls != NULL && error == 0; cls = cls->next)
        error = cls->ops->remove(cls->engine, id);
    return error;
}

void cls_match_burst(const struct cls *cls, const struct pkt_key *keys, uint32_t *ids, unsigned count)
{
    cls->ops->match_burst(cls->engine, keys, ids, count);
}

uint32_t cls_match_after(const struct cls *cls, const struct pkt_key *key, uint32_t id)
{
    return cls->ops->match_after(cls->engine, key, id);
}

void cls_stats_get(const struct cls *cls, struct cls_stats *out)
{
    struct cls_stats one;

    cls->ops->stats(cls->engine, out);
    for (cls = cls->next; cls != NULL; cls = cls->next) {
        cls->ops->stats(cls->engine, &one);
        out->memory_bytes += one.memory_bytes;
    }
}
