/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an engine provides. The handle (classifier.c) checks arguments and hands everything else to the engine that
 * the configuration chose; classifier.h is the contract of each function here.
 */
#ifndef CLASSIFIER_ENGINE_H
#define CLASSIFIER_ENGINE_H

#include "classifier/classifier.h"

/* An addition under way in one replica. */
struct cls_change {
    void *fresh;        /* NULL: the rule was there already, nothing to do */
    void *old;          /* the rule that it replaces, NULL: none */
    const void *before; /* what the id stood for */
};

/* An engine is one replica: `memory` and `memory_bytes` of struct cls_conf are its own. */
struct cls_engine_ops {
    void *(*create)(const struct cls_conf *conf);
    void (*free)(void *engine);
    int (*add)(void *engine, uint32_t id, const struct fs_rule *rule); /* NULL: in two steps, see add_begin */
    /*
     * Puts the rule in place beside the one that it replaces, or changes nothing and returns an error. Then, once the
     * readers have passed a quiescent point if something is replaced: add_finish; or add_abort to take it back.
     */
    int (*add_begin)(void *engine, uint32_t id, const struct fs_rule *rule, struct cls_change *change);
    void (*add_finish)(void *engine, const struct cls_change *change);
    void (*add_abort)(void *engine, const struct cls_change *change);
    int (*remove)(void *engine, uint32_t id);
    void (*match_burst)(const void *engine, const struct pkt_key *keys, uint32_t *ids, unsigned count);
    uint32_t (*match_after)(const void *engine, const struct pkt_key *key, uint32_t id);
    void (*stats)(const void *engine, struct cls_stats *out);
};

extern const struct cls_engine_ops cls_linear_ops;
extern const struct cls_engine_ops cls_fast_ops;

/* Whether one component of a rule matches a key of the rule's family. */
bool cls_component_matches(const struct fs_rule *rule, const struct fs_component *component, const struct pkt_key *key);

/* Whether a key can match any rule at all. */
static inline bool cls_key_matchable(const struct pkt_key *key)
{
    return (key->family != IP_NONE) & (key->malformed == 0); /* without a branch */
}

#endif
