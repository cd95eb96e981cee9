/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgbench bgp: rules from a BGP session to active in the classifier, and a table of unicast routes into the RIB beside
 * BIRD and GoBGP with the same octets. Daemons are started in a folder of their own and ended again.
 *
 * A table is in when the receiver has read the CEASE that follows it, and closes. BIRD and Floodgate work on each
 * message as they read it; GoBGP reads ahead of its work, so its rate is flattered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bgp_feed.h"
#include "daemon.h"

#define RULES_TARGET_PER_S 50000.0
#define ACTIVE_WITHIN_S    120.0

static const char FLOODGATE_CONF[] = FEED_ROUTER "    - {name: feed, address: " FEED_ADDRESS
                                                 ", asn: 65001, passive: true, validation: none, hold-time: 0,\n"
                                                 "       families: [ipv4-unicast, ipv4-flowspec]}\n"
                                                 "api: {socket: api.sock}\n";

static const char BIRD_CONF[] =
    "log stderr { fatal };\nrouter id 192.0.2.1;\nflow4 table flow4tab;\nprotocol device { }\n"
    "protocol bgp feed {\n  local 127.0.0.1 port %u as 65000;\n  strict bind yes;\n  passive yes;\n"
    "  neighbor " FEED_ADDRESS " as 65001;\n  multihop;\n  hold time 0;\n"
    "  ipv4 { import all; export none; };\n  flow4 { table flow4tab; import all; export none; };\n}\n";

static const char GOBGP_CONF[] =
    "[global.config]\n  as = 65000\n  router-id = \"192.0.2.1\"\n  port = %u\n  local-address-list = [\"127.0.0.1\"]\n"
    "[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"" FEED_ADDRESS "\"\n    peer-as = 65001\n"
    "  [neighbors.transport.config]\n    passive-mode = true\n"
    "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"ipv4-unicast\"\n";

enum { FLOODGATE, BIRD, GOBGP, ENGINES };

static const struct {
    const char *name, *conf, *program;
    const char *args[DAEMON_WORDS_MAX];
} engines[ENGINES] = {
    [FLOODGATE] = {"floodgate", FLOODGATE_CONF, NULL, {"-c", "conf", NULL}},
    [BIRD] = {"bird", BIRD_CONF, "bird", {"-f", "-c", "conf", "-s", "bird.ctl", NULL}},
    [GOBGP] = {"gobgpd", GOBGP_CONF, "gobgpd", {"-f", "conf", "--api-hosts=127.0.0.1:0", "--pprof-disable", NULL}},
};

static bool daemon_start(struct daemon *daemon, unsigned engine)
{
    if (!daemon_prepare(daemon))
        return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    bool fine = daemon_file(daemon, "conf", engines[engine].conf, daemon->port);
#pragma GCC diagnostic pop
    return fine && daemon_run(daemon, engines[engine].program, engines[engine].args);
}

/* Rules that are active, as `fgctl status` says. */
static unsigned rules_active(const struct daemon *daemon)
{
    char *answer = daemon_ask(daemon, "status");
    const char *at = strstr(answer, "\"active\":");
    unsigned count = at != NULL ? (unsigned)strtoul(at + 9, NULL, 10) : 0;

    free(answer);
    return count;
}

/* What it cost one daemon to take something in. */
struct cost {
    double seconds, cpu_s, memory;
};

static struct cost cost_begin(const struct daemon *daemon)
{
    return (struct cost){
        .seconds = bench_seconds(), .cpu_s = daemon_cpu_seconds(daemon), .memory = daemon_memory_peak(daemon)};
}

static void cost_end(struct cost *cost, const struct daemon *daemon)
{
    cost->seconds = bench_seconds() - cost->seconds;
    cost->cpu_s = daemon_cpu_seconds(daemon) - cost->cpu_s;
    cost->memory = daemon_memory_peak(daemon) - cost->memory;
}

static void report(const char *engine, const char *what, unsigned count, const struct cost *cost, double ratio)
{
    struct bench_record record = bench_record_empty();

    record.bench = "bgp";
    record.family = what;
    record.engine = engine;
    record.traffic = "feed";
    record.ip = 4;
    record.rules = count;
    record.build_s = cost->seconds;
    record.cpu_s = cost->cpu_s;
    record.per_second = count / cost->seconds;
    record.memory_bytes = cost->memory;
    record.ratio = ratio;
    bench_record_add(&record);
}

static bool measure_rules(unsigned count)
{
    struct feed feed = {0};
    struct daemon daemon;
    bool fine = feed_rules(&feed, count) && daemon_start(&daemon, FLOODGATE);
    int fd = fine ? feed_connect(daemon.port) : -1;

    if (fd >= 0) {
        struct cost cost = cost_begin(&daemon);
        double until = bench_seconds() + ACTIVE_WITHIN_S;
        fine = feed_send(fd, &feed);
        while (fine && rules_active(&daemon) < count)
            fine = bench_seconds() < until;
        cost_end(&cost, &daemon);
        if (fine)
            report("floodgate", "rules", count, &cost, count / cost.seconds / RULES_TARGET_PER_S);
        else
            fprintf(stderr, "fgbench: %u of %u rules are active\n", rules_active(&daemon), count);
        close(fd);
    }
    if (feed.octets != NULL)
        daemon_stop(&daemon);
    feed_free(&feed);
    return fine && fd >= 0;
}

/* False when the daemon did not take the table in. */
static bool measure_routes(const struct feed *feed, unsigned engine, struct cost *cost)
{
    struct daemon daemon;

    if (!daemon_start(&daemon, engine))
        return false;
    int fd = feed_connect(daemon.port);
    bool fine = fd >= 0;
    if (fine) {
        *cost = cost_begin(&daemon);
        fine = feed_send(fd, feed) && feed_close(fd);
        cost_end(cost, &daemon);
        close(fd);
    }
    daemon_stop(&daemon);
    return fine;
}

static bool installed(unsigned engine)
{
    char command[64];

    snprintf(command, sizeof command, "command -v %s >/dev/null", engines[engine].program);
    return engines[engine].program == NULL || system(command) == 0;
}

static bool measure_tables(unsigned count, uint64_t seed, bool only_ours)
{
    struct feed feed = {0};
    struct cost ours = {0}, cost = {0};
    bool fine = feed_routes(&feed, count, seed);

    for (unsigned engine = 0; fine && engine < (only_ours ? 1 : ENGINES); engine++) {
        if (!installed(engine)) {
            printf("%s is not installed: no figure to compare with\n", engines[engine].name);
            continue;
        }
        fine = measure_routes(&feed, engine, &cost);
        if (engine == FLOODGATE)
            ours = cost;
        if (fine) /* the ratio: how much faster Floodgate is */
            report(engines[engine].name, "routes", count, &cost, cost.seconds / ours.seconds);
    }
    feed_free(&feed);
    return fine;
}

int bench_bgp(const struct bench_options *options)
{
    unsigned rules = options->rules != 0 ? options->rules : options->quick ? 2000 : 100000;
    unsigned routes = options->quick ? 20000 : 1000000;

    bool fine = measure_rules(rules) && measure_tables(routes, options->seed, options->quick);
    return fine && bench_bgp_full(options) ? 0 : 1;
}
