/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast engine: a rule is compiled to a box (compile.h), found by its destination, its source (place.h) and in the
 * group of these (group.h). This file keeps the rules by id and by NLRI, and orders the steps of a change so that a
 * failure at any of them leaves nothing changed.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "classifier/engine.h"
#include "classifier/ids.h"
#include "classifier/walk.h"
#include "flowspec/order.h"

#define SET_BUCKETS 32

struct fast {
    struct places places; /* first: readers start here */
    struct mem mem;
    const struct walk_ops *walk;
    struct ids ids;
    struct hash_table set; /* every rule, by its NLRI. The writer's alone */
    /* rules that lack of memory keeps from being released before the engine; linked by their item's hash */
    struct compiled *stuck;
};

static const char *const simd_names[CLS_SIMD_COUNT] = {"best", "scalar", "avx2", "avx512"};

const char *cls_simd_name(enum cls_simd simd)
{
    return simd_names[simd];
}

#if defined(__x86_64__)
static const struct walk_ops *const walks[CLS_SIMD_COUNT] = {
    [CLS_SIMD_SCALAR] = &walk_scalar_ops,
    [CLS_SIMD_AVX2] = &walk_avx2_ops,
    [CLS_SIMD_AVX512] = &walk_avx512_ops,
};

bool cls_simd_available(enum cls_simd simd)
{
    bool bits = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");

    if (simd == CLS_SIMD_AVX2)
        return bits && __builtin_cpu_supports("avx2");
    if (simd == CLS_SIMD_AVX512)
        return bits && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    return simd < CLS_SIMD_COUNT;
}
#else
static const struct walk_ops *const walks[CLS_SIMD_COUNT] = {[CLS_SIMD_SCALAR] = &walk_scalar_ops};

bool cls_simd_available(enum cls_simd simd)
{
    return simd == CLS_SIMD_BEST || simd == CLS_SIMD_SCALAR;
}
#endif

static const struct walk_ops *walk_choose(enum cls_simd simd)
{
    if (simd != CLS_SIMD_BEST)
        return cls_simd_available(simd) ? walks[simd] : NULL;
    for (simd = CLS_SIMD_COUNT - 1; simd > CLS_SIMD_SCALAR; simd--)
        if (cls_simd_available(simd))
            break;
    return walks[simd];
}

static struct compiled *compiled_of(struct hash_item *item)
{
    return (struct compiled *)((char *)item - offsetof(struct compiled, item));
}

static uint64_t rule_hash(const struct fast *fast, const struct fs_rule *rule)
{
    uint64_t hash = fast->places.seed ^ (uint64_t)rule->family << 8 ^ rule->has_rd ^ (uint64_t)rule->nlri_len << 16;

    for (unsigned at = 0; at < rule->nlri_len; at += 8) {
        uint64_t word = 0;
        unsigned left = rule->nlri_len - at;
        memcpy(&word, rule->nlri + at, left < 8 ? left : 8);
        hash = hash_mix(hash ^ word, 0x9e3779b97f4a7c15u);
    }
    return hash_mix(hash, 0xd6e8feb86659fd93u);
}

static struct compiled *rule_find(const struct fast *fast, const struct fs_rule *rule, uint64_t hash)
{
    const struct hash_bucket *bucket = hash_bucket_of(&fast->set, hash);

    for (unsigned i = 0; i < HASH_BUCKET; i++) {
        uint64_t entry = hash_entry(bucket, i);
        if (!hash_entry_fits(entry, hash))
            continue;
        struct compiled *compiled = compiled_of(hash_entry_item(entry));
        if (fs_rule_equal(compiled->rule, rule))
            return compiled;
    }
    return NULL;
}

static bool fast_init(struct fast *fast)
{
    if (!places_init(&fast->places, &fast->mem))
        return false;
    if (ids_init(&fast->ids, &fast->mem)) {
        if (hash_init(&fast->set, &fast->mem, SET_BUCKETS, false))
            return true;
        ids_fini(&fast->ids, &fast->mem);
    }
    places_fini(&fast->places, &fast->mem);
    return false;
}

/* Gives back the memory that the engine itself lies in, too. */
static void fast_release(struct fast *fast)
{
    struct mem mem = fast->mem;

    mem_free(&mem, fast);
    arena_fini(&mem.arena);
}

static void *fast_create(const struct cls_conf *conf)
{
    const struct walk_ops *walk = walk_choose(conf->simd);
    struct mem mem = {.rcu = conf->rcu, .shared = conf->shared_bytes};

    if (walk == NULL)
        return NULL;
    arena_init(&mem.arena, conf->memory);
    struct fast *fast = mem_alloc_line(&mem, sizeof *fast);
    if (fast == NULL)
        return NULL;
    memset(fast, 0, sizeof *fast);
    fast->walk = walk;
    fast->mem = mem;
    fast->mem.limit = conf->memory_bytes;
    if (fast_init(fast))
        return fast;
    fast_release(fast);
    return NULL;
}

static void set_give(void *ctx, struct hash_item *item)
{
    compiled_free(ctx, compiled_of(item));
}

static void fast_free(void *engine)
{
    struct fast *fast = engine;

    rcu_synchronize(fast->mem.rcu); /* releases what was retired: it refers to this engine */
    places_fini(&fast->places, &fast->mem);
    hash_each(&fast->set, set_give, &fast->mem);
    hash_fini(&fast->set, &fast->mem);
    ids_fini(&fast->ids, &fast->mem);
    while (fast->stuck != NULL) {
        struct compiled *next = (struct compiled *)(uintptr_t)fast->stuck->item.hash;
        compiled_free(&fast->mem, fast->stuck);
        fast->stuck = next;
    }
    rcu_synchronize(fast->mem.rcu);
    fast_release(fast);
}

/* Once no reader can hold the rule: its id stands for nothing any more, unless it was given to another rule. */
static void compiled_release(void *ctx, void *memory)
{
    struct fast *fast = ctx;
    struct compiled *compiled = memory;

    if (ids_get(&fast->ids, compiled->id) == compiled)
        ids_set(&fast->ids, &fast->mem, compiled->id, NULL);
    compiled_free(&fast->mem, compiled);
}

/* A rule that is in no group (or, not `gone`, hidden in one) any more. */
static void rule_forget(struct fast *fast, struct compiled *compiled, bool gone)
{
    fast->mem.exempt = true;
    compiled->removed = true;
    hash_remove(&fast->set, &fast->mem, &compiled->item);
    fast->mem.exempt = false;
    if (gone) {
        rcu_retire_ctx(fast->mem.rcu, compiled_release, fast, compiled);
    } else {
        compiled->item.hash = (uintptr_t)fast->stuck;
        fast->stuck = compiled;
    }
}

/* Takes a rule out of everything but the table of ids, which it leaves when it is released. */
static void rule_retire(struct fast *fast, struct compiled *compiled)
{
    fast->mem.exempt = true;
    compiled->removed = true;
    bool gone = compiled->never || places_remove(&fast->places, &fast->mem, compiled);
    fast->mem.exempt = false;
    rule_forget(fast, compiled, gone);
}

/* A rule of its own, in the set of rules. NULL when memory is short. */
static struct compiled *rule_create(struct fast *fast, uint32_t id, const struct fs_rule *rule, uint64_t hash)
{
    struct compiled *compiled = compiled_create(&fast->mem, id, rule);

    if (compiled == NULL)
        return NULL;
    compiled->item.hash = hash;
    if (!hash_insert(&fast->set, &fast->mem, &compiled->item)) {
        compiled_free(&fast->mem, compiled);
        return NULL;
    }
    return compiled;
}

/* Takes back what ids_reserve made for nothing. */
static void id_unreserve(struct fast *fast, uint32_t id)
{
    if (ids_get(&fast->ids, id) == NULL)
        ids_set(&fast->ids, &fast->mem, id, NULL);
}

/*
 * A reader on its way between the places of the old rule of this id and the new one must meet one of them: both stay
 * until every walk begun before has ended. In that time the id leads to the later of the two, so that a chain of
 * cls_match_after always moves on.
 */
static int fast_add_begin(void *engine, uint32_t id, const struct fs_rule *rule, struct cls_change *change)
{
    struct fast *fast = engine;
    uint64_t hash = rule_hash(fast, rule);
    const struct compiled *same = rule_find(fast, rule, hash), *before = ids_get(&fast->ids, id);
    struct compiled *old = before != NULL && !before->removed ? (struct compiled *)(uintptr_t)before : NULL;

    *change = (struct cls_change){.old = old, .before = before};
    if (same != NULL) /* the same rule under the same id: nothing to do */
        return same->id == id ? 0 : -EEXIST;
    if (!ids_reserve(&fast->ids, &fast->mem, id))
        return -ENOMEM;
    struct compiled *fresh = rule_create(fast, id, rule, hash);
    if (fresh == NULL) {
        id_unreserve(fast, id);
        return -ENOMEM;
    }
    if (old == NULL || fs_rule_compare(fresh->rule, old->rule) > 0)
        ids_set(&fast->ids, &fast->mem, id, fresh);
    uint32_t hidden = fast->mem.hidden;
    if (!fresh->never && !places_insert(&fast->places, &fast->mem, fresh)) {
        if (before != NULL) /* else the id leads to the rule until it is released: readers may have met it */
            ids_set(&fast->ids, &fast->mem, id, before);
        rule_forget(fast, fresh, hidden == fast->mem.hidden);
        return -ENOMEM;
    }
    change->fresh = fresh;
    return 0;
}

static void fast_add_finish(void *engine, const struct cls_change *change)
{
    struct fast *fast = engine;
    struct compiled *fresh = change->fresh;

    if (change->old == NULL)
        return;
    ids_set(&fast->ids, &fast->mem, fresh->id, fresh);
    rule_retire(fast, change->old);
}

/* Readers may have met the new rule: without an old one its id leads to it until it is released. */
static void fast_add_abort(void *engine, const struct cls_change *change)
{
    struct fast *fast = engine;
    struct compiled *fresh = change->fresh;

    if (change->old != NULL)
        ids_set(&fast->ids, &fast->mem, fresh->id, change->old);
    rule_retire(fast, fresh);
}

static int fast_remove(void *engine, uint32_t id)
{
    struct fast *fast = engine;
    struct compiled *compiled = (struct compiled *)(uintptr_t)ids_get(&fast->ids, id);

    if (compiled == NULL || compiled->removed)
        return -ENOENT;
    rule_retire(fast, compiled);
    return 0;
}

static void fast_match_burst(const void *engine, const struct pkt_key *keys, uint32_t *ids, unsigned count)
{
    const struct fast *fast = engine;

    fast->walk->burst(&fast->places, keys, ids, count);
}

static uint32_t fast_match_after(const void *engine, const struct pkt_key *key, uint32_t id)
{
    const struct fast *fast = engine;
    const struct compiled *floor = id != CLS_NO_MATCH ? ids_get(&fast->ids, id) : NULL;

    if (id != CLS_NO_MATCH && floor == NULL)
        return CLS_NO_MATCH;
    return fast->walk->after(&fast->places, key, floor);
}

static void fast_stats(const void *engine, struct cls_stats *out)
{
    const struct fast *fast = engine;

    *out = (struct cls_stats){.rules = fast->set.count, .memory_bytes = fast->mem.used};
}

const struct cls_engine_ops cls_fast_ops = {
    .create = fast_create,
    .free = fast_free,
    .add_begin = fast_add_begin,
    .add_finish = fast_add_finish,
    .add_abort = fast_add_abort,
    .remove = fast_remove,
    .match_burst = fast_match_burst,
    .match_after = fast_match_after,
    .stats = fast_stats,
};
