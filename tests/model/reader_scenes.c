/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer counts a rule's turns: odd while it is there for good. So a reader that sees the same odd turn before and
 * after its burst knows that the rule was there all the time, though others came and went beside it: a packet that
 * matches has this rule's id, or that of one before it in the order.
 */
#include "reader_scenes.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flowspec/order.h"
#include "flowspec/text.h"
#include "model.h"
#include "naive_match.h"
#include "random_rule.h"

#define READERS        2
#define PACKETS        32
#define PARTS_MAX      256
#define SET_WORDS      (PARTS_MAX / 64)
#define CELLS_PARTS    64
#define PARTY_MAX      20   /* parts of a party */
#define BURSTS_MIN     1000 /* of a scene, however slow readers are */
#define REPLACE_ONE_IN 4000 /* readers are waited for, which takes as long as so many other changes */

enum part_kind { COMES, STAYS };

/* Bit i % 64 of word i / 64: part i. */
struct part_set {
    uint64_t words[SET_WORDS];
};

/* One rule; its id is its place + 1. Fixed before the readers start, but for `turn` and `now`. */
struct part {
    enum part_kind kind;      /* whether it comes and goes */
    struct fs_rule *rules[2]; /* replace each other; the second NULL: there is one */
    unsigned first, last;     /* their places in the order */
    uint64_t matches;         /* bit k: one of them matches packet k */
    unsigned now;             /* the writer's: which of them it is */
    unsigned party;           /* comes and goes with all others of this number; 0: alone */
    atomic_uint turn;         /* written by the writer, read by readers */
};

struct scene {
    struct pkt_key keys[PACKETS];
    struct part_set parts_of[PACKETS]; /* that the packet matches, whichever rule that is now */
    struct part parts[PARTS_MAX];
    unsigned part_count, key_count;
    unsigned switched; /* the part that has another rule; it stays */
    struct rcu *rcu;
    struct cls *cls;
    atomic_bool stop;
    atomic_ulong bursts;
    atomic_ulong faults;
};

struct reader {
    struct scene *scene;
    unsigned number;
};

static struct fs_rule *rule_read(const char *text)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    model_expect(fs_text_parse(text, &rule, &actions, &error), 0, "%s: %s", text, error.text);
    return rule;
}

/* `other`: what replaces it at times, or NULL. */
static void part(struct scene *s, enum part_kind kind, const char *match, const char *other)
{
    struct part *p = &s->parts[s->part_count++];

    p->kind = kind;
    p->rules[0] = rule_read(match);
    if (other == NULL)
        return;
    p->rules[1] = rule_read(other);
    s->switched = s->part_count - 1;
}

static void address_read(struct pkt_key *key, const char *text, uint8_t octets[16])
{
    key->family = strchr(text, ':') != NULL ? IP_V6 : IP_V4;
    model_expect(inet_pton(key->family == IP_V6 ? AF_INET6 : AF_INET, text, octets) == 1, 0, "address %s", text);
}

/* Of UDP. */
static void packet(struct scene *s, const char *source, unsigned source_port, const char *destination, unsigned port)
{
    struct pkt_key *key = &s->keys[s->key_count++];

    address_read(key, source, key->src);
    address_read(key, destination, key->dst);
    key->protocol = 17;
    key->length = 100;
    key->has = PKT_HAS_PORTS;
    key->src_port = (uint16_t)source_port;
    key->dst_port = (uint16_t)port;
}

/*
 * Destinations of one length. Two rules of a host come and go in every order: the box beside the host is that of the
 * one that came first, and not of the one that is left.
 */
static void hosts_fill(struct scene *s)
{
    part(s, STAYS, "match destination 192.0.2.1/32 protocol =udp", NULL);
    part(s, COMES, "match destination 192.0.2.7/32 source-port =123", NULL);
    part(s, COMES, "match destination 192.0.2.7/32 source-port =53", NULL);
    part(s, STAYS, "match destination 192.0.2.9/32 protocol =udp", "match destination 192.0.2.9/32 source-port =53");
    packet(s, "198.51.100.1", 53, "192.0.2.7", 4000);
    packet(s, "198.51.100.1", 123, "192.0.2.7", 4000);
    packet(s, "198.51.100.1", 99, "192.0.2.7", 4000);
    packet(s, "198.51.100.1", 53, "192.0.2.1", 4000);
    packet(s, "198.51.100.1", 53, "192.0.2.9", 4000);
    packet(s, "198.51.100.1", 53, "192.0.2.8", 4000);
}

/* Destinations of one length, with sources of none, one and two lengths: one host always has one, the other has not. */
static void sources_fill(struct scene *s)
{
    static const char *const SOURCES[] = {"2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3", "2001:db8:3::1"};

    part(s, STAYS, "match destination 2001:db8::7/128 protocol =udp", NULL);
    part(s, COMES, "match destination 2001:db8::7/128 destination-port =53", NULL);
    part(s, COMES, "match destination 2001:db8::7/128 source 2001:db8:1::1/128 destination-port =53", NULL);
    part(s, COMES, "match destination 2001:db8::7/128 source 2001:db8:1::/64", NULL);
    part(s, STAYS, "match destination 2001:db8::9/128 source 2001:db8:1::1/128", NULL);
    part(s, COMES, "match destination 2001:db8::9/128 source 2001:db8:1::2/128", NULL);
    part(s, COMES, "match destination 2001:db8::9/128 source 2001:db8:1::/64", NULL);
    part(s, COMES, "match destination 2001:db8::9/128 protocol =udp", NULL);
    part(s, STAYS, "match destination 2001:db8::9/128 source 2001:db8:3::1/128",
         "match destination 2001:db8::9/128 source 2001:db8:3::1/128 protocol =udp");
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++) {
        packet(s, SOURCES[i], 4000, "2001:db8::7", 53);
        packet(s, SOURCES[i], 4000, "2001:db8::7", 80);
        packet(s, SOURCES[i], 4000, "2001:db8::9", 53);
    }
}

/*
 * Hosts with and without sources, and networks around them. The hosts that come and go are most of the destinations
 * while they are there, and not when they have gone.
 */
static void covered_fill(struct scene *s)
{
    part(s, STAYS, "match destination 192.0.2.0/24 protocol =udp", NULL);
    part(s, STAYS, "match destination 192.0.2.0/28 destination-port =53", NULL);
    part(s, COMES, "match destination 192.0.0.0/16 source-port =53", NULL);
    part(s, STAYS, "match destination 192.0.2.1/32 source-port =123", NULL);
    part(s, COMES, "match destination 192.0.2.2/32 source-port =123", NULL);
    part(s, COMES, "match destination 192.0.2.2/32 source-port =53", NULL);
    part(s, COMES, "match destination 192.0.2.3/32 source-port =53", NULL);
    part(s, STAYS, "match destination 192.0.2.4/32 source 198.51.100.1/32", NULL);
    part(s, COMES, "match destination 192.0.2.4/32 source 198.51.100.2/32", NULL);
    part(s, COMES, "match destination 192.0.2.4/32 source 198.51.100.0/24 destination-port =53", NULL);
    part(s, COMES, "match destination 192.0.2.4/32 source-port =53", NULL);
    part(s, STAYS, "match destination 192.0.2.0/26 source-port =53", "match destination 192.0.2.0/26 source-port =123");
    for (unsigned host = 1; host <= 5; host++) {
        char text[16];
        snprintf(text, sizeof text, "192.0.2.%u", host);
        packet(s, "198.51.100.1", 53, text, 53);
        packet(s, "198.51.100.2", 123, text, 53);
        packet(s, "198.51.100.3", 53, text, 80);
        packet(s, "203.0.113.1", 123, text, 80);
        packet(s, "203.0.113.1", 99, text, 80);
    }
}

/* The lowest port of the i-th rule: neighbours overlap, share a cell, or are alone in theirs. */
static unsigned cells_port_of(unsigned i)
{
    return 1000 + 4 * i * i;
}

/* No destinations, and so many narrow ranges of ports that they are in cells; with those that stay alone, too. */
static void cells_fill(struct scene *s)
{
    char text[80];

    for (unsigned i = 0; i < CELLS_PARTS - 1; i++) {
        snprintf(text, sizeof text, "match protocol =udp destination-port >=%u&<=%u", cells_port_of(i),
                 cells_port_of(i) + 63);
        part(s, i % 3 == 0 ? STAYS : COMES, text, NULL);
    }
    part(s, STAYS, "match protocol =udp destination-port >=5&<=40", "match protocol =udp destination-port >=30&<=900");
    packet(s, "198.51.100.1", 4000, "192.0.2.7", 35);
    for (unsigned i = 0; i < PACKETS - 1; i++)
        packet(s, "198.51.100.1", 4000, "192.0.2.7", cells_port_of(2 * i) + 30);
}

/* Rule i of many of a destination with an index: wide in every field, most of them, and so in its trees. */
static void range_part(struct scene *s, enum part_kind kind, const char *destination, unsigned i)
{
    unsigned port = i * 7919 % 50000, length = i * 31 % 600;
    char match[64], text[160];

    if (i % 8 == 1) /* by its narrow field */
        snprintf(match, sizeof match, "packet-length >=%u&<=%u dscp =0", length, length + 700);
    else if (i % 8 == 2) /* by a value */
        snprintf(match, sizeof match, "packet-length =%u destination-port >=%u", 100 * (i % 12), port);
    else if (i % 8 == 3) /* by a cell */
        snprintf(match, sizeof match, "destination-port >=%u&<=%u", port, port + 400);
    else
        snprintf(match, sizeof match, "destination-port >=%u&<=%u packet-length >=%u&<=%u", port, port + 15000 + i,
                 length, length + 800);
    snprintf(text, sizeof text, "match destination %s %s", destination, match);
    part(s, kind, text, NULL);
}

/* The i-th packet, so that they differ in what range_part asks for. */
static void range_packet(struct scene *s, const char *destination, unsigned i)
{
    packet(s, destination, 4000, destination, 2000 * i);
    s->keys[s->key_count - 1].length = 100 * (i % 15);
}

/* One destination with trees of some levels. */
static void ranges_fill(struct scene *s)
{
    for (unsigned i = 0; i < PARTS_MAX - 1; i++)
        range_part(s, i % 5 == 0 ? STAYS : COMES, "192.0.2.1/32", i);
    part(s, STAYS, "match destination 192.0.2.1/32 destination-port >=500&<=40000",
         "match destination 192.0.2.1/32 destination-port >=30000&<=65000");
    for (unsigned i = 0; i < PACKETS - 1; i++)
        range_packet(s, "192.0.2.1", i);
    range_packet(s, "192.0.2.2", 0);
}

/*
 * Destinations with an index each that come and go wholly, one in the place of another: there are so few buckets that
 * some share one. Beside one that stays.
 */
static void parties_fill(struct scene *s)
{
    char text[24];

    for (unsigned i = 0; i < PARTY_MAX; i++)
        range_part(s, STAYS, "192.0.2.100/32", i);
    part(s, STAYS, "match destination 192.0.2.100/32 destination-port >=500&<=40000",
         "match destination 192.0.2.100/32 destination-port >=30000&<=65000");
    for (unsigned party = 1; s->part_count + PARTY_MAX <= PARTS_MAX; party++) {
        snprintf(text, sizeof text, "192.0.2.%u/32", party);
        for (unsigned i = 0; i < PARTY_MAX; i++) {
            range_part(s, COMES, text, 5 + party + i);
            s->parts[s->part_count - 1].party = party;
        }
        snprintf(text, sizeof text, "192.0.2.%u", party);
        for (unsigned i = 0; i < 2; i++)
            range_packet(s, text, party + 9 * i);
    }
    while (s->key_count < PACKETS)
        range_packet(s, "192.0.2.100", s->key_count - 10);
}

/* More than half of all destinations, so that their length comes first. */
static void left_hosts(struct scene *s)
{
    char text[80];

    for (unsigned i = 1; i <= 24; i++) {
        snprintf(text, sizeof text, "match destination 192.0.2.%u/32 source-port =%u", i, i % 2 == 0 ? 53 : 123);
        part(s, i % 3 == 0 ? COMES : STAYS, text, NULL);
    }
    part(s, COMES, "match destination 192.0.2.3/32 destination-port =53,=80", NULL);
}

/* Of lengths of their own, far apart but for two; with a list each, a rule to judge, several, or sources. */
static void left_networks(struct scene *s)
{
    part(s, STAYS, "match destination 203.0.16.0/31 destination-port =53,=80,=123", NULL);
    part(s, COMES, "match destination 203.0.32.0/30 destination-port =53,=99", NULL);
    part(s, COMES, "match destination 203.0.48.0/28 protocol =udp destination-port =53,=443,=80", NULL);
    part(s, STAYS, "match destination 203.0.64.0/22 port =4000 packet-length >=50&<=90,>=95", NULL);
    part(s, COMES, "match destination 203.0.64.0/22 source-port =4000", NULL);
    part(s, COMES, "match destination 203.0.80.0/23 source 198.51.100.1/32 destination-port =53", NULL);
    part(s, COMES, "match destination 203.0.80.0/23 source 198.51.100.1/32 destination-port =80", NULL);
    part(s, STAYS, "match destination 203.0.80.0/23 source 198.51.100.2/32 destination-port =53,=80", NULL);
    part(s, COMES, "match destination 203.0.80.0/23 source 198.51.100.0/24", NULL);
    part(s, COMES, "match destination 203.0.80.0/23 protocol =udp", NULL);
    part(s, STAYS, "match destination 203.0.96.0/20 destination-port =53,=80", NULL);
    part(s, COMES, "match destination 203.0.128.0/25 destination-port =53", NULL);
    part(s, STAYS, "match destination 203.0.128.0/24 destination-port =53,=80", NULL);
    part(s, STAYS, "match destination 203.0.112.8/29 destination-port =53",
         "match destination 203.0.112.8/29 port =53");
}

/* Without a destination, in cells: alone in theirs, several, or one by each port. Never so few that there are none. */
static void left_cells(struct scene *s)
{
    char text[80];

    for (unsigned i = 0; i < 40; i++) {
        unsigned port = i % 4 == 3 ? 5000 : 1000 + 130 * i;
        snprintf(text, sizeof text, "match %s-port >=%u&<=%u", i % 5 == 4 ? "source" : "destination", port,
                 port + 60 + i);
        part(s, i % 2 == 0 ? STAYS : COMES, text, NULL);
    }
}

/* The i-th of 32. */
static void left_packet(struct scene *s, unsigned i)
{
    static const char *const DESTINATIONS[] = {"203.0.16.1", "203.0.32.3",  "203.0.48.9", "203.0.64.1",
                                               "203.0.80.1", "203.0.80.2",  "203.0.96.7", "203.0.112.9",
                                               "192.0.2.3",  "203.0.128.1", "192.0.2.99"};
    static const unsigned PORTS[] = {53, 80, 1300, 5010};
    static const unsigned SOURCE_PORTS[] = {1530, 4000, 53};

    char source[16];

    snprintf(source, sizeof source, "198.51.100.%u", 1 + i % 3);
    packet(s, source, SOURCE_PORTS[i % 7 % 3], DESTINATIONS[i % 11], PORTS[i * 7 / 11 % 4]);
}

/* What the hosts leave over, in a small table. */
static void left_fill(struct scene *s)
{
    left_networks(s);
    left_hosts(s);
    left_cells(s);
    for (unsigned i = 0; i < PACKETS; i++)
        left_packet(s, i);
}

/* The same, and the other family beside it in each burst, whose rules without a destination are in trees. */
static void families_fill(struct scene *s)
{
    char text[100];

    left_networks(s);
    left_hosts(s);
    left_cells(s);
    for (unsigned i = 0; i < 40; i++) {
        range_part(s, i % 2 == 0 ? STAYS : COMES, "2001:db8::1/128", i);
        snprintf(text, sizeof text, "match family ipv6 destination-port >=%u&<=%u packet-length >=%u", 900 * i,
                 900 * i + 20000, 50 * (i % 13));
        part(s, i % 3 == 0 ? STAYS : COMES, text, NULL);
    }
    part(s, COMES, "match destination 2001:db8::/64 destination-port =4000,=8000", NULL);
    part(s, COMES, "match destination 2001:db8::2/128 source 2001:db8::2/128", NULL);
    for (unsigned i = 0; i < PACKETS / 2; i++) {
        left_packet(s, 2 * i + i % 2);
        range_packet(s, i % 3 == 2 ? "2001:db8::2" : "2001:db8::1", 2 * i);
    }
}

static const struct {
    const char *name;
    void (*fill)(struct scene *s);
} SCENES[] = {{"hosts", hosts_fill}, {"sources", sources_fill},  {"covered", covered_fill},
              {"cells", cells_fill}, {"ranges", ranges_fill},    {"parties", parties_fill},
              {"left", left_fill},   {"families", families_fill}};

static void part_set_add(struct part_set *set, unsigned i, bool is)
{
    set->words[i / 64] |= (uint64_t)is << i % 64;
}

/* The fault's text is for people; the count is what fails the test. */
static void fault_if(struct scene *s, bool wrong, const char *what)
{
    if (wrong && atomic_fetch_add(&s->faults, 1) < 5)
        fprintf(stderr, "%s\n", what);
}

/* The place of the first part of the set that the packet matches, at the latest. */
static unsigned place_wanted(const struct scene *s, unsigned k, const struct part_set *set)
{
    unsigned wanted = UINT32_MAX;

    for (unsigned word = 0; word < SET_WORDS; word++) {
        for (uint64_t left = set->words[word] & s->parts_of[k].words[word]; left != 0; left &= left - 1) {
            const struct part *p = &s->parts[64 * word + (unsigned)__builtin_ctzll(left)];
            wanted = p->last < wanted ? p->last : wanted;
        }
    }
    return wanted;
}

/* `held`: the parts that were there all the time. */
static void answer_check(struct scene *s, unsigned k, uint32_t id, const struct part_set *held)
{
    unsigned wanted = place_wanted(s, k, held);

    if (id == CLS_NO_MATCH) {
        fault_if(s, wanted != UINT32_MAX, "a rule that is there is not found");
        return;
    }
    if (id > s->part_count || !(s->parts[id - 1].matches >> k & 1))
        fault_if(s, true, "the answer is a rule that does not match");
    else
        fault_if(s, s->parts[id - 1].first > wanted, "the answer is a rule behind one that is there");
}

static void burst_check(struct scene *s, const struct cls *cls)
{
    unsigned turns[PARTS_MAX];
    uint32_t ids[PACKETS];
    struct part_set held = {{0}};

    for (unsigned i = 0; i < s->part_count; i++)
        turns[i] = atomic_load(&s->parts[i].turn);
    cls_match_burst(cls, s->keys, ids, PACKETS);
    for (unsigned i = 0; i < s->part_count; i++)
        part_set_add(&held, i, turns[i] % 2 == 1 && turns[i] == atomic_load(&s->parts[i].turn));
    for (unsigned k = 0; k < PACKETS; k++)
        answer_check(s, k, ids[k], &held);
}

static void *reader_run(void *arg)
{
    struct reader *self = arg;
    struct scene *s = self->scene;
    const struct cls *cls = cls_replica(s->cls, self->number % cls_replicas(s->cls));

    rcu_reader_online(s->rcu, self->number);
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        burst_check(s, cls);
        atomic_fetch_add_explicit(&s->bursts, 1, memory_order_relaxed);
        rcu_quiescent(s->rcu, self->number);
    }
    rcu_reader_offline(s->rcu, self->number);
    return NULL;
}

/* An end that readers may see (of the turn) is told before the rule goes, a beginning when it has come. */
static int part_toggle(struct scene *s, unsigned i)
{
    struct part *p = &s->parts[i];

    if (atomic_load(&p->turn) % 2 == 1) {
        atomic_fetch_add(&p->turn, 1);
        return cls_rule_remove(s->cls, i + 1);
    }
    int rc = cls_rule_add(s->cls, i + 1, p->rules[p->now]);
    atomic_fetch_add(&p->turn, 1);
    return rc;
}

/* All parts of a party, one after the other. */
static int party_toggle(struct scene *s, unsigned party)
{
    int rc = 0;

    for (unsigned i = 0; i < s->part_count && rc == 0; i++)
        rc = s->parts[i].party == party ? part_toggle(s, i) : 0;
    return rc;
}

/* The switched part is replaced by its other rule, and never absent: its turn goes on. */
static int scene_change(struct scene *s, struct random *random)
{
    struct part *switched = &s->parts[s->switched];
    unsigned i = random_below(random, s->part_count);

    if (random_one_in(random, REPLACE_ONE_IN)) {
        switched->now ^= 1;
        return cls_rule_add(s->cls, s->switched + 1, switched->rules[switched->now]);
    }
    if (s->parts[i].party != 0)
        return random_one_in(random, PARTY_MAX) ? party_toggle(s, s->parts[i].party) : 0;
    return s->parts[i].kind == STAYS ? 0 : part_toggle(s, i);
}

static unsigned rank_of(const struct scene *s, const struct fs_rule *rule)
{
    unsigned rank = 0;

    for (unsigned i = 0; i < 2 * s->part_count; i++) {
        const struct fs_rule *other = s->parts[i / 2].rules[i % 2];
        rank += other != NULL && fs_rule_compare(other, rule) < 0;
    }
    return rank;
}

static void part_prepare(struct scene *s, unsigned i)
{
    struct part *p = &s->parts[i];
    const struct fs_rule *other = p->rules[p->rules[1] != NULL];
    unsigned ranks[2] = {rank_of(s, p->rules[0]), rank_of(s, other)};

    p->first = ranks[ranks[1] < ranks[0]];
    p->last = ranks[ranks[1] > ranks[0]];
    for (unsigned k = 0; k < PACKETS; k++) {
        bool one = naive_match(p->rules[0], &s->keys[k]), two = naive_match(other, &s->keys[k]);
        p->matches |= (uint64_t)(one || two) << k;
        part_set_add(&s->parts_of[k], i, one && two);
    }
}

static struct scene *scene_create(struct cls_conf engine, void (*fill)(struct scene *s))
{
    struct scene *s = aligned_alloc(_Alignof(struct scene), sizeof *s);

    if (s == NULL)
        abort();
    memset(s, 0, sizeof *s);
    fill(s);
    for (unsigned k = s->key_count; k < PACKETS; k++)
        s->keys[k] = s->keys[k - s->key_count];
    s->rcu = rcu_create(READERS);
    engine.rcu = s->rcu;
    s->cls = cls_create(&engine);
    for (unsigned i = 0; i < s->part_count; i++) {
        part_prepare(s, i);
        model_expect(s->parts[i].kind == COMES || part_toggle(s, i) == 0, 0, "no room for rule %u", i + 1);
    }
    return s;
}

static void scene_free(struct scene *s)
{
    cls_free(s->cls);
    rcu_free(s->rcu);
    for (unsigned i = 0; i < 2 * s->part_count; i++)
        fs_rule_free(s->parts[i / 2].rules[i % 2]);
    free(s);
}

static void scene_write(struct scene *s, unsigned long changes)
{
    struct random random = {.state = 8955};

    for (unsigned long n = 0; n < changes || atomic_load(&s->bursts) < BURSTS_MIN; n++) {
        int rc = scene_change(s, &random);
        model_expect(rc == 0, n, "a change gives %d", rc);
        rcu_reclaim(s->rcu);
    }
}

static void scene_play(struct scene *s, const char *name, unsigned long changes)
{
    struct reader readers[READERS];
    pthread_t threads[READERS];

    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){s, i};
        model_expect(pthread_create(&threads[i], NULL, reader_run, &readers[i]) == 0, 0, "no thread");
    }
    scene_write(s, changes);
    atomic_store(&s->stop, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    printf("  %s: %lu bursts during %lu changes\n", name, atomic_load(&s->bursts), changes);
    model_expect(atomic_load(&s->faults) == 0, changes, "%s: %lu faults", name, atomic_load(&s->faults));
}

void reader_scenes_run(struct cls_conf engine, unsigned long changes)
{
    for (size_t i = 0; i < sizeof SCENES / sizeof SCENES[0]; i++) {
        struct scene *s = scene_create(engine, SCENES[i].fill);
        scene_play(s, SCENES[i].name, changes);
        scene_free(s);
    }
}
