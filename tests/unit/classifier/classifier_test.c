/* SPDX-License-Identifier: BSD-3-Clause */
/* The contract of classifier.h, for each engine: ids, order, errors, memory, and what readers see of a change. */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "classifier/classifier.h"
#include "rules.h"

struct fixture {
    struct rcu *rcu;
    struct cls *cls;
};

#define SLACK 256 /* malloc may round the same request up differently */

static struct cls_conf engine; /* the one under test */

#define LITTLE (8u << 20)

/* `room`: octets that rules may take; 0: no limit. */
static struct fixture *fixture_create(size_t room)
{
    static struct fixture fixture;
    struct cls_conf conf = engine;
    struct cls_stats empty;

    fixture.rcu = rcu_create(1);
    conf.rcu = fixture.rcu;
    conf.memory_bytes = room > 0 ? LITTLE : 0; /* where there is little, an empty one takes less */
    fixture.cls = cls_create(&conf);
    assert_non_null(fixture.cls);
    if (room > 0) {
        cls_stats_get(fixture.cls, &empty);
        cls_free(fixture.cls);
        conf.memory_bytes = empty.memory_bytes + room;
        fixture.cls = cls_create(&conf);
        assert_non_null(fixture.cls);
    }
    return &fixture;
}

static int set_up(void **state)
{
    *state = fixture_create(0);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    cls_free(f->cls);
    rcu_free(f->rcu);
    return 0;
}

static int add(struct fixture *f, uint32_t id, const char *text)
{
    struct fs_rule *rule = rule_of(text);
    int rc = cls_rule_add(f->cls, id, rule);

    fs_rule_free(rule); /* it was copied */
    return rc;
}

static uint32_t match(struct fixture *f, struct pkt_key key)
{
    uint32_t id = 99;

    cls_match_burst(f->cls, &key, &id, 1);
    return id;
}

static struct cls_stats stats(struct fixture *f)
{
    struct cls_stats out;

    cls_stats_get(f->cls, &out);
    return out;
}

static void without_rules_nothing_matches(void **state)
{
    struct pkt_key key = udp4_key();

    assert_int_equal(match(*state, key), CLS_NO_MATCH);
    assert_int_equal(cls_match_after(((struct fixture *)*state)->cls, &key, CLS_NO_MATCH), CLS_NO_MATCH);
    assert_int_equal(stats(*state).rules, 0);
}

/* conforms: RFC 8955 proves 5.1-1 5.1-2 */
static void the_first_rule_in_rfc_order_wins_whatever_the_order_of_arrival(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(add(f, 1, "protocol =udp"), 0);
    assert_int_equal(match(f, udp4_key()), 1);
    assert_int_equal(add(f, 2, "destination 203.0.113.0/24"), 0);
    assert_int_equal(match(f, udp4_key()), 2);
    assert_int_equal(add(f, 3, "destination 203.0.113.7/32 protocol =udp"), 0);
    assert_int_equal(match(f, udp4_key()), 3);
    assert_int_equal(add(f, 4, "destination 203.0.113.7/32"), 0); /* fewer components: later */
    assert_int_equal(match(f, udp4_key()), 3);
    assert_int_equal(add(f, 5, "destination 203.0.113.7/32 protocol =tcp"), 0); /* earlier, but no match */
    assert_int_equal(match(f, udp4_key()), 3);
    assert_int_equal(stats(f).rules, 5);
}

static void a_chain_visits_every_match_in_order(void **state)
{
    struct fixture *f = *state;
    struct pkt_key key = udp4_key();
    const uint32_t want[] = {30, 40, 20, 10, CLS_NO_MATCH};
    uint32_t id = CLS_NO_MATCH;

    add(f, 10, "protocol =udp");
    add(f, 20, "destination 203.0.113.0/24");
    add(f, 30, "destination 203.0.113.7/32 protocol =udp");
    add(f, 40, "destination 203.0.113.7/32");
    add(f, 50, "destination 203.0.113.7/32 protocol =tcp");
    add(f, 60, "destination 203.0.113.6/32");
    for (size_t i = 0; i < 5; i++) {
        id = cls_match_after(f->cls, &key, id);
        assert_int_equal(id, want[i]);
    }
}

static void each_packet_of_a_burst_gets_its_own_answer(void **state)
{
    struct fixture *f = *state;
    struct pkt_key keys[CLS_BURST_MAX];
    uint32_t ids[CLS_BURST_MAX + 1] = {[CLS_BURST_MAX] = 77};

    add(f, 1, "destination 203.0.113.7/32");
    add(f, 2, "destination 2001:db8:7::/48");
    for (unsigned i = 0; i < CLS_BURST_MAX; i++) {
        keys[i] = i % 2 ? tcp6_key() : udp4_key();
        if (i % 4 == 3)
            keys[i].malformed = 1;
        if (i % 4 == 2)
            keys[i].family = IP_NONE;
    }
    cls_match_burst(f->cls, keys, ids, CLS_BURST_MAX);
    for (unsigned i = 0; i < CLS_BURST_MAX; i++)
        assert_int_equal(ids[i], i % 4 == 0 ? 1 : i % 4 == 1 ? 2 : CLS_NO_MATCH);
    assert_int_equal(ids[CLS_BURST_MAX], 77);
    cls_match_burst(f->cls, keys, ids, 0);
    assert_int_equal(cls_match_after(f->cls, &keys[2], CLS_NO_MATCH), CLS_NO_MATCH);
    assert_int_equal(cls_match_after(f->cls, &keys[3], CLS_NO_MATCH), CLS_NO_MATCH);
}

/* As most bursts are. */
static void packets_of_one_kind_get_one_answer(void **state)
{
    struct fixture *f = *state;
    struct pkt_key keys[CLS_BURST_MAX];
    const struct pkt_key kinds[] = {udp4_key(), tcp6_key(), udp4_key(), udp4_key()}; /* malformed; not IP */
    const uint32_t want[] = {1, 2, CLS_NO_MATCH, CLS_NO_MATCH};
    uint32_t ids[CLS_BURST_MAX];

    add(f, 1, "destination 203.0.113.7/32");
    add(f, 2, "destination 2001:db8:7::/48");
    for (unsigned kind = 0; kind < 4; kind++) {
        for (unsigned i = 0; i < CLS_BURST_MAX; i++) {
            keys[i] = kinds[kind];
            keys[i].malformed = kind == 2;
            keys[i].family = kind == 3 ? IP_NONE : keys[i].family;
        }
        for (unsigned count = 1; count <= CLS_BURST_MAX; count++) {
            memset(ids, 77, sizeof ids);
            cls_match_burst(f->cls, keys, ids, count);
            for (unsigned i = 0; i < count; i++)
                assert_int_equal(ids[i], want[kind]);
        }
    }
}

static void a_removed_rule_no_longer_matches(void **state)
{
    struct fixture *f = *state;

    add(f, 1, "destination 203.0.113.7/32");
    add(f, 2, "protocol =udp");
    assert_int_equal(cls_rule_remove(f->cls, 1), 0);
    assert_int_equal(match(f, udp4_key()), 2);
    assert_int_equal(cls_rule_remove(f->cls, 1), -ENOENT);
    assert_int_equal(cls_rule_remove(f->cls, 2), 0);
    assert_int_equal(match(f, udp4_key()), CLS_NO_MATCH);
    assert_int_equal(cls_rule_remove(f->cls, 3), -ENOENT);
    assert_int_equal(cls_rule_remove(f->cls, 1000000), -ENOENT);
    assert_int_equal(cls_rule_remove(f->cls, 0), -ENOENT);
    assert_int_equal(stats(f).rules, 0);
}

static void an_id_leads_to_its_newest_rule(void **state)
{
    struct fixture *f = *state;

    add(f, 1, "destination 203.0.113.7/32");
    assert_int_equal(add(f, 1, "destination 203.0.113.8/32"), 0);
    assert_int_equal(match(f, udp4_key()), CLS_NO_MATCH);
    assert_int_equal(stats(f).rules, 1);
    assert_int_equal(add(f, 1, "source 192.0.2.0/24"), 0);
    assert_int_equal(match(f, udp4_key()), 1);
    assert_int_equal(add(f, 1, "source 192.0.2.0/24"), 0); /* the same again */
    assert_int_equal(stats(f).rules, 1);
    cls_rule_remove(f->cls, 1);
    assert_int_equal(add(f, 1, "protocol =udp"), 0); /* and once more after its removal */
    assert_int_equal(match(f, udp4_key()), 1);
    rcu_reclaim(f->rcu);
    assert_int_equal(match(f, udp4_key()), 1);
    assert_int_equal(cls_rule_remove(f->cls, 1), 0);
}

/* Its first rule is kept beside a destination: what is left, or comes later into the same memory, must not pass for it.
 */
static void each_rule_that_is_left_alone_answers_for_itself(void **state)
{
    struct fixture *f = *state;
    struct pkt_key other = udp4_key();

    other.dst_port = 4001;
    add(f, 1, "destination 203.0.113.7/32 protocol =udp destination-port =4000");
    add(f, 2, "destination 203.0.113.7/32 protocol =udp destination-port =4001");
    assert_int_equal(match(f, udp4_key()), 1);
    assert_int_equal(match(f, other), 2);
    assert_int_equal(cls_rule_remove(f->cls, 1), 0);
    rcu_reclaim(f->rcu);
    assert_int_equal(match(f, udp4_key()), CLS_NO_MATCH);
    assert_int_equal(match(f, other), 2);
    add(f, 3, "destination 203.0.113.7/32 protocol =udp destination-port <=4000");
    assert_int_equal(cls_rule_remove(f->cls, 2), 0);
    rcu_reclaim(f->rcu);
    assert_int_equal(match(f, udp4_key()), 3);
    assert_int_equal(match(f, other), CLS_NO_MATCH);
}

/* Rules that a box says too little about are judged by themselves, also where they are alone. */
static void a_rule_that_is_alone_is_judged_exactly(void **state)
{
    struct fixture *f = *state;
    struct pkt_key key = udp4_key();

    add(f, 1, "destination 203.0.113.7/32 destination-port !=54");
    assert_int_equal(match(f, key), 1);
    key.dst_port = 54;
    assert_int_equal(match(f, key), CLS_NO_MATCH);
    add(f, 1, "destination 203.0.113.7/32 port =54");
    assert_int_equal(match(f, key), 1);
    key.src_port = 54;
    key.dst_port = 1;
    assert_int_equal(match(f, key), 1);
    key.src_port = 2;
    assert_int_equal(match(f, key), CLS_NO_MATCH);
    cls_rule_remove(f->cls, 1);
    add(f, 2, "destination 203.0.113.7/32 port =2");
    assert_int_equal(match(f, key), 2);
}

static int add_at(struct fixture *f, uint32_t id, const char *prefixes, const char *rest)
{
    char text[256];

    snprintf(text, sizeof text, "%s %s", prefixes, rest);
    return add(f, id, text);
}

/* Destinations and sources keep a copy of their first rule: it says what holds, whatever comes and goes beside it. */
static void copies_at(struct fixture *f, const char *prefixes)
{
    struct pkt_key longer = udp4_key();

    longer.length++;
    assert_int_equal(add_at(f, 1, prefixes, "source-port =123"), 0);
    assert_int_equal(match(f, udp4_key()), 1);
    assert_int_equal(add_at(f, 2, prefixes, "protocol =udp"), 0); /* earlier */
    assert_int_equal(match(f, udp4_key()), 2);
    assert_int_equal(cls_rule_remove(f->cls, 1), 0);
    assert_int_equal(match(f, udp4_key()), 2);
    assert_int_equal(add_at(f, 1, prefixes, "source-port =123"), 0);
    assert_int_equal(cls_rule_remove(f->cls, 2), 0);
    assert_int_equal(match(f, udp4_key()), 1);
    assert_int_equal(add_at(f, 1, prefixes, "source-port =124"), 0); /* in its place */
    assert_int_equal(match(f, udp4_key()), CLS_NO_MATCH);
    assert_int_equal(add_at(f, 1, prefixes, "source-port =123"), 0);
    assert_int_equal(match(f, udp4_key()), 1);
    assert_int_equal(cls_rule_remove(f->cls, 1), 0);
    assert_int_equal(match(f, udp4_key()), CLS_NO_MATCH);
    assert_int_equal(add_at(f, 3, prefixes, "packet-length =468"), 0); /* which a copy does not say */
    assert_int_equal(match(f, udp4_key()), 3);
    assert_int_equal(match(f, longer), CLS_NO_MATCH);
    assert_int_equal(cls_rule_remove(f->cls, 3), 0);
}

static void a_copy_of_a_rule_never_says_more_than_the_rules(void **state)
{
    copies_at(*state, "destination 203.0.113.7/32");
    copies_at(*state, "destination 203.0.113.7/32 source 192.0.2.1/32");
    assert_int_equal(add(*state, 4, "destination 203.0.113.7/32 source 192.0.2.0/24 protocol =tcp"), 0);
    copies_at(*state, "destination 203.0.113.7/32 source 192.0.2.1/32");
    copies_at(*state, "destination 203.0.113.7/32 source 192.0.0.0/16");
}

static void two_ids_cannot_hold_one_rule(void **state)
{
    struct fixture *f = *state;

    add(f, 1, "destination 203.0.113.7/32");
    add(f, 2, "protocol =udp");
    assert_int_equal(add(f, 3, "destination 203.0.113.7/32"), -EEXIST);
    assert_int_equal(add(f, 2, "destination 203.0.113.7/32"), -EEXIST);
    assert_int_equal(stats(f).rules, 2);
    cls_rule_remove(f->cls, 1);
    assert_int_equal(match(f, udp4_key()), 2); /* the failed replacement has not touched rule 2 */
    assert_int_equal(add(f, 3, "destination 203.0.113.7/32"), 0);
    assert_int_equal(match(f, udp4_key()), 3);
    assert_int_equal(add(f, 0, "protocol =tcp"), -EINVAL);
}

static void a_reader_may_go_on_from_a_rule_that_was_just_removed(void **state)
{
    struct fixture *f = *state;
    struct pkt_key key = udp4_key();

    add(f, 1, "destination 203.0.113.7/32");
    add(f, 2, "destination 203.0.113.0/24");
    add(f, 3, "protocol =udp");
    rcu_reader_online(f->rcu, 0);
    assert_int_equal(match(f, key), 1);
    cls_rule_remove(f->cls, 1);
    assert_true(rcu_reclaim(f->rcu) > 0);
    assert_int_equal(cls_match_after(f->cls, &key, 1), 2);
    cls_rule_remove(f->cls, 2);
    assert_int_equal(cls_match_after(f->cls, &key, 2), 3);
    while (rcu_reclaim(f->rcu) > 0) /* what is released may retire more */
        rcu_quiescent(f->rcu, 0);
    assert_int_equal(match(f, key), 3);
    rcu_reader_offline(f->rcu, 0);
}

static void removed_memory_is_released_after_the_readers_quiescent_point(void **state)
{
    struct fixture *f = *state;
    size_t empty = stats(f).memory_bytes;

    rcu_reader_online(f->rcu, 0);
    add(f, 1, "destination 203.0.113.7/32");
    size_t one = stats(f).memory_bytes;
    assert_true(one > empty);
    cls_rule_remove(f->cls, 1);
    rcu_reclaim(f->rcu);
    assert_true(stats(f).memory_bytes >= one);
    while (rcu_reclaim(f->rcu) > 0)
        rcu_quiescent(f->rcu, 0);
    assert_true(stats(f).memory_bytes <= empty + SLACK);
    rcu_reader_offline(f->rcu, 0);
}

static void ids_may_grow_far(void **state)
{
    struct fixture *f = *state;
    char text[64];

    rcu_reader_online(f->rcu, 0);
    for (uint32_t id = 1; id <= 300; id++) {
        snprintf(text, sizeof text, "destination 203.0.113.7/32 packet-length =%u", id);
        assert_int_equal(add(f, id * 1000, text), 0);
    }
    struct pkt_key key = udp4_key();
    for (uint32_t id = 1; id <= 300; id++) {
        key.length = id;
        assert_int_equal(match(f, key), id * 1000);
        assert_int_equal(cls_match_after(f->cls, &key, id * 1000), CLS_NO_MATCH);
    }
    rcu_reader_offline(f->rcu, 0);
}

static void a_full_memory_refuses_and_changes_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(8192);
    /* hashes have a random seed, so a small rule may find a place that is left: not so one of this size */
    char text[64], large[4096];
    struct strbuf sb = sb_init(large, sizeof large);
    uint32_t id = 0;
    int rc;

    sb_text(&sb, "destination 203.0.113.0/25 packet-length");
    for (unsigned length = 1000; length < 1900; length += 2)
        sb_printf(&sb, "%s=%u", length > 1000 ? "," : " ", length);

    do {
        snprintf(text, sizeof text, "destination 203.0.113.%u/32", ++id);
        rc = add(f, id, text);
    } while (rc == 0 && id < 200);
    assert_int_equal(rc, -ENOMEM);
    assert_true(id > 7);
    assert_int_equal(stats(f).rules, id - 1);
    size_t full = stats(f).memory_bytes;
    assert_int_equal(match(f, udp4_key()), 7);
    assert_int_equal(add(f, 7, large), -ENOMEM);
    assert_int_equal(match(f, udp4_key()), 7);
    assert_int_equal(add(f, 4000000000u, "destination 203.0.114.0/24"), -ENOMEM);
    while (rcu_reclaim(f->rcu) > 0)
        ;
    assert_true(stats(f).memory_bytes <= full + SLACK); /* what failed has left nothing behind */
    /* what was removed and is free makes room again */
    for (uint32_t gone = 1; gone < 5; gone++)
        cls_rule_remove(f->cls, gone);
    assert_int_equal(add(f, 1, "destination 203.0.115.0/24"), 0);
    cls_free(f->cls);
    rcu_free(f->rcu);
}

static void freeing_leaves_nothing_behind(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(0);

    add(f, 1, "destination 203.0.113.7/32");
    add(f, 1, "destination 203.0.113.8/32");
    add(f, 2, "destination 203.0.113.9/32");
    cls_rule_remove(f->cls, 2);
    cls_free(f->cls); /* with retired rules still waiting: LeakSanitizer and rcu_free tell */
    assert_int_equal(rcu_reclaim(f->rcu), 0);
    rcu_free(f->rcu);
    cls_free(NULL);
}

#define LENGTH_MIN 20u

/* Prefixes of more lengths than a mask has bits: the longest that covers the packet, whether it is within the mask. */
static void each_of_many_prefix_lengths_is_found(void **state)
{
    struct fixture *f = *state;
    struct pkt_key key = tcp6_key();
    char text[64];

    for (uint32_t length = LENGTH_MIN; length <= 128; length++) {
        snprintf(text, sizeof text, "destination 2001:dfff:ffff:ffff:ffff:ffff:ffff:ffff/%u", length);
        assert_int_equal(add(f, length, text), 0);
    }
    memcpy(key.dst, (uint8_t[16]){0x20, 0x01}, sizeof key.dst);
    assert_int_equal(match(f, key), CLS_NO_MATCH);
    for (uint32_t length = LENGTH_MIN; length <= 128; length++) {
        memcpy(key.dst, (uint8_t[16]){0x20, 0x01, 0xd0}, sizeof key.dst);
        for (uint32_t bit = LENGTH_MIN; bit < length; bit++)
            key.dst[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
        assert_int_equal(match(f, key), length);
        assert_int_equal(cls_match_after(f->cls, &key, length), length > LENGTH_MIN ? length - 1 : CLS_NO_MATCH);
    }
}

/* More than a mask has bits, below one of several destinations; behind them a rule of a shorter one. */
static void each_of_many_source_lengths_is_found(void **state)
{
    struct fixture *f = *state;
    struct pkt_key key = tcp6_key();
    char text[128];

    for (uint32_t length = LENGTH_MIN; length <= 128; length++) {
        snprintf(text, sizeof text, "destination 2001:db8:7::/48 source 2001:dfff:ffff:ffff:ffff:ffff:ffff:ffff/%u",
                 length);
        assert_int_equal(add(f, length, text), 0);
    }
    assert_int_equal(add(f, 200, "destination 2001:db8::/32"), 0);
    assert_int_equal(match(f, key), 200);
    for (uint32_t length = LENGTH_MIN; length <= 128; length++) {
        memcpy(key.src, (uint8_t[16]){0x20, 0x01, 0xd0}, sizeof key.src);
        for (uint32_t bit = LENGTH_MIN; bit < length; bit++)
            key.src[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
        assert_int_equal(match(f, key), length);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_rules_nothing_matches),
        TEST(the_first_rule_in_rfc_order_wins_whatever_the_order_of_arrival),
        TEST(a_chain_visits_every_match_in_order),
        TEST(each_packet_of_a_burst_gets_its_own_answer),
        TEST(packets_of_one_kind_get_one_answer),
        TEST(a_removed_rule_no_longer_matches),
        TEST(an_id_leads_to_its_newest_rule),
        TEST(each_rule_that_is_left_alone_answers_for_itself),
        TEST(a_rule_that_is_alone_is_judged_exactly),
        TEST(a_copy_of_a_rule_never_says_more_than_the_rules),
        TEST(two_ids_cannot_hold_one_rule),
        TEST(a_reader_may_go_on_from_a_rule_that_was_just_removed),
        TEST(removed_memory_is_released_after_the_readers_quiescent_point),
        TEST(ids_may_grow_far),
        TEST(each_of_many_prefix_lengths_is_found),
        TEST(each_of_many_source_lengths_is_found),
        cmocka_unit_test(a_full_memory_refuses_and_changes_nothing),
        cmocka_unit_test(freeing_leaves_nothing_behind),
    };

    int failed = cmocka_run_group_tests_name("linear", tests, NULL, NULL);
    for (enum cls_simd simd = CLS_SIMD_BEST; simd < CLS_SIMD_COUNT; simd++) {
        engine = (struct cls_conf){.engine = CLS_FAST, .simd = simd};
        if (cls_simd_available(simd))
            failed += cmocka_run_group_tests_name(cls_simd_name(simd), tests, NULL, NULL);
    }
    return failed;
}
