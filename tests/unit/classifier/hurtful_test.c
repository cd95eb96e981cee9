/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets made to hurt: their memory grows in proportion, and a limit refuses rule by rule while the rest stays active. */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "classifier/classifier.h"
#include "rules.h"

#define OCTETS_A_RULE 2560 /* a rule may be in eight places, with a box in each */
#define RULES         2000

/* Each writes the i-th rule of a set. */
typedef void (*text_of)(unsigned i, char *text, size_t size);

static void nested(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "destination 203.0.113.0/%u source 198.51.100.0/%u packet-length =%u", i % 24 + 1,
             i / 24 % 24 + 1, i);
}

static void wide_ranges(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "destination 203.0.113.7/32 destination-port >=%u&<=%u packet-length >=%u&<=%u", i, 30000 + i,
             i % 700, 800 + i % 700);
}

static void no_prefix(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "protocol =udp destination-port >=%u&<=%u", 30 * i, 30 * i + 100);
}

static void long_lists(unsigned i, char *text, size_t size)
{
    unsigned at = (unsigned)snprintf(text, size, "destination-port");

    for (unsigned n = 0; n < 24; n++)
        at += (unsigned)snprintf(text + at, size - at, "%s=%u", n == 0 ? " " : ",", i + 1000 * n);
}

static void eight_values(unsigned i, char *text, size_t size)
{
    unsigned at = (unsigned)snprintf(text, size, "packet-length =%u source-port", i);

    for (unsigned n = 0; n < 8; n++)
        at += (unsigned)snprintf(text + at, size - at, "%s=%u", n == 0 ? " " : ",", 1000 * n);
}

/* Two lists: they must not multiply each other. */
static void two_lists(unsigned i, char *text, size_t size)
{
    unsigned at = (unsigned)snprintf(text, size, "destination-port =1,=1000,=2000,=3000,=4000,=5000 source-port");

    for (unsigned n = 0; n < 8; n++)
        at += (unsigned)snprintf(text + at, size - at, "%s=%u", n == 0 ? " " : ",", i + 3000 * n);
}

static void never(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "destination-port =%u packet-length >=100&<=%u", i, i % 50);
}

static size_t memory_of(const struct cls *cls)
{
    struct cls_stats stats;

    cls_stats_get(cls, &stats);
    return stats.memory_bytes;
}

static int add(struct cls *cls, text_of rule_text, uint32_t id)
{
    char text[512];

    rule_text(id - 1, text, sizeof text);
    struct fs_rule *rule = rule_of(text);
    int rc = cls_rule_add(cls, id, rule);
    fs_rule_free(rule);
    return rc;
}

static void memory_grows_in_proportion(void **state)
{
    static const text_of SETS[] = {nested, wide_ranges, no_prefix, long_lists, eight_values, two_lists, never};
    (void)state;

    for (unsigned set = 0; set < sizeof SETS / sizeof SETS[0]; set++) {
        struct rcu *rcu = rcu_create(1);
        struct cls *cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu});
        size_t empty = memory_of(cls);
        for (uint32_t id = 1; id <= RULES; id++) {
            assert_int_equal(add(cls, SETS[set], id), 0);
            rcu_reclaim(rcu);
            if (id % 250 == 0)
                assert_in_range((memory_of(cls) - empty) / id, 1, OCTETS_A_RULE);
        }
        for (uint32_t id = 1; id <= RULES; id++)
            assert_int_equal(cls_rule_remove(cls, id), 0);
        while (rcu_reclaim(rcu) > 0)
            ;
        assert_in_range(memory_of(cls), 0, empty + 1024);
        cls_free(cls);
        rcu_free(rcu);
    }
}

#define LIMITED_MAX   900
#define SOURCE_SHAPES 20 /* below each destination: lists that go through every change of their form */

/* A set for a limit on memory: the i-th rule, and the packet that it matches, and no other. */
struct limited {
    text_of text;
    void (*key)(unsigned i, struct pkt_key *key);
    unsigned rules;
    size_t room_first, room_step, room_last; /* how much room there is beside an empty classifier's */
    size_t tight;                            /* with less, some are refused */
    size_t slack; /* malloc may round the same request up differently; less than a destination, where there are some */
};

static void single_ports(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "destination-port =%u", i);
}

static void port_key(unsigned i, struct pkt_key *key)
{
    key->dst_port = (uint16_t)i;
}

/* Each rule in several cells: what is in some is taken back where there is no room in the next. */
static void several_cells(unsigned i, char *text, size_t size)
{
    unsigned first = i * 37 % 60000;

    snprintf(text, size, "destination-port >=%u&<=%u packet-length =%u", first, first + 1500, i + 1);
}

static void several_cells_key(unsigned i, struct pkt_key *key)
{
    key->dst_port = (uint16_t)(i * 37 % 60000 + 700);
    key->length = i + 1;
}

/* The same by values. */
static void several_values(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "packet-length =%u,=%u,=%u dscp =%u", 1 + i / 4, 10000 + i / 2, 20000 + i, i % 64);
}

static void several_values_key(unsigned i, struct pkt_key *key)
{
    key->length = 20000 + i;
    key->dscp = (uint8_t)(i % 64);
}

/* One host after the other; two sources of each shape. */
static void nested_sources(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "destination 203.0.113.%u/32 source %u.0.2.1/%u protocol =udp destination-port =%u",
             i / 2 / SOURCE_SHAPES, 192 + i % 2, 32 - i / 2 % SOURCE_SHAPES, i);
}

static void nested_sources_key(unsigned i, struct pkt_key *key)
{
    key->dst[3] = (uint8_t)(i / 2 / SOURCE_SHAPES);
    key->src[0] = (uint8_t)(192 + i % 2);
    key->dst_port = (uint16_t)i;
}

/* Every packet is at every destination and every source. */
static void nested_both(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "destination 203.0.113.7/%u source 192.0.2.1/%u protocol =udp destination-port =%u",
             32 - i / SOURCE_SHAPES, 32 - i % SOURCE_SHAPES, i);
}

static void check_limited(struct cls *cls, const struct limited *set, const bool *active)
{
    for (uint32_t id = 1; id <= set->rules; id++) {
        struct pkt_key key = udp4_key();
        uint32_t got;
        set->key(id - 1, &key);
        cls_match_burst(cls, &key, &got, 1);
        assert_int_equal(got, active[id] ? id : CLS_NO_MATCH);
    }
}

/* Adds what there is room for. How many are refused. */
static unsigned fill_limited(struct cls *cls, const struct limited *set, size_t limit, bool *active)
{
    unsigned refused = 0;

    for (uint32_t id = 1; id <= set->rules; id++) {
        if (active[id])
            continue;
        int rc = add(cls, set->text, id);
        active[id] = rc == 0;
        refused += rc == -ENOMEM;
        assert_true(rc == 0 || rc == -ENOMEM);
        /* to undo what was begun is to remove: for a moment that may take a segment more */
        assert_in_range(memory_of(cls), 0, limit + (rc == 0 ? 0 : 4096));
    }
    check_limited(cls, set, active);
    return refused;
}

/* Removes every second one, of those that are left every second one, and so on, so that all lists become shorter. */
static void thin_limited(struct cls *cls, const struct limited *set, struct rcu *rcu, bool *active)
{
    for (uint32_t bit = 1; bit <= 16; bit *= 2) {
        for (uint32_t id = 1; id <= set->rules; id++) {
            if (!active[id] || (id & bit) == 0)
                continue;
            assert_int_equal(cls_rule_remove(cls, id), 0);
            active[id] = false;
        }
        check_limited(cls, set, active);
        while (rcu_reclaim(rcu) > 0)
            ;
    }
}

#define LITTLE (8u << 20) /* memory of which an empty classifier takes as little as it can */

static void limit_refuses(const struct limited *set, size_t room)
{
    struct rcu *rcu = rcu_create(1);
    struct cls *cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu, .memory_bytes = LITTLE});
    size_t limit = memory_of(cls) + room;
    bool active[LIMITED_MAX + 1] = {false};

    cls_free(cls);
    cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu, .memory_bytes = limit});
    unsigned refused = fill_limited(cls, set, limit, active);
    assert_true(refused > 0 || room > set->tight);
    bool first = active[1];
    thin_limited(cls, set, rcu, active);
    /* and what was refused has its chance when there is room */
    fill_limited(cls, set, limit, active);
    assert_true(active[1] || !first);
    for (uint32_t id = 1; id <= set->rules; id++)
        if (active[id])
            assert_int_equal(cls_rule_remove(cls, id), 0);
    while (rcu_reclaim(rcu) > 0)
        ;
    assert_in_range(memory_of(cls), 0, limit - room + set->slack); /* nothing is left of what was refused */
    cls_free(cls);
    rcu_free(rcu);
}

/* At every size from nothing on, so that each step of each change of form fails once. */
static void a_limit_refuses_rule_by_rule(void **state)
{
    static const struct limited SETS[] = {
        {single_ports, port_key, 899, 20000, 9973, 400000, 200000, 1024},
        {several_cells, several_cells_key, 899, 20000, 9973, 700000, 250000, 1024},
        {several_values, several_values_key, 899, 20000, 9973, 700000, 400000, 1024},
        {nested_sources, nested_sources_key, 120, 500, 499, 65000, 40000, 160},
        {nested_both, port_key, 100, 500, 499, 65000, 40000, 160},
    };
    (void)state;

    for (unsigned set = 0; set < sizeof SETS / sizeof SETS[0]; set++)
        for (size_t room = SETS[set].room_first; room < SETS[set].room_last; room += SETS[set].room_step)
            limit_refuses(&SETS[set], room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_grows_in_proportion),
        cmocka_unit_test(a_limit_refuses_rule_by_rule),
    };

    return cmocka_run_group_tests_name("hurtful", tests, NULL, NULL);
}
