/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adj-RIB-Out of routes against plain bookkeeping: a RIB that changes at random, sessions with and without ADD-PATH
 * that read at random, filters that change under them. What a session reads is decoded again; once it has read all, it
 * must know exactly what it is to know, and of what it was told nothing may have been withdrawn that it did not know,
 * nor announced again as it knew it. To some of the sessions paths look alike that are not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/export.h"
#include "bgp/route_out.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 60
#define STEPS      3000
#define PREFIXES   40
#define SOURCES    3
#define IDS        3
#define SETS       5
#define SESSIONS   4
#define KNOWN_MAX  (PREFIXES * SOURCES * IDS * 2)

/* A route that a session was told. */
struct known {
    struct bgp_route route;
    uint32_t med, label;
};

struct session {
    struct bgp_route_out *out;
    struct bgp_route_out_conf conf;
    unsigned forbidden; /* prefixes with this remainder by 4 are not told; 4: all are */
    struct known known[KNOWN_MAX];
    size_t count;
    bool alike; /* it does not see which source and path id a path has */
    bool again; /* it asked for everything again, and has not read all since */
    bool woken;
};

static struct bgp_unicast *rib;
static struct bgp_source sources[SOURCES];
static struct bgp_attrs sets[SETS];
static unsigned long iteration;
static struct bgp_builder builder;

static bool same_route(const struct bgp_route *a, const struct bgp_route *b)
{
    return a->family == b->family && a->path_id == b->path_id && memcmp(a->rd, b->rd, sizeof a->rd) == 0 &&
           a->prefix.length == b->prefix.length &&
           memcmp(a->prefix.octets, b->prefix.octets, sizeof a->prefix.octets) == 0;
}

static struct known *known_find(struct session *session, const struct bgp_route *route)
{
    for (size_t i = 0; i < session->count; i++)
        if (same_route(&session->known[i].route, route))
            return &session->known[i];
    return NULL;
}

static void on_reach(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    struct session *session = ctx;
    struct known *known = known_find(session, route);

    model_expect(known == NULL || session->again || known->med != attrs->med || known->label != route->label, iteration,
                 "announced again, unchanged");
    if (known == NULL) {
        model_expect(session->count < KNOWN_MAX, iteration, "more routes than there are");
        known = &session->known[session->count++];
    }
    *known = (struct known){.route = *route, .med = attrs->med, .label = route->label};
}

static void on_unreach(void *ctx, const struct bgp_route *route)
{
    struct session *session = ctx;
    struct known *known = known_find(session, route);

    model_expect(known != NULL, iteration, "withdrawn and never announced");
    if (known != NULL)
        *known = session->known[--session->count];
}

static void on_bad_attribute(void *ctx, const char *what)
{
    (void)ctx;
    model_expect(0, iteration, "%s", what);
}

static void on_end_of_rib(void *ctx, uint32_t family)
{
    (void)ctx;
    model_expect(0, iteration, "an End-of-RIB of %u", family);
}

static bool on_allowed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *path)
{
    const struct session *session = ctx;

    (void)path;
    return route->prefix.octets[1] % 4 != session->forbidden;
}

static uint32_t med_for(const struct session *session, const struct bgp_unicast_path *path)
{
    return session->alike ? path->attrs->med / 100 : path->attrs->med;
}

static void on_attributes(void *ctx, uint32_t family, const struct bgp_unicast_path *path, struct bgp_attrs *out)
{
    (void)family;
    *out = *path->attrs;
    out->med = med_for(ctx, path);
}

static void on_waits(void *ctx)
{
    ((struct session *)ctx)->woken = true;
}

static void on_changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    (void)ctx;
    (void)route;
    (void)best;
}

/* One message, if there is one. */
static bool take(struct session *session)
{
    static const struct bgp_update_ops OPS = {.reach_route = on_reach,
                                              .unreach_route = on_unreach,
                                              .bad_attribute = on_bad_attribute,
                                              .end_of_rib = on_end_of_rib};
    const struct bgp_update_conf conf = {.families = BGP_UNICAST_FAMILIES,
                                         .add_path = session->conf.add_path,
                                         .four_octet_as = session->conf.four_octet_as};
    enum bgp_route_out_kind kind = bgp_route_out_next(session->out, &builder);

    if (kind == BGP_ROUTE_OUT_NOTHING) {
        model_expect(bgp_route_out_empty(session->out), iteration, "nothing to say, and something waits");
        session->woken = session->again = false;
        return false;
    }
    if (kind == BGP_ROUTE_OUT_MORE)
        return true;
    model_expect(builder.len <= session->conf.update_max, iteration, "%zu octets", builder.len);
    struct bgp_update_result result = bgp_update_parse(builder.body, builder.len, &conf, &OPS, session);
    model_expect(!result.reset, iteration, "our own UPDATE resets: %s", result.what ? result.what : "");
    return true;
}

/* What a session should know, gathered from the RIB. */
struct expected {
    struct session *session;
    const struct bgp_route *route;
    size_t count;
};

static bool expect_path(void *ctx, const struct bgp_unicast_path *path, const char *why)
{
    struct expected *expected = ctx;
    struct session *session = expected->session;
    bool every = (session->conf.add_path & expected->route->family) != 0;
    const struct known *found = NULL;
    size_t same = 0;

    (void)why;
    if (!on_allowed(session, expected->route, path))
        return every;
    for (size_t i = 0; i < session->count; i++) {
        struct bgp_route route = session->known[i].route;
        route.path_id = 0;
        bool is = same_route(&route, expected->route) && session->known[i].med == med_for(session, path) &&
                  (!every || session->known[i].label == path->attrs->label);
        found = is ? &session->known[i] : found;
        same += is;
    }
    model_expect(found != NULL, iteration, "a path is not known");
    model_expect(every ? found->route.path_id != 0 : same == 1 && found->route.path_id == 0, iteration, "path ids");
    model_expect(found->label == path->attrs->label, iteration, "label %u, not %u", found->label, path->attrs->label);
    expected->count++;
    return every;
}

static void check(struct session *session)
{
    struct expected expected = {.session = session};
    struct bgp_unicast_path best;
    struct bgp_route route, after;
    size_t counted = 0;

    while (take(session)) {
    }
    for (bool have = bgp_unicast_next(rib, session->conf.families, NULL, &route, &best); have;
         have = bgp_unicast_next(rib, session->conf.families, &after, &route, &best)) {
        after = route;
        expected.route = &route;
        bgp_unicast_paths(rib, &route, false, expect_path, &expected);
    }
    model_expect(expected.count == session->count, iteration, "%zu are known, not %zu", session->count, expected.count);
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1)
        counted += bgp_route_out_count(session->out, family);
    model_expect(counted == session->count, iteration, "%zu counted, not %zu", counted, session->count);
    model_expect(!bgp_route_out_short(session->out), iteration, "memory");
}

static struct bgp_route random_route(struct random *random)
{
    static const uint32_t FAMILIES[] = {BGP_IPV4_UNICAST, BGP_IPV6_UNICAST, BGP_IPV4_VPN};
    struct bgp_route route = {.family = FAMILIES[random_below(random, 3)]};
    unsigned number = random_below(random, PREFIXES);

    route.prefix.family = route.family == BGP_IPV6_UNICAST ? IP_V6 : IP_V4;
    route.prefix.length = (uint8_t)(16 + number % 3 * 8);
    route.prefix.octets[0] = 10;
    route.prefix.octets[1] = (uint8_t)number;
    if (route.family == BGP_IPV4_VPN)
        route.rd[7] = (uint8_t)(1 + number % 2);
    route.path_id = random_below(random, IDS);
    return route;
}

/* Attributes differ in their MED, which tells paths apart: from the source and id it follows, too. */
static void change(struct random *random)
{
    struct bgp_route route = random_route(random);
    unsigned source = random_below(random, SOURCES);

    if (random_one_in(random, 60)) {
        size_t dropped = 0;
        bgp_unicast_source_mark(rib, &sources[source], BGP_UNICAST_FAMILIES, BGP_PATH_GONE);
        bgp_unicast_source_walk(rib, &sources[source], 1 + random_below(random, 100), &dropped);
        return;
    }
    if (random_one_in(random, 3)) {
        bgp_unicast_withdraw(rib, &sources[source], &route);
        return;
    }
    struct bgp_attrs attrs = sets[random_below(random, SETS)];
    attrs.med = attrs.med * 100 + source * 10 + route.path_id;
    attrs.next_hop.family = route.prefix.family;
    struct bgp_shared_attrs *base = bgp_unicast_intern(rib, &attrs);
    struct bgp_shared_attrs *shared =
        bgp_unicast_label(rib, base, route.family == BGP_IPV4_VPN ? 16 + random_below(random, 4) : 0);
    bgp_unicast_release(rib, base);
    model_expect(shared != NULL && bgp_unicast_announce(rib, &sources[source], &route, shared) == 0, iteration,
                 "memory");
    bgp_unicast_release(rib, shared);
}

static void run(struct random *random)
{
    static const struct bgp_route_out_ops OPS = {.allowed = on_allowed, .attributes = on_attributes, .waits = on_waits};
    static const struct bgp_unicast_ops RIB_OPS = {.changed = on_changed};
    static struct session sessions[SESSIONS];

    memset(sessions, 0, sizeof sessions);
    rib = bgp_unicast_create(&RIB_OPS, NULL);
    for (unsigned i = 0; i < 50; i++)
        change(random);
    for (unsigned s = 0; s < SESSIONS; s++) {
        sessions[s].forbidden = 4;
        sessions[s].alike = s < 2;
        sessions[s].conf =
            (struct bgp_route_out_conf){.families = s == 3 ? BGP_IPV4_UNICAST | BGP_IPV4_VPN : BGP_UNICAST_FAMILIES,
                                        .add_path = s == 1   ? BGP_UNICAST_FAMILIES
                                                    : s == 2 ? BGP_IPV4_UNICAST
                                                             : 0,
                                        .four_octet_as = s != 2,
                                        .update_max = 100 + random_below(random, 300)};
        sessions[s].out = bgp_route_out_open(rib, &sessions[s].conf, &OPS, &sessions[s]);
        bgp_route_out_walk(sessions[s].out, BGP_UNICAST_FAMILIES, false);
    }
    for (unsigned step = 0; step < STEPS; step++) {
        struct session *session = &sessions[random_below(random, SESSIONS)];
        change(random);
        if (random_one_in(random, 10))
            take(session);
        if (random_one_in(random, 200)) {
            session->forbidden = random_below(random, 5);
            bool again = random_one_in(random, 2);
            bgp_route_out_walk(session->out, BGP_UNICAST_FAMILIES, again);
            session->again = session->again || again;
            session->woken = true;
        }
        if (random_one_in(random, 100))
            check(session);
    }
    for (unsigned s = 0; s < SESSIONS; s++)
        check(&sessions[s]);
    for (unsigned i = 0; i < SOURCES; i++)
        bgp_unicast_source_down(rib, &sources[i]);
    for (unsigned s = 0; s < SESSIONS; s++) {
        model_expect(sessions[s].woken || sessions[s].count == 0, iteration, "not told that something waits");
        check(&sessions[s]);
        model_expect(sessions[s].count == 0, iteration, "something is left");
        bgp_route_out_close(sessions[s].out);
    }
    model_expect(bgp_unicast_attribute_sets(rib) == 0, iteration, "attributes are left");
    bgp_unicast_free(rib);
}

int main(int argc, char **argv)
{
    static const uint8_t PATHS[SETS][14] = {
        {2, 1, 0, 0, 0, 1}, {2, 2, 0, 0, 0, 1, 0, 0, 0, 2}, {2, 1, 0, 0, 0, 3}, {2, 1, 0, 1, 0, 4}, {2, 1, 0, 0, 0, 5}};
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);
    struct random random = {.state = 7911};

    for (unsigned i = 0; i < SETS; i++)
        sets[i] = (struct bgp_attrs){.has_origin = true,
                                     .has_med = true,
                                     .med = i,
                                     .as_path = PATHS[i],
                                     .as_path_len = 2 + 4u * PATHS[i][1],
                                     .next_hop = {.family = IP_V4, .octets = {192, 0, 2, (uint8_t)i}}};
    for (unsigned i = 0; i < SOURCES; i++)
        sources[i] = (struct bgp_source){.number = i + 1, .ebgp = i > 0, .router_id = 9 - i, .address = {IP_V4, {i}}};
    for (iteration = 0; iteration < iterations; iteration++)
        run(&random);
    printf("%lu rounds\n", iterations);
    return 0;
}
