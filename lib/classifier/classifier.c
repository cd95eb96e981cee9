/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle: checks what callers pass and dispatches to the engine. */
#include "classifier/classifier.h"

#include <errno.h>
#include <stdlib.h>

#include "classifier/engine.h"

static const struct cls_engine_ops *const engines[] = {
    [CLS_LINEAR] = &cls_linear_ops,
    [CLS_FAST] = &cls_fast_ops,
};

struct cls {
    const struct cls_engine_ops *ops;
    void *engine;
};

struct cls *cls_create(const struct cls_conf *conf)
{
    struct cls *cls = calloc(1, sizeof *cls);

    if (cls == NULL)
        return NULL;
    cls->ops = engines[conf->engine];
    cls->engine = cls->ops->create(conf);
    if (cls->engine == NULL) {
        free(cls);
        return NULL;
    }
    return cls;
}

void cls_free(struct cls *cls)
{
    if (cls == NULL)
        return;
    cls->ops->free(cls->engine);
    free(cls);
}

int cls_rule_add(struct cls *cls, uint32_t id, const struct fs_rule *rule)
{
    return id == CLS_NO_MATCH ? -EINVAL : cls->ops->add(cls->engine, id, rule);
}

int cls_rule_remove(struct cls *cls, uint32_t id)
{
    return id == CLS_NO_MATCH ? -ENOENT : cls->ops->remove(cls->engine, id);
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
    cls->ops->stats(cls->engine, out);
}
