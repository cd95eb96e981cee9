/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules -> a match structure that workers read while it changes.
 *
 * One writer (the control thread) adds, replaces and removes rules by id; a change is complete when the call returns
 * and is visible to each reader from its next burst on. A replaced rule is never absent in between. Any number of
 * readers match; they hold nothing across an RCU quiescent point (rcu/rcu.h).
 *
 * A rule matches by RFC 8955 and 8956 exactly; among rules that match, the first in RFC order wins (flowspec/order.h).
 * Rules of SAFI 134 belong to a VRF and are not judged here: one classifier holds the rules of one VRF.
 */
#ifndef CLASSIFIER_CLASSIFIER_H
#define CLASSIFIER_CLASSIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flowspec/rule.h"
#include "packet/key.h"
#include "rcu/rcu.h"

#define CLS_NO_MATCH  0u /* rule ids start at 1 */
#define CLS_BURST_MAX 64

enum cls_engine {
    CLS_LINEAR, /* one rule after the other: the reference */
    CLS_FAST,   /* by destination, source and what is left: a million rules (docs/classifier.md) */
};

/* The instructions that CLS_FAST uses to match. Results are the same. */
enum cls_simd {
    CLS_SIMD_BEST, /* the widest that this processor has */
    CLS_SIMD_SCALAR,
    CLS_SIMD_AVX2,
    CLS_SIMD_AVX512,
    CLS_SIMD_COUNT,
};

#define CLS_MEMORY_ALIGN (2u << 20)
#define CLS_REPLICAS_MAX 8

/* Where memory comes from, in pieces: of a NUMA node, say. Called by the writer. */
struct cls_memory {
    /* `size` octets, all zero, at an address that is a multiple of CLS_MEMORY_ALIGN; NULL when there are none. */
    void *(*take)(void *ctx, size_t size);
    void (*give)(void *ctx, void *memory, size_t size);
    void *ctx;
};

/* Pages of the system, wherever they are; its functions need no `ctx`. */
extern const struct cls_memory cls_system_memory;

struct cls_conf {
    enum cls_engine engine;
    enum cls_simd simd;
    struct rcu *rcu;     /* must outlive the classifier */
    size_t memory_bytes; /* most memory to use, all replicas together; 0: no limit */
    /*
     * CLS_FAST: what all classifiers that are given the same number have in use, for `memory_bytes` to bound their sum;
     * theirs to change, by one writer, and to outlive them. NULL: each counts for itself.
     */
    size_t *shared_bytes;
    /*
     * CLS_FAST keeps so many copies of everything that readers touch, each in memory of its own; 0 is 1. A reader of
     * another replica than the first takes its handle from cls_replica.
     */
    unsigned replicas;
    const struct cls_memory *memory; /* of each replica, copied; NULL: pages of the system, wherever they are */
};

struct cls;

/* Whether this processor and build can do it. CLS_SIMD_BEST and CLS_SIMD_SCALAR always can. */
bool cls_simd_available(enum cls_simd simd);

/* "best", "scalar", "avx2", "avx512". */
const char *cls_simd_name(enum cls_simd simd);

/* NULL when memory is short, or the instructions asked for are not available. */
struct cls *cls_create(const struct cls_conf *conf);

/* No reader may be online. Rules are forgotten. */
void cls_free(struct cls *cls);

/* How many replicas there are; and the n-th (below that) for cls_match_burst and cls_match_after, which cls_free ends.
 */
unsigned cls_replicas(const struct cls *cls);
const struct cls *cls_replica(const struct cls *cls, unsigned n);

/*
 * Writer. Adds the rule under `id` (1 or above, not in use), or replaces the rule of that id. The rule is copied.
 * -EINVAL: the id is 0. -EEXIST: another id holds an equal rule. -ENOMEM: memory_bytes would be exceeded or memory is
 * short. After an error nothing has changed, but some readers may have met the rule for an instant, before there was
 * no memory for all of it. Replacing a rule by one with another match may wait for the readers'
 * quiescent points: the calling thread must not be a reader online.
 */
int cls_rule_add(struct cls *cls, uint32_t id, const struct fs_rule *rule);

/* Writer. Removes the rule; -ENOENT when there is none of that id. */
int cls_rule_remove(struct cls *cls, uint32_t id);

/*
 * Reader. For each of `count` keys (at most CLS_BURST_MAX): the id of the first matching rule in RFC order, or
 * CLS_NO_MATCH. Keys that are not IP, or malformed, match nothing.
 */
void cls_match_burst(const struct cls *cls, const struct pkt_key *keys, uint32_t *ids, unsigned count);

/*
 * Reader. The first matching rule that comes after the rule `id` in RFC order (CLS_NO_MATCH as `id`: the first of
 * all), or CLS_NO_MATCH. `id` must have been returned to this reader since its last quiescent point.
 */
uint32_t cls_match_after(const struct cls *cls, const struct pkt_key *key, uint32_t id);

struct cls_stats {
    uint32_t rules;
    size_t memory_bytes; /* in use, retired memory included until it is released */
};

/* Writer. */
void cls_stats_get(const struct cls *cls, struct cls_stats *out);

/* Whether one rule matches one key: the definition that every engine obeys. Any thread. */
bool cls_rule_matches(const struct fs_rule *rule, const struct pkt_key *key);

/*
 * What a rule costs a packet that has to be compared with it, in the unit of a rule for one host: more for lists of
 * values, and much more for a rule without any prefix. Any thread.
 */
uint32_t cls_rule_cost(const struct fs_rule *rule);

#endif
