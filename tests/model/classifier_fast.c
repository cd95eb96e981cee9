/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast engine, in every variant that this processor can run, against the linear reference: rules are added,
 * replaced and removed at random between bursts, and every answer and every chain of later matches must be equal.
 *
 * The iteration count is that of bursts, of 0 to 64 packets; with three variants, one of them in two replicas, each is
 * 128 decisions in the mean.
 */
#include <string.h>

#include "classifier/classifier.h"
#include "classifier/compile.h"
#include "flowspec/nlri.h"
#include "model.h"
#include "near_key.h"
#include "random_rule.h"

#define ENGINES_MAX 5 /* the last one in two replicas, of which the second is asked */
#define IDS         600
#define BLOCKED     8 /* destinations of a blocklist, in each family */
#define CHAIN_MAX   1000
#define SLACK       256 /* malloc may round the same request up differently */

/* What kind of rules a run is about. */
struct scene {
    const char *name;
    uint8_t family; /* IP_NONE: both */
    bool prefixes;  /* rules of random_rule; otherwise no prefix, or one destination, and many values */
    bool destination;
    bool hosts;     /* each rule has one of few hosts as destination: one shape in a family */
    bool blocklist; /* these have sources of one or two lengths; a few rules have no destination */
    bool covered;   /* some of the hosts' rules are for a network around them: most destinations are hosts, or not */
    bool scattered; /* each rule has a destination of its own, more or less: the table of these grows */
    bool ports;     /* each rule asks for few ports: all are in cells */
    bool ranges;    /* each rule asks for wide ranges of ports and lengths: most are in the tree in RFC order */
    bool unlike;    /* the same, but half ask for ranges of other fields: inner nodes differ in lanes */
    bool nested;    /* chains of covering prefixes on both sides, mostly of one protocol and port */
    bool mixed;     /* hosts, fewer networks around them, and ports in cells: what the first shape leaves over */
    unsigned rules; /* in use most of the time */
    unsigned first; /* changes before the first burst: trees are high all the time */
    unsigned terms; /* most in a component */
};

static const struct scene scenes[] = {
    {.name = "few", .prefixes = true, .rules = 8, .terms = 4},
    {.name = "prefixes, IPv4", .family = IP_V4, .prefixes = true, .rules = 150, .terms = 3},
    {.name = "prefixes, IPv6", .family = IP_V6, .prefixes = true, .rules = 150, .terms = 3},
    {.name = "nested, IPv4", .family = IP_V4, .nested = true, .rules = 250, .terms = 1},
    {.name = "nested, IPv6", .family = IP_V6, .nested = true, .rules = 250, .terms = 1},
    {.name = "no prefix, IPv4", .family = IP_V4, .rules = 300, .terms = 1},
    {.name = "no prefix, IPv6", .family = IP_V6, .rules = 300, .terms = 2},
    {.name = "one destination", .family = IP_V4, .destination = true, .rules = 120, .terms = 3},
    {.name = "ranges", .family = IP_V4, .destination = true, .ranges = true, .rules = 550, .terms = 1},
    {.name = "ranges, no prefix", .ranges = true, .rules = 550, .terms = 1},
    {.name = "unlike", .family = IP_V4, .destination = true, .unlike = true, .rules = 550, .first = 1000, .terms = 1},
    {.name = "long lists", .rules = 60, .terms = 40},
    {.name = "hosts", .hosts = true, .rules = 40, .terms = 1},
    {.name = "hosts, IPv4", .family = IP_V4, .hosts = true, .rules = 40, .terms = 1},
    {.name = "hosts, IPv6", .family = IP_V6, .hosts = true, .rules = 40, .terms = 1},
    {.name = "blocklist", .hosts = true, .blocklist = true, .rules = 200, .terms = 1},
    {.name = "blocklist, IPv4", .family = IP_V4, .hosts = true, .blocklist = true, .rules = 120, .terms = 1},
    {.name = "covered", .hosts = true, .covered = true, .rules = 40, .terms = 1},
    {.name = "covered, IPv4", .family = IP_V4, .hosts = true, .covered = true, .rules = 40, .terms = 1},
    {.name = "covered blocklist", .hosts = true, .blocklist = true, .covered = true, .rules = 150, .terms = 1},
    {.name = "scattered", .scattered = true, .rules = 400, .terms = 1},
    {.name = "mixed", .mixed = true, .rules = 150, .terms = 1},
    {.name = "mixed, IPv4", .family = IP_V4, .mixed = true, .rules = 100, .terms = 1},
    {.name = "ports", .ports = true, .rules = 120, .terms = 1},
    {.name = "ports, IPv4", .family = IP_V4, .ports = true, .rules = 250, .terms = 1},
};

struct world {
    struct random random;
    const struct scene *scene;
    struct rcu *rcu;
    unsigned engines;
    struct cls *cls[ENGINES_MAX];           /* the first is the reference */
    const struct cls *readers[ENGINES_MAX]; /* the replica of each that is asked */
    const char *names[ENGINES_MAX];
    struct fs_rule *rules[IDS]; /* by id, less one */
    unsigned count;
    unsigned long decisions;
};

/* A term as people write them: mostly single values and ranges. */
static unsigned add_terms(struct world *w, unsigned type, struct fs_term *terms)
{
    uint64_t value = random_value(&w->random, type, random_one_in(&w->random, 3));
    uint64_t most = type == FS_PACKET_LENGTH ? 1500 : type == FS_DSCP ? 63 : type <= FS_SOURCE_PORT ? 400 : 30;

    if (type == FS_PROTOCOL || fs_type_is_bitmask(type)) {
        terms[0] = (struct fs_term){.value = value, .op = (uint8_t)(1 + random_below(&w->random, 3))};
        return 1;
    }
    if (random_one_in(&w->random, 2))
        value = random_below(&w->random, (unsigned)most + 1);
    if (type == FS_PACKET_LENGTH && random_one_in(&w->random, 6))
        value = 65530 + random_below(&w->random, 10); /* around the end of a box's lane */
    if (random_one_in(&w->random, 2)) {
        terms[0] = (struct fs_term){.value = value, .op = FS_OP_EQ};
        return 1;
    }
    uint64_t width = random_below(&w->random, random_one_in(&w->random, 2) ? 8 : (unsigned)most);
    terms[0] = (struct fs_term){.value = value, .op = FS_OP_GT | FS_OP_EQ};
    terms[1] = (struct fs_term){.value = value + width, .op = FS_OP_AND | FS_OP_LT | FS_OP_EQ};
    return 2;
}

/* Of either family, with the same first octets: a packet of one must not meet rules of the other. */
static void add_host(struct world *w, unsigned family, struct fs_component *c)
{
    *c = (struct fs_component){.type = FS_DESTINATION, .length = family == IP_V4 ? 32 : 128};
    c->octets[0] = 10;
    c->octets[3] = (uint8_t)random_below(&w->random, w->scene->blocklist ? BLOCKED : 30);
    if (w->scene->blocklist && random_one_in(&w->random, 2))
        c->octets[3] = 0;
    if (!w->scene->covered || !random_one_in(&w->random, 3))
        return;
    c->length = (uint8_t)(8 * random_below(&w->random, 3) + 6 + random_below(&w->random, 2));
    ip_bits_keep(c->octets, sizeof c->octets, 0, c->length);
}

/*
 * Some destinations have sources of one length, others of two, one inside the other; some have rules without a source
 * and others none. Every second rule has the same source: so there are sources with one rule, with some and with many.
 * How many components that is.
 */
static unsigned add_source(struct world *w, unsigned family, unsigned host, struct fs_component *c)
{
    bool whole = random_one_in(&w->random, 2);

    if (host < BLOCKED / 2 && random_one_in(&w->random, 5))
        return 0;
    if (host % 4 != 0)
        whole = host % 2 != 0;
    *c = (struct fs_component){.type = FS_SOURCE, .length = 24, .octets = {192}};
    if (whole)
        c->length = family == IP_V4 ? 32 : 128;
    if (random_one_in(&w->random, 2))
        return 1;
    c->octets[2] = (uint8_t)random_below(&w->random, 3);
    if (whole)
        c->octets[3] = (uint8_t)random_below(&w->random, 4);
    return 1;
}

static void add_scattered(struct world *w, struct fs_component *c)
{
    *c = (struct fs_component){.type = FS_DESTINATION, .length = (uint8_t)(17 + random_below(&w->random, 16))};
    c->octets[0] = 10;
    for (unsigned i = 1; i < 4; i++)
        c->octets[i] = (uint8_t)random_next(&w->random);
    ip_bits_keep(c->octets, sizeof c->octets, 0, c->length);
}

/* What prefixes the scene wants. How many. */
static unsigned add_prefixes(struct world *w, unsigned family, struct fs_component *components)
{
    if (w->scene->destination)
        components[0] = (struct fs_component){.type = FS_DESTINATION, .length = 8, .octets = {10}};
    else if (w->scene->scattered)
        add_scattered(w, &components[0]);
    else if (w->scene->hosts && !(w->scene->blocklist && random_one_in(&w->random, 20)))
        add_host(w, family, &components[0]);
    else
        return 0;
    return w->scene->blocklist ? 1 + add_source(w, family, components[0].octets[3], &components[1]) : 1;
}

/* A narrow range of one port, a third of them close together: cells with none, one, some and many rules. */
static unsigned add_ports(struct world *w, struct fs_component *c, struct fs_term *terms)
{
    uint64_t first = random_below(&w->random, random_one_in(&w->random, 3) ? 3 : 400) * 100;

    c->type = random_one_in(&w->random, 2) ? FS_DESTINATION_PORT : FS_SOURCE_PORT;
    terms[0] = (struct fs_term){.value = first, .op = FS_OP_GT | FS_OP_EQ};
    terms[1] = (struct fs_term){.value = first + random_below(&w->random, 8), .op = FS_OP_AND | FS_OP_LT | FS_OP_EQ};
    return 2;
}

/* Narrow ranges of a port, and perhaps something else. */
static struct fs_rule *port_rule(struct world *w)
{
    static const uint8_t TYPES[] = {FS_PROTOCOL, FS_PORT, FS_DESTINATION_PORT, FS_TCP_FLAGS, FS_PACKET_LENGTH};
    struct fs_component components[sizeof TYPES];
    struct fs_term terms[2 * sizeof TYPES];
    unsigned count = 0, used = 0;
    struct fs_rule *rule = NULL;

    for (unsigned i = 0; i < sizeof TYPES; i++) {
        if (TYPES[i] != FS_DESTINATION_PORT && !random_one_in(&w->random, 5))
            continue;
        struct fs_component *c = &components[count++];
        *c = (struct fs_component){.type = TYPES[i], .first_term = (uint16_t)used};
        used += TYPES[i] == FS_DESTINATION_PORT ? add_ports(w, c, &terms[used]) : add_terms(w, TYPES[i], &terms[used]);
        c->term_count = (uint16_t)(used - c->first_term);
    }
    fs_rule_build(w->scene->family               ? w->scene->family
                  : random_one_in(&w->random, 2) ? IP_V4
                                                 : IP_V6,
                  NULL, components, count, terms, &rule);
    return rule;
}

/*
 * Most are wide; the lengths of some rules are beyond those of others, so that nodes have strips of several widths.
 * In the `unlike` scene they are too wide for cells, but not so wide that those for destination ports, which come
 * first, leave the others no packet.
 */
static unsigned add_range(struct world *w, unsigned type, struct fs_term *terms)
{
    unsigned most = type == FS_DSCP ? 63 : 65535;

    if (type == FS_PACKET_LENGTH)
        most = random_one_in(&w->random, 10) ? 9000 : 1500;
    terms[0] = (struct fs_term){.value = random_below(&w->random, most), .op = FS_OP_GT | FS_OP_EQ};
    terms[1] = (struct fs_term){.op = FS_OP_AND | FS_OP_LT | FS_OP_EQ};
    terms[1].value = terms[0].value + random_below(&w->random, w->scene->unlike ? most / 8 : most / 2);
    if (w->scene->unlike)
        terms[1].value += most / 16;
    return 2;
}

/* Without a destination, a few ask for something else, too. */
static struct fs_rule *range_rule(struct world *w)
{
    static const uint8_t TYPES[] = {FS_PROTOCOL,    FS_PORT,          FS_DESTINATION_PORT,
                                    FS_SOURCE_PORT, FS_PACKET_LENGTH, FS_DSCP};
    static const uint8_t FIELDS[2][2] = {{FS_DESTINATION_PORT, FS_PACKET_LENGTH}, {FS_SOURCE_PORT, FS_DSCP}};
    const uint8_t *ranges = FIELDS[w->scene->unlike && random_one_in(&w->random, 2)];
    struct fs_component components[sizeof TYPES + 1];
    struct fs_term terms[2 * sizeof TYPES];
    unsigned family = w->scene->family ? w->scene->family : random_one_in(&w->random, 2) ? IP_V4 : IP_V6;
    unsigned count = add_prefixes(w, family, components), used = 0;
    struct fs_rule *rule = NULL;

    for (unsigned i = 0; i < sizeof TYPES; i++) {
        bool range = TYPES[i] == ranges[0] || TYPES[i] == ranges[1];
        if (!range && (w->scene->destination || TYPES[i] == FS_SOURCE_PORT))
            continue;
        if (!w->scene->unlike && random_one_in(&w->random, 12) == range)
            continue;
        struct fs_component *c = &components[count++];
        *c = (struct fs_component){.type = TYPES[i], .first_term = (uint16_t)used};
        used += range ? add_range(w, TYPES[i], &terms[used]) : add_terms(w, TYPES[i], &terms[used]);
        c->term_count = (uint16_t)(used - c->first_term);
    }
    return fs_rule_build((uint8_t)family, NULL, components, count, terms, &rule) == FS_OK ? rule : range_rule(w);
}

static struct fs_rule *wide_rule(struct world *w)
{
    static const uint8_t TYPES[] = {FS_PROTOCOL, FS_PORT,      FS_DESTINATION_PORT, FS_SOURCE_PORT, FS_ICMP_TYPE,
                                    FS_DSCP,     FS_TCP_FLAGS, FS_PACKET_LENGTH,    FS_FLOW_LABEL,  FS_FRAGMENT};
    struct fs_component components[FS_COMPONENTS_MAX];
    struct fs_term terms[FS_TERMS_MAX];
    unsigned family = w->scene->family ? w->scene->family : random_one_in(&w->random, 2) ? IP_V4 : IP_V6;
    unsigned count = add_prefixes(w, family, components), used = 0;
    struct fs_rule *rule = NULL;

    for (unsigned i = 0; i < sizeof TYPES; i++) {
        if (!random_one_in(&w->random, TYPES[i] <= FS_SOURCE_PORT ? 3 : 5) ||
            (TYPES[i] == FS_FLOW_LABEL && family == IP_V4))
            continue;
        struct fs_component *c = &components[count++];
        *c = (struct fs_component){.type = TYPES[i], .first_term = (uint16_t)used};
        for (unsigned n = 1 + random_below(&w->random, w->scene->terms); n > 0; n--)
            used += add_terms(w, TYPES[i], &terms[used]);
        c->term_count = (uint16_t)(used - c->first_term);
    }
    if (count == 0 || fs_rule_build((uint8_t)family, NULL, components, count, terms, &rule) != FS_OK)
        return wide_rule(w);
    return rule;
}

/* The first bits of one of a few addresses. */
static void nested_prefix(struct world *w, unsigned family, struct fs_component *c)
{
    unsigned base = random_below(&w->random, 3), first = family == IP_V6 ? 20 : 6, most = family == IP_V6 ? 76 : 32;

    c->length = (uint8_t)(first + random_below(&w->random, most - first + 1));
    if (family == IP_V6 && random_one_in(&w->random, 20)) {
        c->offset = 16;
        c->length = 24;
    }
    for (unsigned i = 0; i < 16; i++)
        c->octets[i] = (uint8_t)(i < (family == IP_V6 ? 4u : 0u) ? 0x20 + i : base * 77 + i * 41);
    ip_bits_keep(c->octets, sizeof c->octets, c->offset, c->length);
}

static struct fs_rule *nested_rule(struct world *w)
{
    static const uint16_t PORTS[] = {0, 53, 80, 443};
    unsigned family = w->scene->family ? w->scene->family : random_one_in(&w->random, 2) ? IP_V4 : IP_V6;
    unsigned terms_used = 1 + random_one_in(&w->random, 4);
    struct fs_component components[4] = {{.type = FS_DESTINATION},
                                         {.type = FS_SOURCE},
                                         {.type = FS_PROTOCOL, .term_count = 1},
                                         {.type = FS_DESTINATION_PORT, .first_term = 1}};
    struct fs_term terms[3] = {{.value = random_one_in(&w->random, 2) ? 6 : 17, .op = FS_OP_EQ}};
    struct fs_rule *rule = NULL;

    nested_prefix(w, family, &components[0]);
    nested_prefix(w, family, &components[1]);
    components[3].term_count = (uint16_t)terms_used;
    for (unsigned i = 1; i <= terms_used; i++)
        terms[i] = (struct fs_term){.value = PORTS[random_below(&w->random, 4)], .op = FS_OP_EQ};
    unsigned count = random_one_in(&w->random, 8) ? 3 : 4;
    return fs_rule_build((uint8_t)family, NULL, components, count, terms, &rule) == FS_OK ? rule : nested_rule(w);
}

/* A host, or one of a few networks of which most are apart, and perhaps a source: one, most often. How many components.
 */
static unsigned add_mixed(struct world *w, unsigned family, struct fs_component *c)
{
    c[0] = (struct fs_component){.type = FS_DESTINATION, .length = family == IP_V4 ? 32 : 128, .octets = {10}};
    c[0].octets[3] = (uint8_t)random_below(&w->random, 100);
    if (random_one_in(&w->random, 3)) {
        unsigned network = random_below(&w->random, 12);
        c[0].octets[2] = (uint8_t)(network << 4);
        c[0].length = (uint8_t)(20 + (random_one_in(&w->random, 6) ? random_below(&w->random, 12) : network));
        ip_bits_keep(c[0].octets, sizeof c[0].octets, 0, c[0].length);
    }
    if (random_one_in(&w->random, 2))
        return 1;
    c[1] = (struct fs_component){.type = FS_SOURCE, .length = random_one_in(&w->random, 6) ? 16 : 24, .octets = {192}};
    return 2;
}

/* Single values of a port, or a range. */
static unsigned add_port_list(struct world *w, struct fs_term *terms)
{
    unsigned count = 1 + random_below(&w->random, COMPILED_VALUES + 2);

    if (random_one_in(&w->random, 2))
        return add_terms(w, FS_DESTINATION_PORT, terms);
    for (unsigned i = 0; i < count; i++)
        terms[i] = (struct fs_term){.value = random_below(&w->random, 30), .op = FS_OP_EQ};
    return count;
}

static struct fs_rule *mixed_rule(struct world *w)
{
    unsigned family = w->scene->family ? w->scene->family : random_one_in(&w->random, 2) ? IP_V4 : IP_V6;
    struct fs_component components[FS_COMPONENTS_MAX];
    struct fs_term terms[FS_TERMS_MAX];
    struct fs_rule *rule = NULL;

    if (random_one_in(&w->random, 4))
        return port_rule(w);
    unsigned count = add_mixed(w, family, components), used = add_port_list(w, terms);
    components[count++] =
        (struct fs_component){.type = FS_DESTINATION_PORT, .first_term = 0, .term_count = (uint16_t)used};
    if (random_one_in(&w->random, 3)) {
        struct fs_component *c = &components[count++];
        *c = (struct fs_component){.type = FS_PACKET_LENGTH, .first_term = (uint16_t)used};
        c->term_count = (uint16_t)add_terms(w, FS_PACKET_LENGTH, &terms[used]);
    }
    return fs_rule_build((uint8_t)family, NULL, components, count, terms, &rule) == FS_OK ? rule : mixed_rule(w);
}

static struct fs_rule *new_rule(struct world *w)
{
    const struct random_rule_conf conf = {.family = w->scene->family, .narrow = true, .terms_max = w->scene->terms};

    if (w->scene->ports)
        return port_rule(w);
    if (w->scene->mixed)
        return mixed_rule(w);
    if (w->scene->ranges || w->scene->unlike)
        return range_rule(w);
    if (w->count > 0 && !w->scene->hosts && random_one_in(&w->random, 4)) {
        const struct fs_rule *model = w->rules[random_below(&w->random, IDS)];
        if (model != NULL)
            return random_relative(&w->random, &conf, model);
    }
    if (w->scene->nested)
        return nested_rule(w);
    return w->scene->prefixes ? random_rule(&w->random, &conf) : wide_rule(w);
}

/* The same change to every engine; all must answer alike. */
static void change(struct world *w, unsigned long iteration)
{
    uint32_t id = 1 + random_below(&w->random, IDS);
    bool add = random_below(&w->random, 2 * w->scene->rules) >= w->count;
    struct fs_rule *rule = add ? new_rule(w) : NULL;
    int wanted = 0;

    if (!add)
        while (w->rules[id - 1] == NULL)
            id = id % IDS + 1;
    for (unsigned e = 0; e < w->engines; e++) {
        int rc = add ? cls_rule_add(w->cls[e], id, rule) : cls_rule_remove(w->cls[e], id);
        wanted = e == 0 ? rc : wanted;
        model_expect(rc == wanted, iteration, "%s: %s returns %d, not %d", w->scene->name, w->names[e], rc, wanted);
    }
    if (wanted != 0) {
        fs_rule_free(rule);
        return;
    }
    w->count = w->count + add - (w->rules[id - 1] != NULL);
    fs_rule_free(w->rules[id - 1]);
    w->rules[id - 1] = rule;
}

static void compare_chains(struct world *w, const struct pkt_key *key, unsigned long iteration)
{
    uint32_t id = CLS_NO_MATCH;

    for (unsigned length = 0; length < CHAIN_MAX; length++) {
        uint32_t wanted = cls_match_after(w->readers[0], key, id);
        for (unsigned e = 1; e < w->engines; e++, w->decisions++) {
            uint32_t got = cls_match_after(w->readers[e], key, id);
            model_expect(got == wanted, iteration, "%s: %s: after %u comes %u, not %u", w->scene->name, w->names[e], id,
                         got, wanted);
        }
        id = wanted;
        if (id == CLS_NO_MATCH)
            return;
    }
}

/* What lies behind the answers of a burst must stay. */
static void compare_burst(struct world *w, unsigned long iteration)
{
    unsigned count = random_below(&w->random, CLS_BURST_MAX + 1);
    struct pkt_key keys[CLS_BURST_MAX];
    uint32_t wanted[CLS_BURST_MAX], got[CLS_BURST_MAX + 1];

    for (unsigned i = 0; i < count; i++)
        near_key(&w->random, w->rules[random_below(&w->random, IDS)], &keys[i]);
    cls_match_burst(w->readers[0], keys, wanted, count);
    for (unsigned e = 1; e < w->engines; e++) {
        memset(got, 0xff, sizeof got);
        cls_match_burst(w->readers[e], keys, got, count);
        for (unsigned i = 0; i < count; i++, w->decisions++)
            model_expect(got[i] == wanted[i], iteration, "%s: %s: packet %u of %u: rule %u, not %u", w->scene->name,
                         w->names[e], i, count, got[i], wanted[i]);
        for (unsigned i = count; i < sizeof got / sizeof got[0]; i++)
            model_expect(got[i] == UINT32_MAX, iteration, "%s: %s: answer %u of %u is %u", w->scene->name, w->names[e],
                         i, count, got[i]);
    }
    if (count > 0 && random_one_in(&w->random, 16))
        compare_chains(w, &keys[random_below(&w->random, count)], iteration);
}

static void world_open(struct world *w, const struct scene *scene, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->scene = scene;
    w->random.state = seed;
    w->rcu = rcu_create(1);
    w->cls[0] = cls_create(&(struct cls_conf){.engine = CLS_LINEAR, .rcu = w->rcu});
    w->readers[0] = w->cls[0];
    w->names[0] = "linear";
    w->engines = 1;
    for (unsigned simd = CLS_SIMD_SCALAR; simd < CLS_SIMD_COUNT; simd++) {
        if (!cls_simd_available(simd))
            continue;
        w->names[w->engines] = cls_simd_name(simd);
        w->cls[w->engines] = cls_create(&(struct cls_conf){.engine = CLS_FAST, .simd = simd, .rcu = w->rcu});
        w->readers[w->engines] = w->cls[w->engines];
        w->engines++;
    }
    w->names[w->engines] = "second replica";
    w->cls[w->engines] = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = w->rcu, .replicas = 2});
    w->readers[w->engines] = cls_replica(w->cls[w->engines], 1);
    w->engines++;
}

/* Everything is removed at the end: what is left must be what an empty engine takes. */
static void world_close(struct world *w, const size_t empty[ENGINES_MAX], unsigned long iteration)
{
    for (uint32_t id = 1; id <= IDS; id++) {
        for (unsigned e = 0; w->rules[id - 1] != NULL && e < w->engines; e++)
            model_expect(cls_rule_remove(w->cls[e], id) == 0, iteration, "%s: cannot remove %u", w->names[e], id);
        fs_rule_free(w->rules[id - 1]);
    }
    rcu_synchronize(w->rcu);
    for (unsigned e = 0; e < w->engines; e++) {
        struct cls_stats stats;
        cls_stats_get(w->cls[e], &stats);
        model_expect(stats.rules == 0 && (e == 0 || stats.memory_bytes <= empty[e] + SLACK), iteration,
                     "%s: %s: %u rules and %zu octets left, %zu when new", w->scene->name, w->names[e], stats.rules,
                     stats.memory_bytes, empty[e]);
        cls_free(w->cls[e]);
    }
    rcu_free(w->rcu);
}

static unsigned long run(const struct scene *scene, unsigned long bursts, uint64_t seed)
{
    static struct world w;
    size_t empty[ENGINES_MAX];

    world_open(&w, scene, seed);
    for (unsigned e = 0; e < w.engines; e++) {
        struct cls_stats stats;
        cls_stats_get(w.cls[e], &stats);
        empty[e] = stats.memory_bytes;
    }
    for (unsigned n = 0; n < scene->first; n++)
        change(&w, 0);
    for (unsigned long i = 0; i < bursts; i++) {
        for (unsigned n = random_below(&w.random, 4); n > 0; n--)
            change(&w, i);
        compare_burst(&w, i);
        if (i % 8 == 0)
            rcu_reclaim(w.rcu);
    }
    world_close(&w, empty, bursts);
    return w.decisions;
}

/* conforms: RFC 8955 proves 5.1-2 */
int main(int argc, char **argv)
{
    unsigned long bursts = model_iterations(argc, argv, 20000), decisions = 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    unsigned count = sizeof scenes / sizeof scenes[0];

    for (unsigned i = 0; i < count; i++)
        decisions += run(&scenes[i], bursts / count, seed + i);
    printf("%lu decisions, no difference\n", decisions);
    return 0;
}
