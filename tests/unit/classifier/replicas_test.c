/* SPDX-License-Identifier: BSD-3-Clause */
/* Replicas: each in memory of its own, all alike, and a change that one has no room for is in none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/classifier.h"
#include "rules.h"

#define REPLICAS 2

/* A source of memory that counts, and ends when it is told to. */
struct source {
    size_t octets;
    bool ended;
};

static void *source_take(void *ctx, size_t size)
{
    struct source *source = ctx;
    size_t whole = (size + CLS_MEMORY_ALIGN - 1) / CLS_MEMORY_ALIGN * CLS_MEMORY_ALIGN;
    void *memory = source->ended ? NULL : aligned_alloc(CLS_MEMORY_ALIGN, whole);

    if (memory == NULL)
        return NULL;
    memset(memory, 0, size);
    source->octets += size;
    return memory;
}

static void source_give(void *ctx, void *memory, size_t size)
{
    struct source *source = ctx;

    source->octets -= size;
    free(memory);
}

struct fixture {
    struct rcu *rcu;
    struct cls *cls;
    struct source sources[REPLICAS];
};

static int set_up(void **state)
{
    static struct fixture f;
    struct cls_memory memory[REPLICAS];

    memset(&f, 0, sizeof f);
    for (unsigned i = 0; i < REPLICAS; i++)
        memory[i] = (struct cls_memory){.take = source_take, .give = source_give, .ctx = &f.sources[i]};
    f.rcu = rcu_create(1);
    f.cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = f.rcu, .replicas = REPLICAS, .memory = memory});
    *state = &f;
    return f.cls == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    cls_free(f->cls);
    rcu_free(f->rcu);
    return f->sources[0].octets + f->sources[1].octets > 0; /* all of it was given back */
}

static int add(struct fixture *f, uint32_t id, const char *text)
{
    struct fs_rule *rule = rule_of(text);
    int rc = cls_rule_add(f->cls, id, rule);

    fs_rule_free(rule);
    return rc;
}

static const char *text_of(uint32_t id, unsigned first_port)
{
    static char text[128];

    snprintf(text, sizeof text, "destination 203.0.113.7/32 destination-port =%u", first_port + id);
    return text;
}

static int add_port(struct fixture *f, uint32_t id)
{
    return add(f, id, text_of(id, 0));
}

static uint32_t match_port(const struct cls *cls, uint16_t port)
{
    struct pkt_key key = udp4_key();
    uint32_t id;

    key.dst_port = port;
    cls_match_burst(cls, &key, &id, 1);
    assert_int_equal(cls_match_after(cls, &key, CLS_NO_MATCH), id);
    return id;
}

static void assert_all_match(const struct fixture *f, uint16_t port, uint32_t id)
{
    for (unsigned i = 0; i < REPLICAS; i++)
        assert_int_equal(match_port(cls_replica(f->cls, i), port), id);
}

static void every_replica_has_every_change(void **state)
{
    struct fixture *f = *state;
    struct cls_stats one, all;

    assert_int_equal(cls_replicas(f->cls), REPLICAS);
    cls_stats_get(f->cls, &all);
    cls_stats_get(cls_replica(f->cls, 1), &one);
    assert_int_equal(all.memory_bytes, REPLICAS * one.memory_bytes);
    assert_int_equal(add_port(f, 80), 0);
    assert_all_match(f, 80, 80);
    assert_int_equal(add_port(f, 80), 0); /* the same again */
    assert_int_equal(add(f, 81, "destination 203.0.113.7/32 destination-port =80"), -EEXIST);
    assert_int_equal(add(f, 80, "destination 203.0.113.7/32 destination-port =90"), 0);
    assert_all_match(f, 80, CLS_NO_MATCH);
    assert_all_match(f, 90, 80);
    cls_stats_get(f->cls, &all);
    assert_int_equal(all.rules, 1);
    assert_int_equal(cls_rule_remove(f->cls, 80), 0);
    assert_int_equal(cls_rule_remove(f->cls, 80), -ENOENT);
    assert_all_match(f, 90, CLS_NO_MATCH);
}

/* Under AddressSanitizer blocks are malloc's: the sources are never asked. */
static void each_takes_memory_of_its_own(void **state)
{
    struct fixture *f = *state;

    if (f->sources[0].octets == 0)
        skip();
    assert_true(f->sources[0].octets >= CLS_MEMORY_ALIGN);
    assert_int_equal(f->sources[0].octets, f->sources[1].octets);
}

/* The second replica's memory ends: what it refuses is not in the first either, and what was replaced stays. */
static void what_one_refuses_none_has(void **state)
{
    struct fixture *f = *state;
    uint32_t id = 0;
    int rc;

    if (f->sources[0].octets == 0)
        skip();
    f->sources[1].ended = true;
    do
        rc = add_port(f, ++id);
    while (rc == 0 && id < 60000);
    assert_int_equal(rc, -ENOMEM);
    assert_true(id > 100);
    for (uint32_t other = 1; other < id; other += 7)
        assert_all_match(f, (uint16_t)other, other);
    assert_all_match(f, (uint16_t)id, CLS_NO_MATCH);
    for (uint32_t other = 1; other < 200; other++) { /* replacing is refused, or done everywhere */
        rc = add(f, other, text_of(other, 60000));
        assert_true(rc == 0 || rc == -ENOMEM);
        assert_all_match(f, (uint16_t)other, rc == 0 ? CLS_NO_MATCH : other);
        assert_all_match(f, (uint16_t)(60000 + other), rc == 0 ? other : CLS_NO_MATCH);
    }
    f->sources[1].ended = false;
    assert_int_equal(add_port(f, id), 0);
    assert_all_match(f, (uint16_t)id, id);
}

static void nothing_is_left_of_a_failed_start(void **state)
{
    struct source sources[REPLICAS] = {{.octets = 0}, {.ended = true}};
    struct cls_memory memory[REPLICAS];
    struct rcu *rcu = rcu_create(1);

    (void)state;
    for (unsigned i = 0; i < REPLICAS; i++)
        memory[i] = (struct cls_memory){.take = source_take, .give = source_give, .ctx = &sources[i]};
    cls_free(cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu, .replicas = REPLICAS, .memory = memory}));
    assert_int_equal(sources[0].octets, 0);
    assert_null(cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu, .replicas = CLS_REPLICAS_MAX + 1}));
    rcu_free(rcu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_replica_has_every_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_takes_memory_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_one_refuses_none_has, set_up, tear_down),
        cmocka_unit_test(nothing_is_left_of_a_failed_start),
    };

    return cmocka_run_group_tests_name("replicas", tests, NULL, NULL);
}
