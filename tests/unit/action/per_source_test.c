/* SPDX-License-Identifier: BSD-3-Clause */
/* Rates per source: how exact they are, which sources stay when there are too many, and that workers may share them. */
#include "../cm.h"

#include <pthread.h>
#include <string.h>

#include "action/per_source.h"

#define NS_PER_S 1000000000ull
#define SEED     0x1234567890abcdefull
#define START_NS (77 * NS_PER_S)
#define THREADS  2
#define OFFERS   2000

static struct pkt_key key4(uint32_t address, uint32_t length)
{
    struct pkt_key key = {.family = IP_V4, .length = length};

    for (unsigned i = 0; i < 4; i++)
        key.src[i] = (uint8_t)(address >> (24 - 8 * i));
    return key;
}

static struct pkt_key key6(uint64_t high, uint64_t low)
{
    struct pkt_key key = {.family = IP_V6, .length = 100};

    for (unsigned i = 0; i < 8; i++) {
        key.src[i] = (uint8_t)(high >> (56 - 8 * i));
        key.src[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    return key;
}

static struct act_sources *create(float rate, uint8_t length, bool packets)
{
    const struct act_source_rate want = {.rate_per_s = rate, .sources = 4096, .length = length};
    struct act_sources *sources = act_sources_create(&want, packets, 100, SEED);

    assert_non_null(sources);
    return sources;
}

/* Offers `per_s` packets a second of each of `count` sources, from `at_ns` on; counts what passes of each. */
static void offer(struct act_sources *sources, uint32_t first, uint32_t count, uint32_t per_s, uint64_t at_ns,
                  unsigned seconds, uint64_t *passed)
{
    uint64_t step = NS_PER_S / per_s;

    for (uint64_t now = at_ns; now < at_ns + seconds * NS_PER_S; now += step)
        for (uint32_t i = 0; i < count; i++) {
            struct pkt_key key = key4(first + i, 500);
            passed[i] += act_sources_admit(sources, &key, now);
        }
}

/* Within 1 % over seconds, for each source by itself, over four decades. */
static void each_source_gets_its_rate(void **state)
{
    static const uint32_t RATES[] = {4, 40, 400, 4000};
    enum { SOURCES = 20, SECONDS = 10 };

    (void)state;
    for (unsigned kind = 0; kind < 2; kind++)
        for (unsigned n = 0; n < sizeof RATES / sizeof RATES[0]; n++) {
            struct act_sources *sources = create((float)RATES[n] * (kind == 0 ? 500 : 1), 32, kind == 1);
            uint64_t passed[SOURCES] = {0}, burst = RATES[n] / 10;

            burst = burst > 3 ? burst : 3; /* 1500 octets */
            offer(sources, 0x0a000000, SOURCES, RATES[n] * 3, START_NS, SECONDS, passed);
            for (unsigned i = 0; i < SOURCES; i++) {
                uint64_t want = RATES[n] * SECONDS + (kind == 0 || burst > 3 ? burst : 1);
                assert_in_range(passed[i], want - want / 100 - 1, want + want / 100 + 1);
            }
            act_sources_free(sources);
        }
}

static void sources_of_one_prefix_share_and_others_do_not(void **state)
{
    struct act_sources *by24 = create(1, 24, true), *all = create(1, 0, true), *by64 = create(1, 64, true);
    struct pkt_key a = key4(0xc0000201, 60), b = key4(0xc00002fe, 60), c = key4(0xc0000301, 60);
    struct pkt_key d = key6(1, 1), e = key6(1, 2), f = key6(2, 1);

    (void)state;
    assert_true(act_sources_admit(by24, &a, START_NS));
    assert_false(act_sources_admit(by24, &b, START_NS));
    assert_true(act_sources_admit(by24, &c, START_NS));
    assert_true(act_sources_admit(all, &a, START_NS));
    assert_false(act_sources_admit(all, &c, START_NS));
    assert_true(act_sources_admit(by64, &d, START_NS));
    assert_false(act_sources_admit(by64, &e, START_NS));
    assert_true(act_sources_admit(by64, &f, START_NS));
    assert_true(act_sources_admit(by64, &a, START_NS)); /* longer than IPv4: the address */
    assert_true(act_sources_admit(by64, &b, START_NS));
    assert_false(act_sources_admit(by64, &a, START_NS));
    assert_int_equal(act_sources_tracked(by64, START_NS), 4);
    assert_int_equal(act_sources_tracked(by64, START_NS + 2 * NS_PER_S), 0);
    act_sources_free(by24);
    act_sources_free(all);
    act_sources_free(by64);
}

/* Spoofed sources without end: the busy ones are still held to their rate, and the sum is bounded. */
static void a_flood_of_sources_does_not_free_the_busy_ones(void **state)
{
    enum { BUSY = 100, SECONDS = 5 };
    struct act_sources *sources = create(10, 32, true);
    uint64_t passed[BUSY] = {0}, spoofed = 0, offered = 0;
    uint32_t next = 0x20000000;

    (void)state;
    for (uint64_t now = START_NS; now < START_NS + SECONDS * NS_PER_S; now += NS_PER_S / 100) {
        for (uint32_t i = 0; i < BUSY; i++) {
            struct pkt_key key = key4(0x0a000000 + i, 60);
            passed[i] += act_sources_admit(sources, &key, now);
        }
        for (unsigned i = 0; i < 2000; i++, offered++) { /* 200,000 new sources a second, 50 times what fits */
            struct pkt_key key = key4(next++ * 2654435761u | 0x80000000, 60);
            spoofed += act_sources_admit(sources, &key, now);
        }
    }
    for (unsigned i = 0; i < BUSY; i++)
        assert_in_range(passed[i], 0, 10 * SECONDS + 2);
    assert_in_range(spoofed, 1, 4096 * (10 * SECONDS + 1));
    assert_true(spoofed < offered / 4);
    act_sources_free(sources);
}

static void what_is_told_is_what_happens(void **state)
{
    struct act_sources *sources = create(1, 32, true);
    struct pkt_key key = key4(1, 60);
    struct act_source_room before = act_sources_room(sources, &key, START_NS);

    (void)state;
    assert_true(before.conforms && before.burst == 1 && before.room == 1);
    assert_true(act_sources_admit(sources, &key, START_NS));
    assert_false(act_sources_room(sources, &key, START_NS).conforms);
    assert_int_equal(act_sources_room(sources, &key, START_NS).room, 0);
    assert_true(act_sources_room(sources, &key, START_NS + NS_PER_S).conforms);
    act_sources_free(sources);
}

struct load {
    struct act_sources *sources;
    uint64_t passed;
};

static void *worker(void *argument)
{
    struct load *load = argument;
    struct pkt_key key = key4(9, 60);

    for (unsigned i = 0; i < OFFERS; i++) /* one second in all */
        load->passed += act_sources_admit(load->sources, &key, START_NS + i * (NS_PER_S / OFFERS));
    return NULL;
}

static void workers_share_one_rate(void **state)
{
    struct act_sources *sources = create(500, 32, true);
    struct load loads[THREADS];
    pthread_t threads[THREADS];
    uint64_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        loads[i] = (struct load){.sources = sources};
        assert_int_equal(pthread_create(&threads[i], NULL, worker, &loads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += loads[i].passed;
    }
    /* 500 in the second and a burst of 50; twice that if two slots were given at the very first packet */
    assert_in_range(sum, 490, 1100);
    act_sources_free(sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_source_gets_its_rate),
        cmocka_unit_test(sources_of_one_prefix_share_and_others_do_not),
        cmocka_unit_test(a_flood_of_sources_does_not_free_the_busy_ones),
        cmocka_unit_test(what_is_told_is_what_happens),
        cmocka_unit_test(workers_share_one_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
