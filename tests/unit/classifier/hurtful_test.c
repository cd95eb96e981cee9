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

static uint32_t match_port(struct cls *cls, unsigned port)
{
    struct pkt_key key = udp4_key();
    uint32_t id;

    key.dst_port = (uint16_t)port;
    cls_match_burst(cls, &key, &id, 1);
    return id;
}

static void single_ports(unsigned i, char *text, size_t size)
{
    snprintf(text, size, "destination-port =%u", i);
}

/* At every size from nothing on, so that each step of each change of form fails once. */
static void a_limit_refuses_rule_by_rule(void **state)
{
    (void)state;
    for (size_t room = 20000; room < 400000; room += 9973) {
        struct rcu *rcu = rcu_create(1);
        struct cls *cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu});
        size_t limit = memory_of(cls) + room;
        cls_free(cls);
        cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu, .memory_bytes = limit});
        bool active[900];
        unsigned refused = 0;
        for (uint32_t id = 1; id < 900; id++) {
            int rc = add(cls, single_ports, id);
            active[id] = rc == 0;
            refused += rc == -ENOMEM;
            assert_true(rc == 0 || rc == -ENOMEM);
            assert_in_range(memory_of(cls), 0, limit);
        }
        assert_true(refused > 0 || room > 200000);
        for (uint32_t id = 1; id < 900; id++)
            assert_int_equal(match_port(cls, id - 1), active[id] ? id : CLS_NO_MATCH);
        /* and what was refused has its chance when there is room */
        for (uint32_t id = 1; id < 900; id += 2)
            if (active[id])
                assert_int_equal(cls_rule_remove(cls, id), 0);
        while (rcu_reclaim(rcu) > 0)
            ;
        for (uint32_t id = 2; id < 900; id += 2)
            assert_int_equal(match_port(cls, id - 1), active[id] ? id : CLS_NO_MATCH);
        if (active[1])
            assert_int_equal(add(cls, single_ports, 1), 0);
        cls_free(cls);
        rcu_free(rcu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_grows_in_proportion),
        cmocka_unit_test(a_limit_refuses_rule_by_rule),
    };

    return cmocka_run_group_tests_name("hurtful", tests, NULL, NULL);
}
