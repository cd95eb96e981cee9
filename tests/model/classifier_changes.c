/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every engine against an oracle, while rules are added, replaced and removed at random between bursts. The oracle
 * sorts the rules and asks naive_match of each.
 */
#include <errno.h>
#include <string.h>

#include "classifier/classifier.h"
#include "flowspec/order.h"
#include "model.h"
#include "naive_match.h"
#include "random_key.h"

#define ITERATIONS 4000 /* bursts */
#define LIFETIME   400  /* bursts before a fresh classifier */
#define IDS        90
#define BURST      32

static const struct cls_conf ENGINES[] = {
    {.engine = CLS_LINEAR},
    {.engine = CLS_FAST, .simd = CLS_SIMD_SCALAR},
    {.engine = CLS_FAST, .simd = CLS_SIMD_BEST},
};

struct entry {
    struct fs_rule *rule;
    uint32_t id;
};

struct world {
    struct random random;
    struct rcu *rcu;
    struct cls *cls;
    struct fs_rule *rules[IDS + 1]; /* by id, NULL: not in use */
    struct entry sorted[IDS];
    unsigned count;
    unsigned long n;
    unsigned long matches, misses, chained, replaced, removed, equal;
};

static struct fs_rule *pick_rule(struct world *w)
{
    struct random_rule_conf conf = {.narrow = true,
                                    .components_max = 1 + random_below(&w->random, 4),
                                    .terms_max = 1 + random_below(&w->random, 3)};
    uint32_t other = 1 + random_below(&w->random, IDS);

    if (w->rules[other] != NULL && random_one_in(&w->random, 4))
        return random_relative(&w->random, &conf, w->rules[other]);
    if (w->rules[other] != NULL && random_one_in(&w->random, 10))
        return fs_rule_dup(w->rules[other]);
    return random_rule(&w->random, &conf);
}

static uint32_t id_of_equal(const struct world *w, const struct fs_rule *rule)
{
    for (uint32_t id = 1; id <= IDS; id++)
        if (w->rules[id] != NULL && fs_rule_equal(w->rules[id], rule))
            return id;
    return 0;
}

static void change_add(struct world *w, uint32_t id)
{
    struct fs_rule *rule = pick_rule(w);
    uint32_t equal = id_of_equal(w, rule);
    int want = equal != 0 && equal != id ? -EEXIST : 0;
    int rc = cls_rule_add(w->cls, id, rule);

    model_expect(rc == want, w->n, "add gives %d instead of %d", rc, want);
    w->equal += want != 0;
    if (want != 0) {
        fs_rule_free(rule);
        return;
    }
    w->replaced += w->rules[id] != NULL;
    fs_rule_free(w->rules[id]);
    w->rules[id] = rule;
}

static void change_remove(struct world *w, uint32_t id)
{
    int want = w->rules[id] != NULL ? 0 : -ENOENT;
    int rc = cls_rule_remove(w->cls, id);

    model_expect(rc == want, w->n, "remove gives %d instead of %d", rc, want);
    w->removed += want == 0;
    fs_rule_free(w->rules[id]);
    w->rules[id] = NULL;
}

static int entry_compare(const void *a, const void *b)
{
    return fs_rule_compare(((const struct entry *)a)->rule, ((const struct entry *)b)->rule);
}

static void change(struct world *w)
{
    struct cls_stats stats;

    for (unsigned changes = random_below(&w->random, 6); changes > 0; changes--) {
        uint32_t id = 1 + random_below(&w->random, IDS);
        if (random_one_in(&w->random, 3))
            change_remove(w, id);
        else
            change_add(w, id);
    }
    if (random_one_in(&w->random, 3))
        rcu_reclaim(w->rcu);
    w->count = 0;
    for (uint32_t id = 1; id <= IDS; id++)
        if (w->rules[id] != NULL)
            w->sorted[w->count++] = (struct entry){w->rules[id], id};
    qsort(w->sorted, w->count, sizeof w->sorted[0], entry_compare);
    cls_stats_get(w->cls, &stats);
    model_expect(stats.rules == w->count, w->n, "%u rules instead of %u", stats.rules, w->count);
}

/* Walks the chain from `first` on and compares each step with the sorted rules. */
static void check_key(struct world *w, const struct pkt_key *key, uint32_t first)
{
    uint32_t id = CLS_NO_MATCH;
    unsigned found = 0;

    for (unsigned i = 0; i < w->count; i++) {
        if (!naive_match(w->sorted[i].rule, key))
            continue;
        if (found++ == 0)
            model_expect(first == w->sorted[i].id, w->n, "burst gives %u instead of %u", first, w->sorted[i].id);
        id = cls_match_after(w->cls, key, id);
        model_expect(id == w->sorted[i].id, w->n, "step %u gives %u instead of %u", found, id, w->sorted[i].id);
    }
    if (found == 0)
        model_expect(first == CLS_NO_MATCH, w->n, "burst gives %u instead of no match", first);
    id = cls_match_after(w->cls, key, id);
    model_expect(id == CLS_NO_MATCH, w->n, "after %u matches there is %u", found, id);
    w->matches += found > 0;
    w->misses += found == 0;
    w->chained += found > 1;
}

static void match(struct world *w)
{
    struct pkt_key keys[BURST];
    uint32_t ids[BURST];
    unsigned count = random_below(&w->random, BURST + 1);

    for (unsigned i = 0; i < count; i++)
        random_key(&w->random, &keys[i]);
    rcu_reader_online(w->rcu, 0);
    cls_match_burst(w->cls, keys, ids, count);
    for (unsigned i = 0; i < count; i++)
        check_key(w, &keys[i], ids[i]);
    rcu_reader_offline(w->rcu, 0);
}

static void forget(struct world *w)
{
    cls_free(w->cls);
    for (uint32_t id = 1; id <= IDS; id++) {
        fs_rule_free(w->rules[id]);
        w->rules[id] = NULL;
    }
    w->cls = NULL;
}

static void run(struct cls_conf engine, unsigned long iterations)
{
    struct world w = {.random = {.state = 8955 + engine.engine}, .rcu = rcu_create(1)};

    for (w.n = 0; w.n < iterations; w.n++) {
        if (w.n % LIFETIME == 0) {
            forget(&w);
            engine.rcu = w.rcu;
            w.cls = cls_create(&engine);
        }
        change(&w);
        match(&w);
    }
    forget(&w);
    rcu_free(w.rcu);
    /* A test that seldom matches, or never changes anything, would not notice much. */
    model_expect(w.matches > iterations && w.misses > iterations && w.chained > iterations, w.n,
                 "one-sided: %lu matches, %lu misses, %lu chains", w.matches, w.misses, w.chained);
    model_expect(w.replaced > iterations / 10 && w.removed > iterations / 10 && w.equal > iterations / 100, w.n,
                 "few changes: %lu replaced, %lu removed, %lu equal", w.replaced, w.removed, w.equal);
    printf("engine %u, %s: %lu matches (%lu chains), %lu misses; %lu rules replaced, %lu removed, %lu refused\n",
           engine.engine, cls_simd_name(engine.simd), w.matches, w.chained, w.misses, w.replaced, w.removed, w.equal);
}

int main(int argc, char **argv)
{
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);

    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++)
        run(ENGINES[i], iterations);
    return 0;
}
