/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adj-RIB-Out against a peer that remembers: sessions of every kind are told random rules with random attributes, some
 * of which change before they leave, and what the messages say to our own reader must be what the peer was to be told,
 * in attributes and rules, no octet over the session's size, and not one message more than packing needs.
 */
#include <string.h>

#include "bgp/adj_out.h"
#include "bgp/as_path.h"
#include "bgp/export.h"
#include "flowspec/nlri.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 300
#define RULES      60
#define SETS       6
#define SESSIONS   4
#define STEPS      400

/* One session and what its peer knows; indices of `rules`, NULL memory: not known. */
struct session {
    struct bgp_out *out;
    struct bgp_out_conf conf;
    bool ebgp;
    struct bgp_attrs told[RULES], knows[RULES];
    unsigned long messages;
};

static struct fs_rule *rules[RULES];
static uint32_t families[RULES];
static struct bgp_attrs sets[SESSIONS][SETS]; /* as exported to each session */
static uint8_t room[BGP_EXPORT_ROOM];
static unsigned long iteration;

static unsigned index_of(uint32_t family, const struct fs_rule *rule)
{
    for (unsigned i = 0; i < RULES; i++)
        if (families[i] == family && fs_rule_equal(rules[i], rule))
            return i;
    model_expect(0, iteration, "a rule came that nobody sent");
    return 0;
}

static void forget(struct bgp_attrs *attrs)
{
    bgp_attrs_free(attrs);
    *attrs = (struct bgp_attrs){0};
}

static void on_reach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule, const struct bgp_attrs *attrs)
{
    struct session *session = ctx;
    model_expect(path_id == (session->conf.add_path != 0), iteration, "path id %u", path_id);
    struct bgp_attrs *known = &session->knows[index_of(family, rule)];

    forget(known);
    model_expect(bgp_attrs_dup(attrs, known), iteration, "memory");
    fs_rule_free(rule);
}

static void on_unreach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule)
{
    struct session *session = ctx;
    model_expect(path_id == (session->conf.add_path != 0), iteration, "path id %u", path_id);
    struct bgp_attrs *known = &session->knows[index_of(family, rule)];

    model_expect(known->memory != NULL, iteration, "withdrawn and never announced");
    forget(known);
    fs_rule_free(rule);
}

static void on_bad_nlri(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len)
{
    (void)ctx;
    (void)nlri;
    model_expect(0, iteration, "an NLRI of %s, %zu octets: %s", bgp_family_name(family), len, fs_error_text(error));
}

static void on_bad_attribute(void *ctx, const char *what)
{
    (void)ctx;
    model_expect(0, iteration, "%s", what);
}

static void on_route(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    (void)ctx;
    (void)route;
    (void)attrs;
    model_expect(0, iteration, "a route");
}

static void on_route_gone(void *ctx, const struct bgp_route *route)
{
    on_route(ctx, route, NULL);
}

static void on_end_of_rib(void *ctx, uint32_t family)
{
    (void)ctx;
    model_expect(0, iteration, "an End-of-RIB of %u", family);
}

static const struct bgp_update_ops OPS = {on_reach,    on_unreach,       on_route,     on_route_gone,
                                          on_bad_nlri, on_bad_attribute, on_end_of_rib};

/* One message, if there is one. */
static bool take(struct session *session)
{
    const struct bgp_update_conf conf = {.families = BGP_FLOWSPEC_FAMILIES,
                                         .add_path = session->conf.add_path,
                                         .four_octet_as = session->conf.four_octet_as,
                                         .ebgp = session->ebgp,
                                         .legacy_ipv6_offset = session->conf.legacy_ipv6_offset};
    struct bgp_out_message message;

    if (bgp_out_next(session->out, &message) == BGP_OUT_NOTHING)
        return false;
    model_expect(message.len <= session->conf.update_max, iteration, "%zu octets, not %zu", message.len,
                 session->conf.update_max);
    struct bgp_update_result result = bgp_update_parse(message.body, message.len, &conf, &OPS, session);
    model_expect(!result.reset, iteration, "our own UPDATE resets: %s", result.what ? result.what : "");
    session->messages++;
    return true;
}

static size_t random_octets(struct random *random, uint8_t *out, size_t unit, unsigned most)
{
    size_t len = random_below(random, most + 1) * unit;

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)random_next(random);
    return len;
}

/* Attributes that a path may have; `memory` holds what is of variable length. */
static void random_attrs(struct random *random, struct bgp_attrs *out, uint8_t *memory)
{
    struct byte_writer path = bw_init(memory, 256);
    unsigned count = random_below(random, 6);

    *out = (struct bgp_attrs){.has_origin = true,
                              .origin = (uint8_t)random_below(random, 3),
                              .has_med = random_one_in(random, 3),
                              .med = (uint32_t)random_next(random),
                              .has_local_pref = random_one_in(random, 2),
                              .local_pref = (uint32_t)random_next(random),
                              .atomic_aggregate = random_one_in(random, 4),
                              .has_aggregator = random_one_in(random, 4),
                              .aggregator_as = random_one_in(random, 2) ? 4200000000 : 65001,
                              .aggregator_id = (uint32_t)random_next(random)};
    if (count > 0) {
        bw_u8(&path, BGP_AS_SEQUENCE);
        bw_u8(&path, (uint8_t)count);
    }
    for (unsigned i = 0; i < count; i++)
        bw_u32(&path, random_one_in(random, 2) ? 4200000000u + i : 65100u + i);
    out->as_path = memory;
    out->as_path_len = bw_len(&path);
    out->communities = memory + 256;
    out->communities_len = random_octets(random, memory + 256, 4, 80); /* at times with the Extended Length bit */
    out->ext_comms = memory + 1024;
    out->ext_comms_len = random_octets(random, memory + 1024, 8, 5);
    for (size_t i = 0; i < out->ext_comms_len; i += 8)
        memory[1024 + i] = 0x80; /* of traffic actions */
    out->large_comms = memory + 2048;
    out->large_comms_len = random_octets(random, memory + 2048, 12, 3);
    if (random_one_in(random, 3)) {
        static const uint8_t UNKNOWN[] = {0xe0, 99, 3, 'n', 'e', 'w'};
        out->unknown = UNKNOWN;
        out->unknown_len = sizeof UNKNOWN;
    }
}

static void make_sets(struct random *random, const struct session *sessions)
{
    uint8_t memory[4096];
    struct bgp_attrs attrs, sent;

    for (unsigned set = 0; set < SETS; set++) {
        random_attrs(random, &attrs, memory);
        for (unsigned s = 0; s < SESSIONS; s++) {
            const struct bgp_export how = {.local_as = 65000,
                                           .cluster_id = 0xc0000201,
                                           .to_ebgp = sessions[s].ebgp,
                                           .to_client = true,
                                           .from_router_id = 0xc0000209,
                                           .from_ebgp = set % 2 == 0};
            bgp_attrs_export(&attrs, &how, &sent, room);
            model_expect(bgp_attrs_dup(&sent, &sets[s][set]), iteration, "memory");
        }
    }
}

static void make_rules(struct random *random)
{
    static const struct random_rule_conf CONFS[] = {
        {.narrow = true}, {.vpn = true}, {.components_max = 13}, {.components_max = 2, .terms_max = 200}};

    for (unsigned i = 0; i < RULES; i++) {
        bool again;
        do {
            rules[i] = random_rule(random, &CONFS[random_below(random, 4)]);
            bool v6 = rules[i]->family == IP_V6;
            families[i] = rules[i]->has_rd ? (v6 ? BGP_IPV6_FLOWSPEC_VPN : BGP_IPV4_FLOWSPEC_VPN)
                                           : (v6 ? BGP_IPV6_FLOWSPEC : BGP_IPV4_FLOWSPEC);
            again = false;
            for (unsigned j = 0; j < i; j++)
                again |= fs_rule_equal(rules[i], rules[j]);
            if (again)
                fs_rule_free(rules[i]);
        } while (again);
    }
}

static void tell(struct random *random, struct session *session, unsigned s)
{
    unsigned i = random_below(random, RULES);
    bool withdraw = random_one_in(random, 3), again = random_one_in(random, 8);
    const struct bgp_attrs *attrs = withdraw ? NULL : &sets[s][random_below(random, SETS)];

    model_expect(bgp_out_set(session->out, families[i], rules[i], attrs, again) == 0, iteration, "memory");
    forget(&session->told[i]);
    if (attrs != NULL)
        model_expect(bgp_attrs_dup(attrs, &session->told[i]), iteration, "memory");
}

static size_t nlri_size(const struct session *session, unsigned i)
{
    const struct fs_nlri_format format = {
        .family = rules[i]->family, .vpn = rules[i]->has_rd, .legacy_ipv6_offset = session->conf.legacy_ipv6_offset};

    return fs_nlri_size(rules[i], &format) + (session->conf.add_path != 0 ? 4 : 0);
}

/* What remained must be said, and then all is known as it was told; but what fits into no message is not. */
static void check(struct session *session)
{
    while (take(session)) {
    }
    model_expect(bgp_out_empty(session->out), iteration, "something is left");
    for (unsigned i = 0; i < RULES; i++) {
        const struct bgp_attrs *told = &session->told[i], *known = &session->knows[i];
        if (told->memory == NULL) {
            model_expect(known->memory == NULL, iteration, "rule %u is known and was withdrawn", i);
            continue;
        }
        uint8_t tail[4096];
        struct byte_writer w = bw_init(tail, sizeof tail);
        bgp_attrs_write(told, session->conf.four_octet_as, &w);
        /* RFC 4271 4.3: two lengths; RFC 4760 3: flags, type, length, AFI, SAFI, next hop's length, reserved */
        bool fits = 4 + 4 + 5 + nlri_size(session, i) + bw_len(&w) <= session->conf.update_max;
        model_expect(fits == (known->memory != NULL), iteration, "rule %u %s", i, fits ? "is not known" : "is known");
        model_expect(!fits || bgp_attrs_equal(told, known), iteration, "rule %u is known otherwise", i);
    }
}

static void run(struct random *random)
{
    struct bgp_adj_out *shared = bgp_adj_out_create();
    static struct session sessions[SESSIONS];

    memset(sessions, 0, sizeof sessions);
    for (unsigned s = 0; s < SESSIONS; s++) {
        sessions[s].ebgp = s % 2 == 1;
        sessions[s].conf = (struct bgp_out_conf){.add_path = s == 2 ? BGP_FLOWSPEC_FAMILIES : 0,
                                                 .four_octet_as = s < 2,
                                                 .legacy_ipv6_offset = s == 3,
                                                 .update_max = 300 + random_below(random, 900)};
        sessions[s].out = bgp_out_open(shared, &sessions[s].conf);
    }
    make_rules(random);
    make_sets(random, sessions);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned s = random_below(random, SESSIONS);
        tell(random, &sessions[s], s);
        if (random_one_in(random, 12))
            take(&sessions[random_below(random, SESSIONS)]);
    }
    for (unsigned s = 0; s < SESSIONS; s++)
        check(&sessions[s]);
    for (unsigned i = 0; i < RULES; i++) {
        fs_rule_free(rules[i]);
        for (unsigned s = 0; s < SESSIONS; s++) {
            forget(&sessions[s].told[i]);
            forget(&sessions[s].knows[i]);
        }
    }
    for (unsigned i = 0; i < SETS * SESSIONS; i++)
        forget(&sets[i / SETS][i % SETS]);
    bgp_adj_out_free(shared);
}

int main(int argc, char **argv)
{
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);
    struct random random = {.state = 4271};

    for (iteration = 0; iteration < iterations; iteration++)
        run(&random);
    printf("%lu rounds\n", iterations);
    return 0;
}
