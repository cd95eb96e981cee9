/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What sources leave behind, in both RIBs, against plain arrays in which each path has its marks: sessions that are
 * lost and come back, restarts, refreshes, in any order and in the middle of slices of every size. A mark takes effect
 * at once on the numbers, and by the end of the walk on the paths.
 */
#include <string.h>

#include "bgp/rib.h"
#include "bgp/unicast_rib.h"
#include "flowspec/text.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 150000
#define SOURCES    3
#define FAMILIES   2
#define NAMES      24

struct plain {
    bool is;
    uint8_t marks;
    unsigned set;
};

/* What the model knows, and one of the RIBs. */
struct side {
    const struct side_ops *ops;
    uint32_t families[FAMILIES];
    struct plain plain[SOURCES][FAMILIES][NAMES];
    size_t visited[SOURCES]; /* since something was last marked */
};

static struct bgp_source sources[SOURCES];
static struct bgp_rib *rules;
static struct bgp_unicast *routes;
static unsigned long iteration;

/* The second has the community NO_LLGR. */
static const uint8_t NO_LLGR[] = {0xff, 0xff, 0, 7};
static const struct bgp_attrs SETS[] = {
    {.has_origin = true},
    {.has_origin = true, .communities = NO_LLGR, .communities_len = sizeof NO_LLGR},
    {.has_origin = true, .has_med = true, .med = 7},
};
#define SET_COUNT 3

struct side_ops {
    void (*announce)(const struct side *side, unsigned source, unsigned family, unsigned name, unsigned set);
    bool (*withdraw)(const struct side *side, unsigned source, unsigned family, unsigned name);
    bool (*find)(const struct side *side, unsigned source, unsigned family, unsigned name, bool *stale,
                 bool *long_lived);
    size_t (*count)(const struct side *side, unsigned source, unsigned family, size_t *all);
    size_t (*mark)(unsigned source, uint32_t families, enum bgp_path_mark mark);
    void (*end)(unsigned source, uint32_t families, enum bgp_path_mark mark);
    size_t (*walk)(unsigned source, size_t max, size_t *dropped);
};

static void rule_changed(void *ctx, struct bgp_rib_entry *entry, bool withdrawn)
{
    (void)ctx;
    (void)entry;
    (void)withdrawn;
}

static void route_changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    (void)ctx;
    (void)route;
    (void)best;
}

static struct fs_rule *rule_of(unsigned name)
{
    char text[64];
    struct fs_actions actions;
    struct fs_text_error error;
    struct fs_rule *rule = NULL;

    snprintf(text, sizeof text, "match destination 192.0.2.%u/32", name);
    model_expect(fs_text_parse(text, &rule, &actions, &error), iteration, "%s", error.text);
    return rule;
}

static void rule_announce(const struct side *side, unsigned source, unsigned family, unsigned name, unsigned set)
{
    bgp_rib_announce(rules, &sources[source], side->families[family], rule_of(name), &SETS[set]);
}

static bool rule_withdraw(const struct side *side, unsigned source, unsigned family, unsigned name)
{
    struct fs_rule *rule = rule_of(name);
    bool was = bgp_rib_withdraw(rules, &sources[source], side->families[family], rule);

    fs_rule_free(rule);
    return was;
}

static bool rule_find(const struct side *side, unsigned source, unsigned family, unsigned name, bool *stale,
                      bool *long_lived)
{
    struct fs_rule *rule = rule_of(name);
    const struct bgp_rib_entry *entry = bgp_rib_find(rules, side->families[family], rule);
    const struct bgp_path *path = entry != NULL ? entry->best : NULL;

    fs_rule_free(rule);
    while (path != NULL && path->source != &sources[source])
        path = path->next;
    if (path == NULL)
        return false;
    *stale = path->marks != 0;
    *long_lived = (path->marks & BGP_PATH_LONG_LIVED) != 0;
    return true;
}

static size_t rule_count(const struct side *side, unsigned source, unsigned family, size_t *all)
{
    bgp_rib_source_octets(rules, &sources[source], all);
    return bgp_rib_source_count(rules, &sources[source], side->families[family]);
}

static size_t rule_mark(unsigned source, uint32_t families, enum bgp_path_mark mark)
{
    return bgp_rib_source_mark(rules, &sources[source], families, mark);
}

static void rule_end(unsigned source, uint32_t families, enum bgp_path_mark mark)
{
    bgp_rib_source_end(rules, &sources[source], families, mark);
}

static size_t rule_walk(unsigned source, size_t max, size_t *dropped)
{
    return bgp_rib_source_walk(rules, &sources[source], max, dropped);
}

static struct bgp_route route_of(const struct side *side, unsigned family, unsigned name)
{
    struct bgp_route route = {.family = side->families[family],
                              .prefix = {.family = family == 0 ? IP_V4 : IP_V6, .length = 32, .octets = {192, 0, 2}}};

    route.prefix.octets[3] = (uint8_t)name;
    return route;
}

static void route_announce(const struct side *side, unsigned source, unsigned family, unsigned name, unsigned set)
{
    const struct bgp_route route = route_of(side, family, name);
    struct bgp_shared_attrs *shared = bgp_unicast_intern(routes, &SETS[set]);

    model_expect(bgp_unicast_announce(routes, &sources[source], &route, shared) == 0, iteration, "announce");
    bgp_unicast_release(routes, shared);
}

static bool route_withdraw(const struct side *side, unsigned source, unsigned family, unsigned name)
{
    const struct bgp_route route = route_of(side, family, name);

    return bgp_unicast_withdraw(routes, &sources[source], &route);
}

struct sought {
    const struct bgp_source *source;
    bool found, stale, long_lived;
};

static bool see_path(void *ctx, const struct bgp_unicast_path *path, const char *why)
{
    struct sought *sought = ctx;

    (void)why;
    if (path->source != sought->source)
        return true;
    *sought = (struct sought){path->source, true, path->stale, path->long_lived};
    return false;
}

static bool route_find(const struct side *side, unsigned source, unsigned family, unsigned name, bool *stale,
                       bool *long_lived)
{
    const struct bgp_route route = route_of(side, family, name);
    struct sought sought = {.source = &sources[source]};

    bgp_unicast_paths(routes, &route, false, see_path, &sought);
    *stale = sought.stale;
    *long_lived = sought.long_lived;
    return sought.found;
}

static size_t route_count(const struct side *side, unsigned source, unsigned family, size_t *all)
{
    bgp_unicast_source_octets(routes, &sources[source], all);
    return bgp_unicast_source_count(routes, &sources[source], side->families[family]);
}

static size_t route_mark(unsigned source, uint32_t families, enum bgp_path_mark mark)
{
    return bgp_unicast_source_mark(routes, &sources[source], families, mark);
}

static void route_end(unsigned source, uint32_t families, enum bgp_path_mark mark)
{
    bgp_unicast_source_end(routes, &sources[source], families, mark);
}

static size_t route_walk(unsigned source, size_t max, size_t *dropped)
{
    return bgp_unicast_source_walk(routes, &sources[source], max, dropped);
}

static const struct side_ops RULES = {rule_announce, rule_withdraw, rule_find, rule_count,
                                      rule_mark,     rule_end,      rule_walk};
static const struct side_ops ROUTES = {route_announce, route_withdraw, route_find, route_count,
                                       route_mark,     route_end,      route_walk};

/* To be taken out by the walk. */
static bool goes(const struct plain *plain)
{
    return (plain->marks & BGP_PATH_GONE) != 0 || ((plain->marks & BGP_PATH_LONG_LIVED) != 0 && plain->set == 1);
}

static void check_path(const struct side *side, unsigned s, unsigned f, unsigned name, bool settled)
{
    const struct plain *plain = &side->plain[s][f][name];
    bool stale = false, long_lived = false, found = side->ops->find(side, s, f, name, &stale, &long_lived);
    const uint8_t shown = BGP_PATH_STALE | BGP_PATH_LONG_LIVED;

    model_expect(found == plain->is, iteration, "source %u family %u path %u: is there %d, should be %d", s, f, name,
                 found, plain->is);
    if (!found || !settled)
        return;
    model_expect(stale == ((plain->marks & shown) != 0) && long_lived == ((plain->marks & BGP_PATH_LONG_LIVED) != 0),
                 iteration, "source %u family %u path %u: stale %d, long-lived %d, marks %u", s, f, name, stale,
                 long_lived, plain->marks);
}

static void check(const struct side *side, unsigned s, bool settled)
{
    size_t whole = 0, all = 0;

    for (unsigned f = 0; f < FAMILIES; f++) {
        size_t staying = 0;
        for (unsigned name = 0; name < NAMES; name++) {
            const struct plain *plain = &side->plain[s][f][name];
            staying += plain->is && (plain->marks & BGP_PATH_GONE) == 0;
            check_path(side, s, f, name, settled);
        }
        size_t counted = side->ops->count(side, s, f, &all);
        model_expect(counted == staying, iteration, "source %u family %u: %zu paths, should be %zu", s, f, counted,
                     staying);
        whole += staying;
    }
    model_expect(all == whole, iteration, "source %u: %zu paths, should be %zu", s, all, whole);
}

/* Some of what has to go has gone; all of it where the walk is done. */
static void walk(struct side *side, unsigned s, size_t max)
{
    size_t dropped = 0, seen = 0, visited = side->ops->walk(s, max, &dropped);
    bool done = visited < max;

    model_expect(visited <= max, iteration, "looked at %zu of at most %zu", visited, max);
    for (unsigned f = 0; f < FAMILIES; f++) {
        for (unsigned name = 0; name < NAMES; name++) {
            struct plain *plain = &side->plain[s][f][name];
            bool stale, long_lived;
            if (!plain->is || !goes(plain))
                continue;
            plain->is = side->ops->find(side, s, f, name, &stale, &long_lived);
            seen += !plain->is;
            model_expect(!plain->is || !done, iteration, "source %u family %u path %u: left behind", s, f, name);
        }
    }
    model_expect(seen == dropped, iteration, "source %u: %zu dropped, said %zu", s, seen, dropped);
    /* a round that is under way, and one more for what was marked meanwhile */
    side->visited[s] += visited;
    model_expect(side->visited[s] <= 2 * FAMILIES * NAMES, iteration, "source %u: the walk has no end", s);
    check(side, s, done);
}

static void mark(struct side *side, unsigned s, uint32_t families, enum bgp_path_mark how, bool end)
{
    size_t count = 0;

    for (unsigned f = 0; f < FAMILIES; f++) {
        for (unsigned name = 0; name < NAMES; name++) {
            struct plain *plain = &side->plain[s][f][name];
            if (!plain->is || (families & side->families[f]) == 0)
                continue;
            count++;
            if (!end)
                plain->marks |= how;
            else if ((plain->marks & how) != 0)
                plain->marks |= BGP_PATH_GONE;
        }
    }
    side->visited[s] = 0;
    if (end) {
        side->ops->end(s, families, how);
        return;
    }
    size_t marked = side->ops->mark(s, families, how);
    model_expect(marked == count, iteration, "source %u: %zu marked, should be %zu", s, marked, count);
}

static void step(struct side *side, struct random *random)
{
    static const enum bgp_path_mark MARKS[] = {BGP_PATH_STALE, BGP_PATH_LONG_LIVED, BGP_PATH_UNREFRESHED,
                                               BGP_PATH_GONE};
    unsigned s = random_below(random, SOURCES), f = random_below(random, FAMILIES), name = random_below(random, NAMES);
    struct plain *plain = &side->plain[s][f][name];
    uint32_t families = random_one_in(random, 2) ? side->families[0] | side->families[1] : side->families[f];

    switch (random_below(random, 10)) {
    case 0:
        mark(side, s, families, MARKS[random_below(random, 4)], false);
        break;
    case 1:
        mark(side, s, families, MARKS[random_below(random, 3)], true);
        break;
    case 2:
        walk(side, s, 1 + random_below(random, 20));
        break;
    case 3:
        if (random_one_in(random, 4))
            walk(side, s, SIZE_MAX);
        break;
    case 4:
        model_expect(side->ops->withdraw(side, s, f, name) == plain->is, iteration, "withdraw");
        plain->is = false;
        break;
    default:
        *plain = (struct plain){.is = true, .set = random_below(random, SET_COUNT)};
        side->ops->announce(side, s, f, name, plain->set);
        break;
    }
    check(side, s, false);
}

int main(int argc, char **argv)
{
    static const struct bgp_rib_ops RULE_OPS = {.changed = rule_changed};
    static const struct bgp_unicast_ops ROUTE_OPS = {.changed = route_changed};
    static struct side sides[2] = {{.ops = &RULES, .families = {BGP_IPV4_FLOWSPEC, BGP_IPV4_FLOWSPEC_VPN}},
                                   {.ops = &ROUTES, .families = {BGP_IPV4_UNICAST, BGP_IPV6_UNICAST}}};
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);
    struct random random = {.state = 4724};

    rules = bgp_rib_create(&RULE_OPS, NULL);
    routes = bgp_unicast_create(&ROUTE_OPS, NULL);
    for (unsigned i = 0; i < SOURCES; i++)
        sources[i] = (struct bgp_source){.number = i + 1, .router_id = i, .address = {IP_V4, {(uint8_t)i}}};
    for (iteration = 0; iteration < iterations; iteration++)
        step(&sides[iteration & 1], &random);
    for (unsigned i = 0; i < SOURCES; i++) {
        bgp_rib_source_down(rules, &sources[i]);
        bgp_unicast_source_down(routes, &sources[i]);
    }
    model_expect(bgp_rib_count(rules) == 0 && bgp_unicast_count(routes, BGP_IPV4_UNICAST) == 0 &&
                     bgp_unicast_attribute_sets(routes) == 0,
                 iteration, "something is left");
    bgp_rib_free(rules);
    bgp_unicast_free(routes);
    return 0;
}
