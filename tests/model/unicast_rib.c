/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unicast RIB against a plain array of paths that is searched from end to end: announcements, withdrawals, sources
 * that go, with few prefixes that cover one another, so that every shape of the trie comes up. After each change every
 * question is asked of both.
 */
#include <string.h>

#include "bgp/best_path.h"
#include "bgp/unicast_rib.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 12000
#define SOURCES    3
#define PATHS_MAX  512
#define RDS        3

struct plain_path {
    struct bgp_route route;
    const struct bgp_source *source;
    unsigned attrs;
};

struct model {
    struct random random;
    struct bgp_source sources[SOURCES];
    struct plain_path paths[PATHS_MAX];
    size_t count;
    struct bgp_unicast *rib;
    unsigned long iteration;
    unsigned events;
    struct bgp_route told;
    const struct bgp_source *told_source;
    const struct bgp_attrs *told_attrs;
};

/* AS paths 65001 65002, 65002, none; with local preferences that tie and MEDs that count in one AS only. */
static const uint8_t PATH_1[] = {2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xea};
static const uint8_t PATH_2[] = {2, 1, 0, 0, 0xfd, 0xea};
static const struct bgp_attrs SETS[] = {
    {.has_origin = true, .as_path = PATH_1, .as_path_len = sizeof PATH_1},
    {.has_origin = true, .as_path = PATH_2, .as_path_len = sizeof PATH_2, .has_med = true, .med = 10},
    {.has_origin = true, .as_path = PATH_2, .as_path_len = sizeof PATH_2, .has_med = true, .med = 5},
    {.has_origin = true, .as_path = PATH_2, .as_path_len = 0},
    {.has_origin = true, .as_path = PATH_1, .as_path_len = sizeof PATH_1, .has_local_pref = true, .local_pref = 200},
};
#define SET_COUNT (sizeof SETS / sizeof SETS[0])

static bool same_prefix(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return a->family == b->family && a->length == b->length && ip_bits_equal(a->octets, b->octets, a->length);
}

static bool same_route(const struct bgp_route *a, const struct bgp_route *b)
{
    return a->family == b->family && memcmp(a->rd, b->rd, sizeof a->rd) == 0 && same_prefix(&a->prefix, &b->prefix);
}

static bool within(const struct ip_prefix *inner, const struct ip_prefix *outer)
{
    return inner->family == outer->family && inner->length >= outer->length &&
           ip_bits_equal(inner->octets, outer->octets, outer->length);
}

static struct bgp_route random_route(struct model *m)
{
    static const uint32_t FAMILIES[] = {BGP_IPV4_UNICAST, BGP_IPV6_UNICAST, BGP_IPV4_VPN, BGP_IPV6_VPN};
    struct bgp_route route = {.family = FAMILIES[random_below(&m->random, 4)]};
    bool ipv6 = bgp_family_afi(route.family) == BGP_AFI_IPV6;

    route.prefix.family = ipv6 ? IP_V6 : IP_V4;
    route.prefix.length = (uint8_t)random_below(&m->random, ipv6 ? 129 : 33);
    if (random_one_in(&m->random, 2))
        route.prefix.length = (uint8_t)random_below(&m->random, 5);
    for (unsigned i = 0; i < (ipv6 ? 16u : 4u); i++)
        route.prefix.octets[i] = random_one_in(&m->random, 8) ? (uint8_t)random_below(&m->random, 256)
                                                              : (uint8_t)(random_below(&m->random, 2) * 0xff);
    ip_bits_keep(route.prefix.octets, 16, 0, route.prefix.length);
    if (route.family & (BGP_IPV4_VPN | BGP_IPV6_VPN))
        route.rd[7] = (uint8_t)random_below(&m->random, RDS);
    route.path_id = random_one_in(&m->random, 6) ? 7 : 0;
    return route;
}

static struct plain_path *plain_find(struct model *m, const struct bgp_route *route, const struct bgp_source *source)
{
    for (size_t i = 0; i < m->count; i++) {
        struct plain_path *at = &m->paths[i];
        if (at->source == source && at->route.path_id == route->path_id && same_route(&at->route, route))
            return at;
    }
    return NULL;
}

/* The best of the paths of exactly this prefix, by the other form of the decision process; NULL: there is none. */
static const struct plain_path *plain_best(struct model *m, const struct bgp_route *route)
{
    struct bgp_path list[2 * SOURCES], *first = NULL;
    const struct plain_path *of[2 * SOURCES];
    size_t count = 0;

    for (size_t i = 0; i < m->count; i++) {
        if (!same_route(&m->paths[i].route, route))
            continue;
        of[count] = &m->paths[i];
        list[count] = (struct bgp_path){.source = m->paths[i].source, .attrs = SETS[m->paths[i].attrs], .next = first};
        first = &list[count++];
    }
    const struct bgp_path *best = bgp_best_path(first);
    return best != NULL ? of[best - list] : NULL;
}

static void changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    struct model *m = ctx;

    m->events++;
    m->told = *route;
    m->told_source = best != NULL ? best->source : NULL;
    m->told_attrs = best != NULL ? best->attrs : NULL;
}

static const struct bgp_unicast_ops OPS = {.changed = changed};

static bool attrs_are(const struct bgp_attrs *attrs, unsigned set)
{
    return bgp_attrs_equal(attrs, &SETS[set]);
}

static bool imports_odd(void *ctx, const struct bgp_attrs *attrs)
{
    (void)ctx;
    return attrs->has_med || attrs->has_local_pref;
}

/* The longest prefix around `prefix` whose best path is in the scope. */
static void check_match(struct model *m, const struct bgp_route *at, bool filter)
{
    const struct bgp_unicast_scope scope = {.family = at->family, .imports = filter ? imports_odd : NULL};
    bool vpn = (at->family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0;
    struct bgp_unicast_path best;
    struct bgp_route route;
    int longest = -1;

    for (size_t i = 0; i < m->count; i++) {
        const struct plain_path *path = plain_best(m, &m->paths[i].route);
        bool in = !vpn || !filter || imports_odd(NULL, &SETS[path->attrs]);
        if (in && path->route.family == at->family && within(&at->prefix, &path->route.prefix) &&
            path->route.prefix.length > longest)
            longest = path->route.prefix.length;
    }
    bool found = bgp_unicast_match(m->rib, &scope, &at->prefix, &route, &best);
    model_expect(found == (longest >= 0), m->iteration, "match: found %d, longest %d", found, longest);
    if (!found)
        return;
    model_expect(route.prefix.length == longest && within(&at->prefix, &route.prefix), m->iteration,
                 "match: length %u, should be %d", route.prefix.length, longest);
    const struct plain_path *plain = plain_best(m, &route);
    /* two paths of one source that differ in nothing but their path id tie */
    model_expect(plain != NULL && plain->source == best.source && attrs_are(best.attrs, plain->attrs), m->iteration,
                 "match: another best path");
}

static void check_other_neighbour(struct model *m, const struct bgp_route *at)
{
    const struct bgp_unicast_scope scope = {.family = at->family};
    struct bgp_unicast_path best;
    struct bgp_route route;
    bool expected = false;

    for (size_t i = 0; i < m->count; i++) {
        const struct plain_path *path = plain_best(m, &m->paths[i].route);
        if (path->route.family == at->family && path->route.prefix.length > at->prefix.length &&
            within(&path->route.prefix, &at->prefix) && bgp_as_path_first(&SETS[path->attrs]) != 65002)
            expected = true;
    }
    bool found = bgp_unicast_other_neighbour(m->rib, &scope, &at->prefix, 65002, &route, &best);
    model_expect(found == expected, m->iteration, "other neighbour: %d, should be %d", found, expected);
    model_expect(!found || (route.prefix.length > at->prefix.length && within(&route.prefix, &at->prefix) &&
                            bgp_as_path_first(best.attrs) != 65002),
                 m->iteration, "other neighbour: the example is none");
}

static void check_covers(struct model *m, const struct bgp_route *at)
{
    const struct bgp_source *source = &m->sources[0];
    struct bgp_route route;
    int longest = -1;

    for (size_t i = 0; i < m->count; i++) {
        const struct plain_path *path = &m->paths[i];
        if (path->source == source && (path->route.family & (BGP_IPV4_UNICAST | BGP_IPV6_UNICAST)) &&
            within(&at->prefix, &path->route.prefix) && path->route.prefix.length > longest)
            longest = path->route.prefix.length;
    }
    bool found = bgp_unicast_source_covers(m->rib, source, &at->prefix, &route);
    model_expect(found == (longest >= 0) && (!found || route.prefix.length == longest), m->iteration,
                 "source covers: %d, longest %d", found, longest);
}

/* A walk meets every prefix once, a covering one before those in it, and goes on from anywhere. */
static void check_walk(struct model *m)
{
    struct bgp_route route, before;
    struct bgp_unicast_path best;
    size_t prefixes = 0, walked = 0;
    bool have = bgp_unicast_next(m->rib, BGP_UNICAST_FAMILIES, NULL, &route, &best);

    for (size_t i = 0; i < m->count; i++) {
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && !same_route(&m->paths[i].route, &m->paths[j].route);
        prefixes += first;
    }
    while (have) {
        model_expect(plain_best(m, &route) != NULL, m->iteration, "walk: a prefix that is not there");
        before = route;
        walked++;
        have = bgp_unicast_next(m->rib, BGP_UNICAST_FAMILIES, &before, &route, &best);
        model_expect(!have || !same_route(&before, &route), m->iteration, "walk: stands still");
        model_expect(!have || route.family != before.family || memcmp(route.rd, before.rd, 8) != 0 ||
                         memcmp(route.prefix.octets, before.prefix.octets, 16) > 0 ||
                         (memcmp(route.prefix.octets, before.prefix.octets, 16) == 0 &&
                          route.prefix.length > before.prefix.length),
                     m->iteration, "walk: out of order");
    }
    model_expect(walked == prefixes, m->iteration, "walk: %zu prefixes, should be %zu", walked, prefixes);
}

/* The event of the last change, where there should have been one: the best path differs from `before`. */
static void check_event(struct model *m, const struct bgp_route *route, const struct plain_path *before,
                        const struct plain_path *old_best)
{
    const struct plain_path *now = plain_best(m, route);
    bool differs = (before == NULL) != (now == NULL) ||
                   (now != NULL && (now->source != old_best->source || now->attrs != old_best->attrs));

    if (!differs)
        return;
    model_expect(m->events == 1 && same_route(&m->told, route), m->iteration, "no event, or of another prefix");
    model_expect((now == NULL) == (m->told_source == NULL), m->iteration, "event: gone or not");
    model_expect(now == NULL || (m->told_source == now->source && attrs_are(m->told_attrs, now->attrs)), m->iteration,
                 "event: another best path");
}

static void announce(struct model *m, const struct bgp_route *route, const struct bgp_source *source, unsigned set)
{
    struct bgp_shared_attrs *shared = bgp_unicast_intern(m->rib, &SETS[set]);
    struct plain_path *plain = plain_find(m, route, source);

    model_expect(shared != NULL && bgp_unicast_announce(m->rib, source, route, shared) == 0, m->iteration, "announce");
    bgp_unicast_release(m->rib, shared);
    if (plain == NULL)
        plain = &m->paths[m->count++];
    *plain = (struct plain_path){.route = *route, .source = source, .attrs = set};
}

static void withdraw(struct model *m, const struct bgp_route *route, const struct bgp_source *source)
{
    struct plain_path *plain = plain_find(m, route, source);

    model_expect(bgp_unicast_withdraw(m->rib, source, route) == (plain != NULL), m->iteration, "withdraw");
    if (plain != NULL)
        *plain = m->paths[--m->count];
}

static void one_change(struct model *m)
{
    struct bgp_route route = random_route(m);
    const struct bgp_source *source = &m->sources[random_below(&m->random, SOURCES)];

    if (m->count > 0 && random_one_in(&m->random, 2)) {
        const struct plain_path *some = &m->paths[random_below(&m->random, (unsigned)m->count)];
        route = some->route;
        source = random_one_in(&m->random, 2) ? some->source : source;
    }
    const struct plain_path *before = plain_best(m, &route);
    struct plain_path old_best = before != NULL ? *before : (struct plain_path){0};
    m->events = 0;
    if (m->count + 1 < PATHS_MAX / 8 && !random_one_in(&m->random, 3))
        announce(m, &route, source, random_below(&m->random, SET_COUNT));
    else
        withdraw(m, &route, source);
    check_event(m, &route, before, &old_best);
}

/* A session that goes, of some families, perhaps after a while as stale. */
static void drop_source(struct model *m)
{
    const struct bgp_source *source = &m->sources[random_below(&m->random, SOURCES)];
    uint32_t families = random_one_in(&m->random, 2) ? BGP_UNICAST_FAMILIES : BGP_IPV4_UNICAST | BGP_IPV6_VPN;
    size_t count = 0, dropped = 0;

    if (random_one_in(&m->random, 2)) {
        bgp_unicast_source_mark(m->rib, source, families, BGP_PATH_STALE);
        bgp_unicast_source_end(m->rib, source, families, BGP_PATH_STALE);
    } else {
        bgp_unicast_source_mark(m->rib, source, families, BGP_PATH_GONE);
    }
    for (size_t i = 0; i < m->count;) {
        if (m->paths[i].source == source && (m->paths[i].route.family & families) != 0) {
            m->paths[i] = m->paths[--m->count];
            count++;
        } else {
            i++;
        }
    }
    while (bgp_unicast_source_walk(m->rib, source, 7, &dropped) == 7)
        ;
    model_expect(dropped == count, m->iteration, "dropped %zu, should be %zu", dropped, count);
}

int main(int argc, char **argv)
{
    static struct model m;
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);

    m.random = (struct random){1};
    for (unsigned i = 0; i < SOURCES; i++)
        m.sources[i] = (struct bgp_source){.number = i + 1, .ebgp = i > 0, .router_id = 9 - i, .address = {IP_V4, {i}}};
    m.rib = bgp_unicast_create(&OPS, &m);
    for (m.iteration = 0; m.iteration < iterations; m.iteration++) {
        struct bgp_route route = random_route(&m);
        if (random_one_in(&m.random, 200))
            drop_source(&m);
        else
            one_change(&m);
        check_match(&m, &route, random_one_in(&m.random, 2));
        check_other_neighbour(&m, &route);
        check_covers(&m, &route);
        if (random_one_in(&m.random, 8))
            check_walk(&m);
    }
    for (unsigned i = 0; i < SOURCES; i++)
        bgp_unicast_source_down(m.rib, &m.sources[i]);
    model_expect(bgp_unicast_count(m.rib, BGP_IPV4_UNICAST) == 0 && bgp_unicast_attribute_sets(m.rib) == 0, m.iteration,
                 "something is left");
    bgp_unicast_free(m.rib);
    return 0;
}
