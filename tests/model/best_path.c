/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision process, in both its forms, against the text of RFC 4271 9.1.2.2 taken literally: by each step every
 * path that is left is compared with every other one that is left. Many neighbouring ASes, so that the step by MED
 * needs several rounds, and few values of everything, so that ties are common.
 */
#include <string.h>

#include "bgp/best_path.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 3000
#define PATHS_MAX  400

struct path {
    struct bgp_source source;
    struct bgp_attrs attrs;
    uint8_t as_path[10];
    uint32_t as;
    uint32_t path_id;
    const char *lost_by;
};

/* Below 0: `a` beats `b`. The steps that the paths of this test differ in. */
static int med(const struct path *a, const struct path *b)
{
    uint32_t a_med = a->attrs.has_med ? a->attrs.med : 0, b_med = b->attrs.has_med ? b->attrs.med : 0;

    return a->as != b->as ? 0 : a_med < b_med ? -1 : a_med > b_med;
}

static int local_pref(const struct path *a, const struct path *b)
{
    uint32_t x = a->attrs.has_local_pref ? a->attrs.local_pref : 100,
             y = b->attrs.has_local_pref ? b->attrs.local_pref : 100;

    return x > y ? -1 : x < y;
}

static int external(const struct path *a, const struct path *b)
{
    return a->source.ebgp == b->source.ebgp ? 0 : a->source.ebgp ? -1 : 1;
}

static int router_id(const struct path *a, const struct path *b)
{
    return a->source.router_id < b->source.router_id ? -1 : a->source.router_id > b->source.router_id;
}

static int number(const struct path *a, const struct path *b)
{
    return a->source.number < b->source.number ? -1 : a->source.number > b->source.number;
}

static const struct {
    const char *name;
    int (*compare)(const struct path *a, const struct path *b);
} STEPS[] = {
    {"local-pref", local_pref}, {"med", med}, {"external", external}, {"router-id", router_id}, {"source", number}};

static size_t literal_best(struct path *paths, size_t count)
{
    bool beaten[PATHS_MAX];
    size_t best = 0;

    for (size_t step = 0; step < sizeof STEPS / sizeof STEPS[0]; step++) {
        for (size_t a = 0; a < count; a++) {
            beaten[a] = false;
            for (size_t b = 0; paths[a].lost_by == NULL && b < count; b++)
                if (paths[b].lost_by == NULL && STEPS[step].compare(&paths[b], &paths[a]) < 0)
                    beaten[a] = true;
        }
        for (size_t a = 0; a < count; a++)
            if (beaten[a])
                paths[a].lost_by = STEPS[step].name;
    }
    while (paths[best].lost_by != NULL)
        best++;
    return best;
}

static void random_path(struct random *random, struct path *path, uint32_t number, uint32_t ases)
{
    *path = (struct path){.source = {.number = number + 1,
                                     .ebgp = random_one_in(random, 2),
                                     .router_id = random_below(random, 4),
                                     .address = {.family = IP_V4, .octets = {192, 0, 2, 1}}},
                          .as = random_below(random, ases)};
    path->as_path[0] = 2; /* an AS_SEQUENCE of two */
    path->as_path[1] = 2;
    path->as_path[4] = (uint8_t)(path->as >> 8);
    path->as_path[5] = (uint8_t)path->as;
    path->as_path[3] = 1; /* not AS 0 */
    path->as_path[9] = 7;
    path->attrs = (struct bgp_attrs){.has_origin = true,
                                     .as_path = path->as_path,
                                     .as_path_len = sizeof path->as_path,
                                     .has_med = !random_one_in(random, 4),
                                     .med = random_below(random, 3),
                                     .has_local_pref = random_one_in(random, 2),
                                     .local_pref = 100 + (random_one_in(random, 300) ? 1 : 0)};
}

static void check(struct random *random, unsigned long iteration)
{
    static struct path paths[PATHS_MAX];
    static struct bgp_choice choices[PATHS_MAX];
    static struct bgp_path list[PATHS_MAX];
    size_t count = 1 + random_below(random, random_one_in(random, 10) ? PATHS_MAX : 8);
    uint32_t ases = 1 + random_below(random, random_one_in(random, 2) ? 4 : 300);

    for (size_t i = 0; i < count; i++) {
        random_path(random, &paths[i], (uint32_t)i, ases);
        choices[i] = (struct bgp_choice){.source = &paths[i].source, .attrs = &paths[i].attrs};
        list[i] =
            (struct bgp_path){.source = &paths[i].source, .attrs = paths[i].attrs, .next = i > 0 ? &list[i - 1] : NULL};
    }
    size_t best = literal_best(paths, count);
    model_expect(bgp_choose(choices, count) == best, iteration, "of %zu paths the array's best is not path %zu", count,
                 best);
    model_expect(bgp_best_path(&list[count - 1]) == &list[best], iteration,
                 "of %zu paths the list's best is not path %zu", count, best);
    for (size_t i = 0; i < count; i++) {
        const char *is = choices[i].lost_by, *should = paths[i].lost_by;
        model_expect((is == NULL) == (should == NULL) && (is == NULL || strcmp(is, should) == 0), iteration,
                     "path %zu of %zu lost by %s, not by %s", i, count, is != NULL ? is : "nothing",
                     should != NULL ? should : "nothing");
    }
}

int main(int argc, char **argv)
{
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);
    struct random random = {.state = 20260127};

    for (unsigned long i = 0; i < iterations; i++)
        check(&random, i);
    return 0;
}
