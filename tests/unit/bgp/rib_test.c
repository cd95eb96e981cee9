/* SPDX-License-Identifier: BSD-3-Clause */
/* The RIB: who hears of what, which path is best (RFC 4271 9.1.2.2), sources that go, and a plain model of it all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cm.h"
#include "bgp/rib.h"
#include "flowspec/order.h"
#include "flowspec/text.h"

struct heard {
    unsigned changes, withdrawals;
    const struct bgp_source *best; /* of the last change */
    struct bgp_rib *rib;
};

static void changed(void *ctx, struct bgp_rib_entry *entry, bool withdrawn)
{
    struct heard *heard = ctx;

    if (withdrawn) {
        heard->withdrawals++;
        assert_null(entry->best);
        assert_null(bgp_rib_find(heard->rib, entry->family, entry->rule));
    } else {
        heard->changes++;
        heard->best = entry->best->source;
        assert_ptr_equal(bgp_rib_find(heard->rib, entry->family, entry->rule), entry);
    }
}

static const struct bgp_rib_ops ops = {.changed = changed};

static struct bgp_rib *rib_new(struct heard *heard)
{
    *heard = (struct heard){0};
    heard->rib = bgp_rib_create(&ops, heard);
    assert_non_null(heard->rib);
    return heard->rib;
}

static struct fs_rule *rule(const char *text)
{
    struct fs_rule *out;
    struct fs_actions actions;
    struct fs_text_error error;

    if (!fs_text_parse(text, &out, &actions, &error))
        fail_msg("%s: %s", text, error.text);
    return out;
}

static struct fs_rule *numbered(unsigned n)
{
    char text[64];

    snprintf(text, sizeof text, "match destination 10.%u.%u.%u/32", n >> 16 & 255, n >> 8 & 255, n & 255);
    return rule(text);
}

static struct bgp_source peer(uint32_t number, bool ebgp)
{
    struct bgp_source source = {.number = number, .kind = BGP_SOURCE_PEER, .ebgp = ebgp, .router_id = 100 + number};

    source.address = (struct ip_addr){.family = IP_V4, .octets = {192, 0, 2, (uint8_t)number}};
    return source;
}

static int announce(struct bgp_rib *rib, const struct bgp_source *source, const char *text, uint32_t med)
{
    struct bgp_attrs attrs = {.has_med = true, .med = med};

    return bgp_rib_announce(rib, source, BGP_IPV4_FLOWSPEC, rule(text), &attrs);
}

static bool withdraw(struct bgp_rib *rib, const struct bgp_source *source, const char *text)
{
    struct fs_rule *r = rule(text);
    bool had = bgp_rib_withdraw(rib, source, BGP_IPV4_FLOWSPEC, r);

    fs_rule_free(r);
    return had;
}

#define RULE "match destination 203.0.113.7/32"

/* conforms: RFC 4271 proves 9-1 9-2 9-3 9.1.2-2 */
static void the_owner_hears_of_changes_and_of_nothing_else(void **state)
{
    struct heard heard;
    struct bgp_rib *rib = rib_new(&heard);
    struct bgp_source a = peer(1, false), b = peer(2, false);

    (void)state;
    assert_int_equal(announce(rib, &a, RULE, 1), 0);
    assert_int_equal(heard.changes, 1);
    announce(rib, &a, RULE, 1); /* the same again */
    assert_int_equal(heard.changes, 1);
    announce(rib, &a, RULE, 2); /* other attributes */
    assert_int_equal(heard.changes, 2);
    announce(rib, &b, RULE, 3); /* a worse path */
    assert_int_equal(heard.changes, 2);
    announce(rib, &b, RULE, 4); /* a worse path changes */
    assert_int_equal(heard.changes, 2);
    announce(rib, &b, RULE, 1); /* becomes the best */
    assert_int_equal(heard.changes, 3);
    assert_ptr_equal(heard.best, &b);
    assert_true(withdraw(rib, &a, RULE)); /* the worse one goes */
    assert_int_equal(heard.changes, 3);
    assert_false(withdraw(rib, &a, RULE));
    announce(rib, &a, RULE, 9);
    assert_true(withdraw(rib, &b, RULE)); /* the best one goes */
    assert_int_equal(heard.changes, 4);
    assert_ptr_equal(heard.best, &a);
    assert_int_equal(heard.withdrawals, 0);
    assert_true(withdraw(rib, &a, RULE));
    assert_int_equal(heard.withdrawals, 1);
    assert_int_equal(bgp_rib_count(rib), 0);
    bgp_rib_free(rib);
}

static void one_rule_in_two_families_is_two_entries(void **state)
{
    struct heard heard;
    struct bgp_rib *rib = rib_new(&heard);
    struct bgp_source a = peer(1, false);
    struct bgp_attrs attrs = {0};
    struct fs_rule *r = rule(RULE);

    (void)state;
    bgp_rib_announce(rib, &a, BGP_IPV4_FLOWSPEC, fs_rule_dup(r), &attrs);
    bgp_rib_announce(rib, &a, BGP_IPV4_FLOWSPEC_VPN, rule("match rd 65000:1 destination 203.0.113.7/32"), &attrs);
    assert_int_equal(bgp_rib_count(rib), 2);
    assert_int_equal(bgp_rib_source_count(rib, &a, BGP_IPV4_FLOWSPEC), 1);
    assert_int_equal(bgp_rib_source_count(rib, &a, BGP_IPV4_FLOWSPEC_VPN), 1);
    assert_int_equal(bgp_rib_source_count(rib, &a, BGP_IPV6_FLOWSPEC), 0);
    assert_null(bgp_rib_find(rib, BGP_IPV4_FLOWSPEC_VPN, r));
    assert_true(bgp_rib_withdraw(rib, &a, BGP_IPV4_FLOWSPEC, r));
    assert_int_equal(bgp_rib_count(rib), 1);
    fs_rule_free(r);
    bgp_rib_free(rib);
}

static void entries_come_in_rfc_order(void **state)
{
    static const char *const texts[] = {
        "match destination 10.0.0.0/8",
        "match destination 10.1.0.0/16",
        "match protocol tcp",
        "match source 10.0.0.0/8",
        "match destination 10.1.0.0/16 port 80",
        "match destination 2001:db8::/32",
        "match destination 2001:db8::1/128",
        "match destination 9.0.0.0/8 protocol udp",
    };
    struct heard heard;
    struct bgp_rib *rib = rib_new(&heard);
    struct bgp_source a = peer(1, false);
    const struct bgp_rib_entry *before = NULL;
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fs_rule *r = rule(texts[i]);
        uint32_t family = r->family == IP_V6 ? BGP_IPV6_FLOWSPEC : BGP_IPV4_FLOWSPEC;
        bgp_rib_announce(rib, &a, family, r, &(struct bgp_attrs){0});
    }
    for (struct bgp_rib_entry *at = bgp_rib_next(rib, NULL); at != NULL; at = bgp_rib_next(rib, at), count++) {
        if (before != NULL)
            assert_true(fs_rule_compare(before->rule, at->rule) < 0);
        before = at;
    }
    assert_int_equal(count, sizeof texts / sizeof texts[0]);
    assert_int_equal(before->family, BGP_IPV6_FLOWSPEC); /* IPv4 first */
    bgp_rib_free(rib);
}

/* A path in few words. */
struct candidate {
    enum bgp_source_kind kind;
    bool ebgp;
    uint32_t local_pref; /* 0: none */
    const char *path;    /* ASes as letters */
    uint8_t origin;
    uint32_t med; /* 0: none */
    uint32_t router_id, originator_id;
    uint8_t clusters, address;
};

static void fill(const struct candidate *c, uint32_t number, struct bgp_source *source, struct bgp_attrs *attrs,
                 uint8_t *octets)
{
    static const uint8_t clusters[64];
    size_t len = strlen(c->path);

    *source = (struct bgp_source){.number = number, .kind = c->kind, .ebgp = c->ebgp, .router_id = c->router_id};
    source->address = (struct ip_addr){.family = IP_V4, .octets = {10, 0, 0, c->address}};
    *attrs = (struct bgp_attrs){.has_origin = true,
                                .origin = c->origin,
                                .has_med = c->med != 0,
                                .med = c->med,
                                .has_local_pref = c->local_pref != 0,
                                .local_pref = c->local_pref,
                                .has_originator_id = c->originator_id != 0,
                                .originator_id = c->originator_id,
                                .cluster_list = clusters,
                                .cluster_list_len = c->clusters * 4u};
    if (len == 0)
        return;
    octets[0] = 2;
    octets[1] = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        memset(octets + 2 + i * 4, 0, 3);
        octets[2 + i * 4 + 3] = (uint8_t)c->path[i];
    }
    attrs->as_path = octets;
    attrs->as_path_len = 2 + len * 4;
}

#define PEER BGP_SOURCE_PEER

/* Of each pair the first must win, whichever came first. */
static const struct {
    const char *why;
    struct candidate better, worse;
} pairs[] = {
    {"configured", {BGP_SOURCE_CONFIG, 0, 0, "", 2, 0, 9, 0, 0, 9}, {PEER, 0, 500, "", 0, 0, 1, 0, 0, 1}},
    {"operator's", {BGP_SOURCE_API, 0, 0, "", 2, 0, 9, 0, 0, 9}, {PEER, 0, 500, "", 0, 0, 1, 0, 0, 1}},
    {"local pref", {PEER, 0, 101, "abc", 2, 9, 9, 0, 0, 9}, {PEER, 1, 0, "a", 0, 0, 1, 0, 0, 1}},
    {"no local pref is 100", {PEER, 0, 0, "abc", 2, 9, 9, 0, 0, 9}, {PEER, 1, 99, "a", 0, 0, 1, 0, 0, 1}},
    {"path length", {PEER, 0, 100, "ab", 2, 9, 9, 0, 0, 9}, {PEER, 1, 100, "abc", 0, 0, 1, 0, 0, 1}},
    {"origin", {PEER, 0, 0, "ab", 0, 9, 9, 0, 0, 9}, {PEER, 1, 0, "ab", 1, 0, 1, 0, 0, 1}},
    {"MED of one AS", {PEER, 0, 0, "ab", 0, 5, 9, 0, 0, 9}, {PEER, 1, 0, "ac", 0, 6, 1, 0, 0, 1}},
    {"no MED is the lowest", {PEER, 0, 0, "ab", 0, 0, 9, 0, 0, 9}, {PEER, 1, 0, "ac", 0, 1, 1, 0, 0, 1}},
    {"MED of two ASes says nothing", {PEER, 1, 0, "ab", 0, 6, 9, 0, 0, 9}, {PEER, 0, 0, "bb", 0, 5, 1, 0, 0, 1}},
    {"external", {PEER, 1, 0, "ab", 0, 0, 9, 0, 0, 9}, {PEER, 0, 0, "ab", 0, 0, 1, 0, 0, 1}},
    {"router id", {PEER, 1, 0, "ab", 0, 0, 1, 0, 0, 9}, {PEER, 1, 0, "ab", 0, 0, 2, 0, 0, 1}},
    {"originator id", {PEER, 0, 0, "ab", 0, 0, 9, 1, 3, 9}, {PEER, 0, 0, "ab", 0, 0, 2, 0, 0, 1}},
    {"cluster list", {PEER, 0, 0, "ab", 0, 0, 9, 5, 1, 9}, {PEER, 0, 0, "ab", 0, 0, 9, 5, 2, 1}},
    {"address", {PEER, 1, 0, "ab", 0, 0, 1, 0, 0, 1}, {PEER, 1, 0, "ab", 0, 0, 1, 0, 0, 2}},
};

/* conforms: RFC 4271 proves 5.1.4-1 5.1.5-2 9.1.2.2-1 9.1.2.2-2 */
/* conforms: RFC 4456 proves 9-1 9-2 */
static void each_step_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (unsigned better_first = 0; better_first < 2; better_first++) {
            struct heard heard;
            struct bgp_rib *rib = rib_new(&heard);
            struct bgp_source sources[2];
            struct bgp_attrs attrs[2];
            uint8_t paths[2][64];
            /* the better one has the higher number, so that the last resort would choose the other */
            fill(&pairs[i].worse, 1, &sources[0], &attrs[0], paths[0]);
            fill(&pairs[i].better, 2, &sources[1], &attrs[1], paths[1]);
            for (unsigned k = 0; k < 2; k++) {
                unsigned which = k ^ better_first;
                bgp_rib_announce(rib, &sources[which], BGP_IPV4_FLOWSPEC, rule(RULE), &attrs[which]);
            }
            if (bgp_rib_next(rib, NULL)->best->source != &sources[1])
                fail_msg("%s", pairs[i].why);
            bgp_rib_free(rib);
        }
    }
}

/*
 * A path that is never the best itself may decide which one is: the third strikes out the first by its MED and then
 * loses to the second by its router id.
 */
/* conforms: RFC 4271 proves 9.1.2.2-2 */
static void med_gives_one_answer_in_every_order_of_arrival(void **state)
{
    static const struct candidate three[] = {
        {PEER, 1, 0, "xb", 0, 10, 1, 0, 0, 1}, /* lowest router id, but beaten by c's MED */
        {PEER, 1, 0, "yb", 0, 99, 2, 0, 0, 2}, /* the best with c there */
        {PEER, 1, 0, "xc", 0, 5, 3, 0, 0, 3},
    };
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    (void)state;
    for (unsigned order = 0; order < 6; order++) {
        struct heard heard;
        struct bgp_rib *rib = rib_new(&heard);
        struct bgp_source sources[3];
        struct bgp_attrs attrs[3];
        uint8_t paths[3][64];
        struct fs_rule *r = rule(RULE);
        for (uint32_t i = 0; i < 3; i++)
            fill(&three[i], i + 1, &sources[i], &attrs[i], paths[i]);
        for (unsigned k = 0; k < 3; k++) {
            unsigned i = orders[order][k];
            bgp_rib_announce(rib, &sources[i], BGP_IPV4_FLOWSPEC, fs_rule_dup(r), &attrs[i]);
        }
        assert_ptr_equal(bgp_rib_next(rib, NULL)->best->source, &sources[1]);
        assert_true(bgp_rib_withdraw(rib, &sources[2], BGP_IPV4_FLOWSPEC, r));
        assert_ptr_equal(bgp_rib_next(rib, NULL)->best->source, &sources[0]);
        assert_ptr_equal(heard.best, &sources[0]);
        fs_rule_free(r);
        bgp_rib_free(rib);
    }
}

static void a_source_that_goes_takes_its_paths_along(void **state)
{
    struct heard heard;
    struct bgp_rib *rib = rib_new(&heard);
    struct bgp_source a = peer(1, false), b = peer(2, false);
    struct bgp_attrs attrs = {0};

    (void)state;
    for (unsigned i = 0; i < 3000; i++)
        bgp_rib_announce(rib, &a, BGP_IPV4_FLOWSPEC, numbered(i), &attrs);
    for (unsigned i = 2000; i < 5000; i++)
        bgp_rib_announce(rib, &b, BGP_IPV4_FLOWSPEC, numbered(i), &attrs);
    assert_int_equal(bgp_rib_count(rib), 5000);
    heard.changes = 0;
    assert_int_equal(bgp_rib_source_down(rib, &a), 3000);
    assert_int_equal(heard.withdrawals, 2000);
    assert_int_equal(heard.changes, 1000); /* where b takes over */
    assert_ptr_equal(heard.best, &b);
    assert_int_equal(bgp_rib_count(rib), 3000);
    assert_int_equal(bgp_rib_source_count(rib, &a, BGP_IPV4_FLOWSPEC), 0);
    assert_int_equal(bgp_rib_source_count(rib, &b, BGP_IPV4_FLOWSPEC), 3000);
    assert_int_equal(bgp_rib_source_down(rib, &a), 0);
    size_t dropped = 0; /* in slices: to the number of its paths they are gone at once */
    assert_int_equal(bgp_rib_source_mark(rib, &b, BGP_FLOWSPEC_FAMILIES, BGP_PATH_GONE), 3000);
    assert_int_equal(bgp_rib_source_count(rib, &b, BGP_IPV4_FLOWSPEC), 0);
    assert_int_equal(bgp_rib_source_walk(rib, &b, 1000, &dropped), 1000);
    assert_int_equal(bgp_rib_count(rib), 2000);
    assert_int_equal(bgp_rib_source_walk(rib, &b, 5000, &dropped), 2000);
    assert_int_equal(dropped, 3000);
    assert_int_equal(bgp_rib_source_walk(rib, &b, 5000, &dropped), 0);
    a.router_id = 7; /* the number may be used again */
    bgp_rib_announce(rib, &a, BGP_IPV4_FLOWSPEC, numbered(1), &attrs);
    assert_int_equal(bgp_rib_source_count(rib, &a, BGP_IPV4_FLOWSPEC), 1);
    bgp_rib_free(rib);
}

static void attributes_live_as_long_as_their_path(void **state)
{
    struct heard heard;
    struct bgp_rib *rib = rib_new(&heard);
    struct bgp_source a = peer(1, false);
    uint8_t *comms = malloc(8);

    (void)state;
    memset(comms, 7, 8);
    bgp_rib_announce(rib, &a, BGP_IPV4_FLOWSPEC, rule(RULE),
                     &(struct bgp_attrs){.ext_comms = comms, .ext_comms_len = 8});
    memset(comms, 9, 8);
    free(comms);
    const struct bgp_path *path = bgp_rib_next(rib, NULL)->best;
    assert_int_equal(path->attrs.ext_comms_len, 8);
    assert_int_equal(path->attrs.ext_comms[7], 7);
    bgp_rib_free(rib);
}

/* --- a plain model --- */

#define SOURCES 6
#define RULES   40

struct model {
    bool has[SOURCES][RULES];
    struct candidate candidates[SOURCES][RULES];
};

static uint64_t rank(const struct candidate *c, unsigned step)
{
    switch (step) {
    case 0:
        return c->kind == BGP_SOURCE_PEER;
    case 1:
        return UINT32_MAX - (c->local_pref ? c->local_pref : 100);
    case 2:
        return strlen(c->path);
    case 3:
        return c->origin;
    case 5:
        return !c->ebgp;
    case 6:
        return c->originator_id ? c->originator_id : c->router_id;
    case 7:
        return c->clusters;
    default:
        return c->address;
    }
}

/* RFC 4271 9.1.2.2 by the letter; the source, or -1. */
static int model_best(const struct model *m, unsigned r)
{
    bool in[SOURCES];
    int best = -1;

    for (unsigned s = 0; s < SOURCES; s++)
        in[s] = m->has[s][r];
    for (unsigned step = 0; step < 9; step++) {
        bool keep[SOURCES];
        for (unsigned a = 0; a < SOURCES; a++) {
            keep[a] = in[a];
            for (unsigned b = 0; b < SOURCES; b++) {
                const struct candidate *x = &m->candidates[a][r], *y = &m->candidates[b][r];
                if (!in[a] || !in[b])
                    continue;
                if (step == 4 ? x->path[0] == y->path[0] && y->med < x->med : rank(y, step) < rank(x, step))
                    keep[a] = false;
            }
        }
        memcpy(in, keep, sizeof in);
    }
    for (unsigned s = SOURCES; s-- > 0;)
        best = in[s] ? (int)s : best;
    return best;
}

static struct candidate random_candidate(unsigned source)
{
    static const char *const paths[] = {"", "a", "ab", "b", "ba", "ca"};

    return (struct candidate){.kind = source == 0 ? BGP_SOURCE_CONFIG : BGP_SOURCE_PEER,
                              .ebgp = source & 1,
                              .local_pref = (uint32_t)random() % 3 ? 0 : 99 + (uint32_t)random() % 3,
                              .path = paths[random() % 6],
                              .origin = (uint8_t)(random() % 8 == 0),
                              .med = (uint32_t)random() % 3,
                              .router_id = 50 - source / 2,
                              .originator_id = random() % 4 ? 0 : 47 + (uint32_t)random() % 3,
                              .clusters = (uint8_t)(random() % 2),
                              .address = (uint8_t)(20 - source)};
}

static void compare(struct bgp_rib *rib, const struct model *m, const struct bgp_source *sources)
{
    size_t entries = 0;

    for (unsigned r = 0; r < RULES; r++) {
        int best = model_best(m, r);
        struct fs_rule *key = numbered(r);
        struct bgp_rib_entry *entry = bgp_rib_find(rib, BGP_IPV4_FLOWSPEC, key);
        fs_rule_free(key);
        assert_true((entry != NULL) == (best >= 0));
        if (entry == NULL)
            continue;
        entries++;
        assert_ptr_equal(entry->best->source, &sources[best]);
    }
    assert_int_equal(bgp_rib_count(rib), entries);
    for (unsigned s = 0; s < SOURCES; s++) {
        size_t count = 0;
        for (unsigned r = 0; r < RULES; r++)
            count += m->has[s][r];
        assert_int_equal(bgp_rib_source_count(rib, &sources[s], BGP_IPV4_FLOWSPEC), count);
    }
}

/* conforms: RFC 4271 proves 9.1-1 9.1.2.2-1 */
static void agrees_with_a_plain_model(void **state)
{
    struct heard heard;
    struct bgp_rib *rib = rib_new(&heard);
    struct bgp_source sources[SOURCES];
    struct model *m = calloc(1, sizeof *m);

    (void)state;
    srandom(9122);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned s = (unsigned)random() % SOURCES, r = (unsigned)random() % RULES;
        struct candidate c = random_candidate(s);
        struct bgp_attrs attrs;
        uint8_t path[64];
        if (random() % 500 == 0) {
            bgp_rib_source_down(rib, &sources[s]);
            memset(m->has[s], 0, sizeof m->has[s]);
        } else if (random() % 3 == 0) {
            struct fs_rule *key = numbered(r);
            assert_true(bgp_rib_withdraw(rib, &sources[s], BGP_IPV4_FLOWSPEC, key) == m->has[s][r]);
            fs_rule_free(key);
            m->has[s][r] = false;
        } else {
            fill(&c, s + 1, &sources[s], &attrs, path);
            assert_int_equal(bgp_rib_announce(rib, &sources[s], BGP_IPV4_FLOWSPEC, numbered(r), &attrs), 0);
            m->candidates[s][r] = c;
            m->has[s][r] = true;
        }
        if (step % 20 == 0)
            compare(rib, m, sources);
    }
    bgp_rib_free(rib);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_hears_of_changes_and_of_nothing_else),
        cmocka_unit_test(one_rule_in_two_families_is_two_entries),
        cmocka_unit_test(entries_come_in_rfc_order),
        cmocka_unit_test(each_step_decides),
        cmocka_unit_test(med_gives_one_answer_in_every_order_of_arrival),
        cmocka_unit_test(a_source_that_goes_takes_its_paths_along),
        cmocka_unit_test(attributes_live_as_long_as_their_path),
        cmocka_unit_test(agrees_with_a_plain_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
