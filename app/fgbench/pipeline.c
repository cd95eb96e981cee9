/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgbench pipeline: where a worker's cycles go. A whole router is started for each scenario, on a port that plays a
 * capture in a loop and one that swallows what it gets; the router itself counts the cycles of its stages. A figure is
 * the median of short spans, and `best` the least of them: whatever else the machine does makes some spans longer.
 *
 * What the actions cost beyond finding them is told by scenarios that differ in nothing else: `policer` is the act
 * stage with a rate that is never reached, less the same stage with `accept`; `mark` likewise.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "bench.h"
#include "capture.h"
#include "daemon.h"

#define FRAMES         4096
#define RULES          16384 /* a /24 each: all that the capture has destinations in */
#define QUICK_RULES    512
#define SPANS          15
#define QUICK_SPANS    3
#define QUICK_SPAN_S   0.05
#define WARM_PACKETS   200000
#define START_WITHIN_S 60.0
#define RULE_ROOM      80

static const char *const STAGES[] = {"rx", "parse", "local", "classify", "act", "lookup", "forward", "tx"};
#define STAGE_COUNT (sizeof STAGES / sizeof STAGES[0])

static const struct scenario {
    const char *name;
    bool routed;
    const char *then; /* of each rule; NULL: there is none */
    const char *part; /* what its act stage costs more than that of `accept`; NULL: nothing is said */
} scenarios[] = {
    {"wire", false, NULL, NULL},
    {"wire-accept", false, "accept", NULL},
    {"wire-discard", false, "discard", NULL},
    {"route", true, NULL, NULL},
    {"route-accept", true, "accept", NULL},
    {"route-limit", true, "rate-limit 1000gbps", "policer"},
    {"route-mark", true, "mark 10", "mark"},
};

static const char CONF[] = "router: {id: 192.0.2.1, asn: 65000}\n"
                           "dataplane: {workers: [1], hugepages: \"off\", memory: 512, idle: poll}\n"
                           "ports:\n"
                           "  - {name: in, device: \"net_pcap0,rx_pcap=in.pcap,infinite_rx=1\", %s}\n"
                           "  - {name: out, device: \"net_null0,no-rx=1\", %s}\n"
                           "%s"
                           "protect-bgp: false\n"
                           "api: {socket: api.sock}\n"
                           "%s";

static const char ROUTE_IN[] = "mode: route, mac: \"02:00:00:00:00:02\", addresses: [198.51.100.1/24]";
static const char ROUTE_OUT[] = "mode: route, mac: \"02:00:00:00:00:03\", addresses: [203.0.113.1/24], flowspec: false";
static const char ROUTES[] = "routes: [{prefix: 10.0.0.0/8, via: 203.0.113.2}]\n"
                             "neighbors: [{port: out, address: 203.0.113.2, mac: \"02:00:00:00:00:09\"}]\n";

/* The section `rules`; "" where the scenario has none. NULL when memory is short. To be freed. */
static char *rules_text(const struct scenario *scenario, unsigned count)
{
    size_t room = 16 + (size_t)count * RULE_ROOM, used = 0;
    char *text = malloc(room);

    if (text == NULL)
        return NULL;
    text[0] = '\0';
    if (scenario->then == NULL)
        return text;
    used += (size_t)snprintf(text, room, "rules:\n");
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, room - used, "  - match destination 10.%u.%u.0/24 then %s\n", i >> 8,
                                 i & 255, scenario->then);
    return text;
}

static bool start(struct daemon *daemon, const struct scenario *scenario, unsigned rules)
{
    static const char *const WORDS[DAEMON_WORDS_MAX] = {"-c", "conf", NULL};
    bool routed = scenario->routed;
    char path[128];

    if (!daemon_prepare(daemon))
        return false;
    snprintf(path, sizeof path, "%s/in.pcap", daemon->folder);
    char *text = rules_text(scenario, rules);
    bool fine = text != NULL && capture_write(path, FRAMES) &&
                daemon_file(daemon, "conf", CONF, routed ? ROUTE_IN : "mode: wire, peer: out",
                            routed ? ROUTE_OUT : "mode: wire, peer: in, flowspec: false", routed ? ROUTES : "", text);
    free(text);
    return fine && daemon_run(daemon, NULL, WORDS);
}

/* What the worker has done so far. */
struct progress {
    double packets;
    double cycles[STAGE_COUNT];
};

static bool progress_get(const struct daemon *daemon, struct progress *out)
{
    char *answer = daemon_ask(daemon, "workers");
    json_t *root = json_loads(answer, 0, NULL);
    const json_t *worker = json_array_get(root, 0);
    bool there = worker != NULL;

    *out = (struct progress){.packets = json_number_value(json_object_get(worker, "packets"))};
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        const json_t *each = json_object_get(json_object_get(worker, "cycles_per_packet"), STAGES[i]);
        out->cycles[i] = json_number_value(each) * out->packets;
    }
    json_decref(root);
    free(answer);
    return there;
}

static bool wait_warm(const struct daemon *daemon)
{
    double until = bench_seconds() + START_WITHIN_S;
    struct progress progress;

    while (!progress_get(daemon, &progress) || progress.packets < WARM_PACKETS) {
        if (bench_seconds() > until) {
            fprintf(stderr, "fgbench: the router does not forward\n");
            return false;
        }
        usleep(10000);
    }
    return true;
}

/* By stage, and last of all of them: cycles per packet of each span. */
struct spans {
    unsigned count;
    double cycles[STAGE_COUNT + 1][SPANS];
};

static bool measure(const struct daemon *daemon, const struct bench_options *options, struct spans *spans)
{
    double span_s = options->quick ? QUICK_SPAN_S : options->seconds / SPANS;
    struct progress before, after;

    spans->count = options->quick ? QUICK_SPANS : SPANS;
    for (unsigned span = 0; span < spans->count; span++) {
        bool fine = progress_get(daemon, &before);
        do {
            usleep((useconds_t)(span_s * 1e6));
            fine = fine && progress_get(daemon, &after);
        } while (fine && after.packets <= before.packets);
        if (!fine)
            return false;
        double total = 0;
        for (size_t i = 0; i < STAGE_COUNT; i++) {
            double each = (after.cycles[i] - before.cycles[i]) / (after.packets - before.packets);
            spans->cycles[i][span] = each > 0 ? each : 0;
            total += spans->cycles[i][span];
        }
        spans->cycles[STAGE_COUNT][span] = total;
    }
    return true;
}

static void report(const struct scenario *scenario, unsigned rules, const char *stage, double median, double best)
{
    struct bench_record record = bench_record_empty();

    record.bench = "pipeline";
    record.family = scenario->name;
    record.traffic = scenario->then != NULL ? "hit-uniform" : "clean-uniform";
    record.engine = "floodgate";
    record.stage = stage;
    record.ip = 4;
    record.rules = scenario->then != NULL ? rules : 0;
    record.cycles_per_packet = median;
    record.best_cycles_per_packet = best;
    bench_record_add(&record);
}

struct figure {
    double median, best;
};

/* Each stage that the scenario has, and the sum. Returns the act stage's figure. */
static struct figure report_stages(const struct scenario *scenario, unsigned rules, struct spans *spans)
{
    struct figure act = {0};

    for (size_t i = 0; i <= STAGE_COUNT; i++) {
        double median = bench_median(spans->cycles[i], spans->count); /* sorts them */
        if (i < STAGE_COUNT && median == 0)
            continue;
        report(scenario, rules, i < STAGE_COUNT ? STAGES[i] : "total", median, spans->cycles[i][0]);
        if (i < STAGE_COUNT && strcmp(STAGES[i], "act") == 0)
            act = (struct figure){median, spans->cycles[i][0]};
    }
    return act;
}

static bool run(const struct scenario *scenario, unsigned rules, const struct bench_options *options,
                struct figure *act)
{
    struct daemon daemon = {0};
    struct spans spans;
    bool fine = start(&daemon, scenario, rules) && wait_warm(&daemon) && measure(&daemon, options, &spans);

    daemon_stop(&daemon);
    if (fine)
        *act = report_stages(scenario, rules, &spans);
    return fine;
}

int bench_pipeline(const struct bench_options *options)
{
    unsigned rules = options->rules != 0 ? options->rules : options->quick ? QUICK_RULES : RULES;
    struct figure act, accept = {0};

    rules = rules < RULES ? rules : RULES;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        const struct scenario *scenario = &scenarios[i];
        if (!run(scenario, rules, options, &act))
            return 1;
        if (scenario->part == NULL)
            accept = act;
        else
            report(scenario, rules, scenario->part, fmax(act.median - accept.median, 0),
                   fmax(act.best - accept.best, 0));
    }
    return 0;
}
