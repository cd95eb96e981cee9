/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgbench validate: what vetting costs, in a whole router that is started for it.
 *
 * First, rules that all arrive at once from a peer with every step of validation on: routes to rest on, a policy with
 * every limit, protected traffic, a full window of live traffic, breaker and journal. How many verdicts of which kind
 * there must be is known beforehand and checked: a step that is off would show.
 *
 * Then, what it costs a worker that headers are sampled: the same router forwards traffic as fast as it can, and a
 * reload switches sampling on and off by turns. Packets are counted against the worker's own time on the processor,
 * which no other program on the machine adds to; pairs are compared, and the median of the pairs counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "bench.h"
#include "bgp_feed.h"
#include "capture.h"
#include "daemon.h"

#define VERDICTS_TARGET_PER_S 20000.0
#define VERDICTS_WITHIN_S     120.0
#define START_WITHIN_S        30.0
#define WINDOW_SAMPLES        4096 /* all that the router keeps */
#define FRAMES                1024
#define WORKER                "worker" /* in its thread's name */
#define PHASE_S               0.25
#define QUICK_PHASE_S         0.05
#define QUICK_PAIRS           3
#define PAIRS_MAX             99
#define ASK_US                30000

static const char HEAD[] =
    "router: {id: 192.0.2.1, asn: 65000}\n"
    "dataplane: {workers: [1], hugepages: \"off\", memory: 1024, max-rules: 2000000, idle: poll}\n"
    "ports:\n"
    "  - {name: wan, device: \"net_pcap0,rx_pcap=in.pcap,infinite_rx=1\", mode: wire, peer: lan}\n"
    "  - {name: lan, device: \"net_null0,no-rx=1\", mode: wire, peer: wan, flowspec: false}\n"
    "api: {socket: api.sock}\n";

/* Every step has something to do for every rule, and every limit is one that can be met. */
static const char EVERY_STEP[] =
    "  peers:\n"
    "    - {name: feed, address: " FEED_ADDRESS ", asn: 65001, passive: true, validation: rfc9117, policy: vetted,\n"
    "       hold-time: 0, families: [ipv4-unicast, ipv4-flowspec]}\n"
    "policies:\n"
    "  vetted: {destinations: from-routes, min-length: {ipv4: 32, ipv6: 128}, min-source-length: {ipv4: 24},\n"
    "           required-components: [destination, protocol], forbidden-components: [flow-label, dscp],\n"
    "           actions: [discard, rate-limit], min-rate: 1mbps, max-rules: 2000000,\n"
    "           max-rules-per-destination: 100, max-changes: 1000000, cost-budget: 1000000000, max-age: 86400,\n"
    "           idle-age: 86400}\n"
    "protect:\n"
    "  - match destination " FEED_PROTECTED " protocol udp\n"
    "  - {match: match protocol tcp port 179, unless-longer-than: 24}\n"
    "  - match destination 192.0.2.0/24\n"
    "  - {match: match protocol udp destination-port 53, unless-longer-than: 28}\n"
    "guard: {max-drop-share: 20, max-byte-share: 20, max-protocol-share: 60, max-destination-share: 90, window: 3600,\n"
    "        sample: 10}\n"
    "journal: {file: journal, max-size: 1024}\n";

/* `bgp` is the section after its listener; NULL: none. */
static bool start(struct daemon *daemon, const char *bgp)
{
    static const char *const WORDS[DAEMON_WORDS_MAX] = {"-c", "conf", NULL};
    char path[128];

    if (!daemon_prepare(daemon))
        return false;
    snprintf(path, sizeof path, "%s/in.pcap", daemon->folder);
    bool fine = capture_write(path, FRAMES);
    if (bgp != NULL)
        fine = fine && daemon_file(daemon, "conf", "%sbgp:\n  listen: [{address: 127.0.0.1, port: %u}]\n%s", HEAD,
                                   daemon->port, bgp);
    else
        fine = fine && daemon_file(daemon, "conf", "%s", HEAD);
    return fine && daemon_run(daemon, NULL, WORDS);
}

/* The number at OBJECT.KEY of what `fgctl -j COMMAND` answers; -1: there is none. */
static double ask_number(const struct daemon *daemon, const char *command, const char *object, const char *key)
{
    char *answer = daemon_ask(daemon, command);
    json_t *root = json_loads(answer, 0, NULL);
    const json_t *in = object != NULL ? json_object_get(root, object) : root;
    const json_t *value = json_object_get(in, key);
    double number = json_is_number(value) ? json_number_value(value) : -1;

    json_decref(root);
    free(answer);
    return number;
}

static bool wait_for(const struct daemon *daemon, const char *command, const char *object, const char *key,
                     double least)
{
    double until = bench_seconds() + START_WITHIN_S;

    while (ask_number(daemon, command, object, key) < least) {
        if (bench_seconds() > until) {
            fprintf(stderr, "fgbench: the router's %s stays below %.0f\n", key, least);
            return false;
        }
        usleep(10000);
    }
    return true;
}

static struct bench_record record_of(const char *family, const char *traffic, unsigned rules)
{
    struct bench_record record = bench_record_empty();

    record.bench = "validate";
    record.family = family;
    record.engine = "floodgate";
    record.traffic = traffic;
    record.ip = 4;
    record.rules = rules;
    return record;
}

/* ---- verdicts ---- */

struct verdicts {
    double active, rejected, never_matches;
};

static struct verdicts verdicts_now(const struct daemon *daemon)
{
    char *answer = daemon_ask(daemon, "status");
    json_t *root = json_loads(answer, 0, NULL);
    const json_t *rules = json_object_get(root, "rules");
    struct verdicts verdicts = {.active = json_number_value(json_object_get(rules, "active")),
                                .rejected = json_number_value(json_object_get(rules, "rejected")),
                                .never_matches = json_number_value(json_object_get(rules, "never-matches"))};

    json_decref(root);
    free(answer);
    return verdicts;
}

static bool verdicts_wait(const struct daemon *daemon, const struct feed_vetted *expected)
{
    double until = bench_seconds() + VERDICTS_WITHIN_S;
    struct verdicts now;

    do {
        now = verdicts_now(daemon);
        if (now.active + now.rejected + now.never_matches >= expected->active + expected->rejected + expected->never)
            break;
        usleep(ASK_US); /* asking takes time of the same core */
    } while (bench_seconds() < until);
    if ((unsigned)now.active == expected->active && (unsigned)now.rejected == expected->rejected &&
        (unsigned)now.never_matches == expected->never)
        return true;
    fprintf(stderr, "fgbench: active %.0f, rejected %.0f, never-matches %.0f; %u, %u and %u were to be\n", now.active,
            now.rejected, now.never_matches, expected->active, expected->rejected, expected->never);
    return false;
}

/* The peer's routes are in, and the window of live traffic is full. */
static bool stage_set(const struct daemon *daemon, int fd)
{
    struct feed routes = {0};
    double until = bench_seconds() + START_WITHIN_S;
    bool there = false;
    bool fine = feed_vetted_routes(&routes) && feed_send(fd, &routes) &&
                wait_for(daemon, "status", "vetting", "samples", WINDOW_SAMPLES);

    while (fine && !there && bench_seconds() < until) {
        char *answer = daemon_ask(daemon, "routes " FEED_LAST_ROUTE);
        there = strstr(answer, FEED_LAST_ROUTE) != NULL;
        free(answer);
    }
    feed_free(&routes);
    return there;
}

static bool verdicts_feed(const struct daemon *daemon, unsigned count, int fd)
{
    struct feed rules = {0};
    struct feed_vetted expected;
    bool fine = feed_vetted_rules(&rules, count, &expected) && stage_set(daemon, fd);
    double wall = bench_seconds(), cpu = daemon_thread_seconds(daemon, NULL);

    fine = fine && feed_send(fd, &rules) && verdicts_wait(daemon, &expected);
    if (fine) {
        struct bench_record record = record_of("verdicts", "every-step", count);
        record.build_s = bench_seconds() - wall;
        record.cpu_s = daemon_thread_seconds(daemon, NULL) - cpu;
        record.per_second = count / record.build_s;
        record.ratio = record.per_second / VERDICTS_TARGET_PER_S;
        bench_record_add(&record);
    }
    feed_free(&rules);
    return fine;
}

static bool measure_verdicts(unsigned count)
{
    struct daemon daemon = {0};
    int fd = start(&daemon, EVERY_STEP) ? feed_connect(daemon.port) : -1;
    bool fine = fd >= 0 && verdicts_feed(&daemon, count, fd);

    if (fd >= 0)
        close(fd);
    daemon_stop(&daemon);
    return fine;
}

/* ---- sampling ---- */

/* The configuration gets a guard that samples one packet in `one_in` (0: no guard), and the router reloads it. */
static bool sampling_set(const struct daemon *daemon, unsigned one_in)
{
    bool fine;

    if (one_in > 0)
        fine = daemon_file(daemon, "conf", "%sguard: {max-drop-share: 50, window: 30, sample: %u}\n", HEAD, one_in);
    else
        fine = daemon_file(daemon, "conf", "%s", HEAD);
    char *answer = fine ? daemon_ask(daemon, "reload") : NULL;
    fine = answer != NULL && answer[0] != '\0';
    free(answer);
    return fine;
}

static double packets_received(const struct daemon *daemon)
{
    return ask_number(daemon, "counters", NULL, "rx_packets");
}

/* Packets for each second that the worker had the processor, which it has for `seconds` at least. */
static double phase_run(const struct daemon *daemon, double seconds)
{
    double before = daemon_thread_seconds(daemon, WORKER), packets = packets_received(daemon), had;
    double until = bench_seconds() + START_WITHIN_S;

    do {
        usleep((useconds_t)(seconds * 1e6));
        had = daemon_thread_seconds(daemon, WORKER) - before;
    } while (had < seconds / 2 && bench_seconds() < until);
    packets = packets_received(daemon) - packets;
    had = daemon_thread_seconds(daemon, WORKER) - before;
    return had > 0 ? packets / had : 0;
}

/* Pairs with and without, the order changing from pair to pair. */
static bool measure_sampling(const struct daemon *daemon, unsigned one_in, unsigned pairs, double seconds)
{
    double with[PAIRS_MAX], ratio[PAIRS_MAX];
    char traffic[32];

    for (unsigned i = 0; i < pairs; i++) {
        double by_state[2];
        for (unsigned n = 0; n < 2; n++) {
            bool on = (n ^ i) & 1;
            if (!sampling_set(daemon, on ? one_in : 0))
                return false;
            by_state[on] = phase_run(daemon, seconds);
        }
        if (!(by_state[0] > 0))
            return false;
        with[i] = by_state[1];
        ratio[i] = by_state[1] / by_state[0];
    }
    snprintf(traffic, sizeof traffic, "1-in-%u", one_in);
    struct bench_record record = record_of("sampling", traffic, 0);
    double median = bench_median(ratio, pairs);
    record.mpps = bench_median(with, pairs) / 1e6;
    record.ratio = median;
    record.worker_loss_percent = median < 1 ? 100 * (1 - median) : 0;
    bench_record_add(&record);
    return true;
}

static bool measure_samplings(const struct bench_options *options)
{
    static const unsigned ONE_IN[] = {1000, 100};
    unsigned pairs = options->quick ? QUICK_PAIRS : (unsigned)(options->seconds / PHASE_S / 2 + 1);
    struct daemon daemon = {0};
    bool fine = start(&daemon, NULL) && wait_for(&daemon, "counters", NULL, "rx_packets", FRAMES);

    if (pairs > PAIRS_MAX)
        pairs = PAIRS_MAX;
    for (size_t i = 0; fine && i < sizeof ONE_IN / sizeof ONE_IN[0]; i++)
        fine = measure_sampling(&daemon, ONE_IN[i], pairs, options->quick ? QUICK_PHASE_S : PHASE_S);
    daemon_stop(&daemon);
    return fine;
}

int bench_validate(const struct bench_options *options)
{
    unsigned count = options->rules != 0 ? options->rules : options->quick ? 2000 : 100000;

    bool fine = measure_verdicts(count);
    return measure_samplings(options) && fine ? 0 : 1;
}
