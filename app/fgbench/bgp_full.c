/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgbench bgp, its last part: what a border router holds. Four peers at once, each with a full table (1,000,000 IPv4
 * and 230,000 IPv6 routes) and 100,000 rules that rest on it and are validated; until all of it is in and every rule is
 * active. The peers announce the same, as upstreams do, so each prefix and rule has four paths.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "bgp_feed.h"
#include "bgp_lost.h"
#include "daemon.h"

#define PEERS         4
#define MEMORY_TARGET (2048.0 * 1024 * 1024)
#define WITHIN_S      600.0
#define ASK_US        100000 /* between two questions: they cost the router's time, too */

static const char CONF[] =
    FEED_ROUTER "    - {name: upstream, range: 127.0.0.0/24, asn: 65001, hold-time: 0, restart-time: 0,\n"
                "       families: [ipv4-unicast, ipv6-unicast, ipv4-flowspec]}\n"
                "api: {socket: api.sock}\n";

struct sizes {
    unsigned routes4, routes6, rules; /* of each peer */
};

/* What a peer says, in this order: the routes first, as a session starts. */
struct says {
    struct feed under, routes4, routes6, rules; /* `under`: the route that the rules rest on */
};

static bool prepare(struct says *says, const struct sizes *sizes, uint64_t seed)
{
    struct feed *feed = &says->under;

    return feed_vetted_routes(feed) && feed_routes(&says->routes4, sizes->routes4, seed) &&
           feed_routes6(&says->routes6, sizes->routes6, seed) && feed_rules(&says->rules, sizes->rules);
}

static void says_free(struct says *says)
{
    feed_free(&says->under);
    feed_free(&says->routes4);
    feed_free(&says->routes6);
    feed_free(&says->rules);
}

/* One peer, a process of its own: says everything, and stays until it is ended. */
static pid_t peer_run(const struct says *says, unsigned short port, unsigned number)
{
    char address[16];
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    snprintf(address, sizeof address, "127.0.0.%u", 2 + number);
    int fd = feed_connect_from(address, port);
    if (fd < 0 || !feed_send(fd, &says->under) || !feed_send(fd, &says->routes4) || !feed_send(fd, &says->routes6) ||
        !feed_send(fd, &says->rules))
        _exit(1);
    for (;;)
        pause();
}

static json_t *ask(const struct daemon *daemon, const char *command)
{
    char *text = daemon_ask(daemon, command);
    json_t *answer = json_loads(text, 0, NULL);

    free(text);
    return answer;
}

static json_int_t number_at(const json_t *object, const char *a, const char *b)
{
    return json_integer_value(json_object_get(json_object_get(object, a), b));
}

/* Whether every peer's routes and rules are held, and as many rules are active as one of them has. */
static bool all_in(const struct daemon *daemon, const struct sizes *sizes)
{
    json_t *peers = ask(daemon, "peers"), *status = NULL, *peer;
    size_t i, full = 0;

    json_array_foreach(peers, i, peer)
    {
        const json_t *routes = json_object_get(peer, "routes");
        full += number_at(routes, "ipv4-unicast", "received") >= sizes->routes4 &&
                number_at(routes, "ipv6-unicast", "received") >= sizes->routes6 &&
                number_at(peer, "rules_received", "ipv4") == sizes->rules;
    }
    json_decref(peers);
    if (full < PEERS)
        return false;
    status = ask(daemon, "status");
    bool active = number_at(status, "rules", "active") == sizes->rules;
    json_decref(status);
    return active;
}

static void report(const struct sizes *sizes, double seconds, double cpu_s, double memory)
{
    struct bench_record record = bench_record_empty();

    record.bench = "bgp";
    record.family = "full";
    record.engine = "floodgate";
    record.traffic = "4-peers";
    record.ip = 4;
    record.rules = sizes->rules;
    record.build_s = seconds;
    record.cpu_s = cpu_s;
    record.per_second = PEERS * (double)(sizes->routes4 + sizes->routes6 + sizes->rules) / seconds;
    record.memory_bytes = memory;
    record.ratio = MEMORY_TARGET / memory;
    bench_record_add(&record);
}

/* One of them is killed: how long until nothing of it is left, and whether the router answers meanwhile. */
static bool lose_one(const struct daemon *daemon, const struct sizes *sizes, pid_t *peer)
{
    struct bench_record record = bench_record_empty();
    double cpu_s = daemon_cpu_seconds(daemon);
    struct bgp_lost lost;

    kill(*peer, SIGKILL);
    bool fine = bgp_lost_wait(daemon, &lost);
    waitpid(*peer, NULL, 0);
    *peer = 0;
    if (!fine) {
        fprintf(stderr, "fgbench: what a lost peer announced is not gone\n");
        return false;
    }
    record.bench = "bgp";
    record.family = "lost";
    record.engine = "floodgate";
    record.traffic = "1-of-4";
    record.ip = 4;
    record.rules = sizes->rules;
    record.build_s = lost.seconds;
    record.cpu_s = daemon_cpu_seconds(daemon) - cpu_s;
    record.per_second = (double)(sizes->routes4 + sizes->routes6 + sizes->rules) / lost.seconds;
    record.memory_bytes = daemon_memory_peak(daemon);
    record.max_us = lost.longest_answer_s * 1e6;
    bench_record_add(&record);
    return true;
}

static bool measure(const struct daemon *daemon, const struct says *says, const struct sizes *sizes)
{
    pid_t peers[PEERS];
    double begun = bench_seconds();
    bool fine = true;

    for (unsigned i = 0; i < PEERS; i++)
        peers[i] = peer_run(says, daemon->port, i);
    while (fine && !all_in(daemon, sizes)) {
        usleep(ASK_US);
        fine = bench_seconds() - begun < WITHIN_S && waitpid(-1, NULL, WNOHANG) == 0;
    }
    if (fine)
        report(sizes, bench_seconds() - begun, daemon_cpu_seconds(daemon), daemon_memory_peak(daemon));
    else
        fprintf(stderr, "fgbench: not all of four peers' routes and rules came to be held and active\n");
    fine = fine && lose_one(daemon, sizes, &peers[PEERS - 1]);
    for (unsigned i = 0; i < PEERS; i++) {
        if (peers[i] == 0)
            continue;
        kill(peers[i], SIGKILL);
        waitpid(peers[i], NULL, 0);
    }
    return fine;
}

/* The API answers: from then on it listens, too. */
static bool ready(const struct daemon *daemon)
{
    double until = bench_seconds() + 20;
    json_t *status = NULL;

    while (status == NULL && bench_seconds() < until) {
        status = ask(daemon, "status");
        if (status == NULL)
            usleep(ASK_US);
    }
    json_decref(status);
    return status != NULL;
}

bool bench_bgp_full(const struct bench_options *options)
{
    static const char *const ARGS[DAEMON_WORDS_MAX] = {"-c", "conf", NULL};
    const struct sizes sizes =
        options->quick ? (struct sizes){20000, 5000, 2000} : (struct sizes){1000000, 230000, 100000};
    struct says says = {0};
    struct daemon daemon;

    bool fine = prepare(&says, &sizes, options->seed) && daemon_prepare(&daemon);
    if (fine) {
        fine = daemon_file(&daemon, "conf", CONF, daemon.port) && daemon_run(&daemon, NULL, ARGS) && ready(&daemon) &&
               measure(&daemon, &says, &sizes);
        daemon_stop(&daemon);
    }
    says_free(&says);
    return fine;
}
