/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers match while the writer adds, removes and replaces rules. What must hold for every packet at every moment:
 * an answer is a rule that matches; a chain moves on in the order; rules that stay are always found; a rule that is
 * replaced by one with another match is never absent. First with rules of many kinds at once, then with a kind alone
 * (reader_scenes.h). Run it under ThreadSanitizer and AddressSanitizer, too.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "classifier/classifier.h"
#include "flowspec/nlri.h"
#include "flowspec/order.h"
#include "model.h"
#include "naive_match.h"
#include "random_key.h"
#include "reader_scenes.h"

#define ITERATIONS 3000 /* changes */
#define SCENE      12   /* so many more in each scene: they seldom wait for readers */
#define READERS    2
#define RULES      64 /* rules 1..RULES; every fourth stays from the start to the end */
#define KEYS       32
#define FILLERS    200
#define CROWD      600 /* rules that come and go beside the switched one, through every form that a group takes */

#define CROWD_ID    (SWITCHED_ID + FILLERS + 1)
#define SWITCHED_ID (RULES + 1) /* flips between two places in the order, each of which matches switched_key */

static const struct cls_conf ENGINES[] = {
    {.engine = CLS_LINEAR},
    {.engine = CLS_FAST, .simd = CLS_SIMD_SCALAR},
    {.engine = CLS_FAST, .simd = CLS_SIMD_BEST},
    {.engine = CLS_FAST, .simd = CLS_SIMD_BEST, .replicas = READERS}, /* one for each reader */
};

/* Fixed before the readers start. */
struct plan {
    struct rcu *rcu;
    struct cls *cls;
    struct fs_rule *rules[RULES + 1];
    unsigned rank[RULES + 1]; /* place in the order */
    struct pkt_key keys[KEYS];
    bool matches[RULES + 1][KEYS];
    struct fs_rule *switched[2];
    struct pkt_key switched_key;
    atomic_bool stop;
    atomic_ulong bursts;
    atomic_ulong faults;
};

struct reader {
    struct plan *plan;
    unsigned number;
};

static bool stays(uint32_t id)
{
    return id % 4 == 0;
}

/* The fault's text is for people; the count is what fails the test. */
static void fault_if(struct plan *plan, bool wrong, const char *what)
{
    if (wrong && atomic_fetch_add(&plan->faults, 1) < 5)
        fprintf(stderr, "%s\n", what);
}

static void check_chain(struct plan *plan, const struct cls *cls, unsigned k)
{
    bool met[RULES + 1] = {false};
    unsigned last_rank = 0;
    uint32_t id = CLS_NO_MATCH;

    while ((id = cls_match_after(cls, &plan->keys[k], id)) != CLS_NO_MATCH) {
        if (id > RULES) {
            fault_if(plan, true, "a chain meets a rule of another family");
            return;
        }
        fault_if(plan, !plan->matches[id][k], "a chain meets a rule that does not match");
        fault_if(plan, plan->rank[id] <= last_rank, "a chain goes back");
        last_rank = plan->rank[id];
        met[id] = true;
    }
    for (uint32_t stay = 4; stay <= RULES; stay += 4)
        fault_if(plan, plan->matches[stay][k] && !met[stay], "a chain misses a rule that stays");
}

static void check_burst(struct plan *plan, const struct cls *cls)
{
    uint32_t ids[KEYS], switched;

    cls_match_burst(cls, plan->keys, ids, KEYS);
    for (unsigned k = 0; k < KEYS; k++) {
        uint32_t first_stay = 0;
        for (uint32_t id = 4; id <= RULES; id += 4)
            if (plan->matches[id][k] && (first_stay == 0 || plan->rank[id] < plan->rank[first_stay]))
                first_stay = id;
        if (ids[k] == CLS_NO_MATCH) {
            fault_if(plan, first_stay != 0, "a burst misses a rule that stays");
            continue;
        }
        fault_if(plan, ids[k] > RULES || !plan->matches[ids[k]][k], "a burst gives a rule that does not match");
        fault_if(plan, ids[k] <= RULES && first_stay != 0 && plan->rank[ids[k]] > plan->rank[first_stay],
                 "a burst gives a rule behind one that stays");
    }
    cls_match_burst(cls, &plan->switched_key, &switched, 1);
    fault_if(plan, switched != SWITCHED_ID, "a rule is absent while it is replaced");
}

static void *reader_run(void *arg)
{
    struct reader *self = arg;
    struct plan *plan = self->plan;
    const struct cls *cls = cls_replica(plan->cls, self->number % cls_replicas(plan->cls));

    rcu_reader_online(plan->rcu, self->number);
    while (!atomic_load_explicit(&plan->stop, memory_order_relaxed)) {
        check_burst(plan, cls);
        for (unsigned k = 0; k < KEYS; k += 3)
            check_chain(plan, cls, k);
        atomic_fetch_add_explicit(&plan->bursts, 1, memory_order_relaxed);
        rcu_quiescent(plan->rcu, self->number);
    }
    rcu_reader_offline(plan->rcu, self->number);
    return NULL;
}

/* Rules that differ from each other; IPv4, so that the switched rule, IPv6, is alone in its family. */
static void plan_rules(struct plan *plan, struct random *random)
{
    const struct random_rule_conf conf = {.family = IP_V4, .narrow = true, .components_max = 2, .terms_max = 2};

    for (uint32_t id = 1; id <= RULES; id++) {
        bool fresh;
        do {
            fs_rule_free(plan->rules[id]);
            plan->rules[id] = random_rule(random, &conf);
            fresh = true;
            for (uint32_t other = 1; other < id; other++)
                fresh = fresh && !fs_rule_equal(plan->rules[other], plan->rules[id]);
        } while (!fresh);
    }
    for (uint32_t id = 1; id <= RULES; id++) {
        plan->rank[id] = 1;
        for (uint32_t other = 1; other <= RULES; other++)
            plan->rank[id] += fs_rule_compare(plan->rules[other], plan->rules[id]) < 0;
    }
}

static struct fs_rule *destination_rule(const uint8_t octets[16], uint8_t length)
{
    struct fs_component destination = {.type = FS_DESTINATION, .length = length};
    struct fs_rule *rule;

    memcpy(destination.octets, octets, sizeof destination.octets);
    model_expect(fs_rule_build(IP_V6, NULL, &destination, 1, NULL, &rule) == FS_OK, 0, "no destination rule");
    return rule;
}

/* Both places of the switched rule, and rules between them that keep walks busy there. */
static void plan_switched(struct plan *plan)
{
    static const uint8_t FIRST[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

    plan->switched[0] = destination_rule(FIRST, 128);
    plan->switched[1] = destination_rule(FIRST, 0);
    plan->switched_key.family = IP_V6;
    memcpy(plan->switched_key.dst, FIRST, sizeof FIRST);
    for (uint32_t i = 0; i < FILLERS; i++) {
        const uint8_t octets[16] = {0x20, 0x02, (uint8_t)i};
        struct fs_rule *filler = destination_rule(octets, 128);
        model_expect(cls_rule_add(plan->cls, SWITCHED_ID + 1 + i, filler) == 0, 0, "no room for rule %u", i);
        fs_rule_free(filler);
    }
}

/* The n-th change of the crowd: of the destination of the switched rule, and a port that no packet has. */
static int crowd_change(struct plan *plan, unsigned long n)
{
    static const uint8_t FIRST[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    struct fs_component components[2] = {{.type = FS_DESTINATION, .length = 128},
                                         {.type = FS_DESTINATION_PORT, .term_count = 1}};
    struct fs_term port = {.value = 7 * (n % CROWD), .op = FS_OP_EQ};
    uint32_t id = CROWD_ID + (uint32_t)(n % CROWD);
    struct fs_rule *rule;

    if (n / CROWD % 2 == 1)
        return cls_rule_remove(plan->cls, id);
    memcpy(components[0].octets, FIRST, sizeof FIRST);
    if (fs_rule_build(IP_V6, NULL, components, 2, &port, &rule) != FS_OK)
        return -1;
    int rc = cls_rule_add(plan->cls, id, rule);
    fs_rule_free(rule);
    return rc;
}

static struct plan *plan_create(struct cls_conf engine)
{
    /* its keys are cache lines, and the compiler counts on that: calloc is too loose */
    struct plan *plan = aligned_alloc(_Alignof(struct plan), sizeof *plan);
    struct random random = {.state = 8956};

    if (plan == NULL)
        abort();
    memset(plan, 0, sizeof *plan);
    plan_rules(plan, &random);
    for (unsigned k = 0; k < KEYS; k++) {
        random_key(&random, &plan->keys[k]);
        if (plan->keys[k].family == IP_V6)
            plan->keys[k].family = IP_NONE; /* the switched rule has a key of its own */
        for (uint32_t id = 1; id <= RULES; id++)
            plan->matches[id][k] = naive_match(plan->rules[id], &plan->keys[k]);
    }
    plan->rcu = rcu_create(READERS);
    engine.rcu = plan->rcu;
    plan->cls = cls_create(&engine);
    for (uint32_t id = 4; id <= RULES; id += 4)
        cls_rule_add(plan->cls, id, plan->rules[id]);
    plan_switched(plan);
    cls_rule_add(plan->cls, SWITCHED_ID, plan->switched[0]);
    return plan;
}

static void plan_free(struct plan *plan)
{
    cls_free(plan->cls);
    rcu_free(plan->rcu);
    for (uint32_t id = 1; id <= RULES; id++)
        fs_rule_free(plan->rules[id]);
    fs_rule_free(plan->switched[0]);
    fs_rule_free(plan->switched[1]);
    free(plan);
}

/* Each id keeps its rule, so that readers can tell what an answer should have matched. */
static void write_changes(struct plan *plan, unsigned long changes)
{
    struct random random = {.state = 1};
    bool present[RULES + 1] = {false};

    for (unsigned long n = 0; n < changes || atomic_load(&plan->bursts) < 50; n++) {
        uint32_t id = 1 + random_below(&random, RULES);
        int rc = 0;
        if (n % 8 == 0) {
            rc = cls_rule_add(plan->cls, SWITCHED_ID, plan->switched[n / 8 % 2]);
        } else if (!stays(id)) {
            rc = present[id] ? cls_rule_remove(plan->cls, id) : cls_rule_add(plan->cls, id, plan->rules[id]);
            present[id] = !present[id];
        }
        model_expect(rc == 0, n, "change of rule %u gives %d", id, rc);
        rc = crowd_change(plan, n);
        model_expect(rc == 0, n, "change of the crowd gives %d", rc);
        rcu_reclaim(plan->rcu);
    }
}

static void run(struct cls_conf engine, unsigned long changes)
{
    struct plan *plan = plan_create(engine);
    struct reader readers[READERS];
    pthread_t threads[READERS];

    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){plan, i};
        model_expect(pthread_create(&threads[i], NULL, reader_run, &readers[i]) == 0, 0, "no thread");
    }
    write_changes(plan, changes);
    atomic_store(&plan->stop, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    printf("engine %u, %s, %u replicas: %lu bursts by %u readers during %lu changes\n", engine.engine,
           cls_simd_name(engine.simd), cls_replicas(plan->cls), atomic_load(&plan->bursts), READERS, changes);
    model_expect(atomic_load(&plan->faults) == 0, changes, "%lu faults", atomic_load(&plan->faults));
    plan_free(plan);
}

int main(int argc, char **argv)
{
    unsigned long changes = model_iterations(argc, argv, ITERATIONS);

    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++) {
        run(ENGINES[i], changes);
        if (ENGINES[i].engine == CLS_FAST) /* the other has one path for all */
            reader_scenes_run(ENGINES[i], SCENE * changes);
    }
    return 0;
}
