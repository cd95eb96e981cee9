/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floodgate: the router. main() is the order of start, and the reverse order of stop.
 *
 * The thread that runs main() becomes the control thread: after the start it runs the event base, from which BGP, the
 * API, timers and signals are served. Workers run on lcores of their own (dataplane/worker.c).
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <rte_lcore.h>

#include "base/log.h"
#include "conf/conf.h"
#include "control/control.h"
#include "dataplane/dataplane.h"
#include "eal.h"
#include "log.h"
#include "manage/api.h"
#include "manage/stats.h"
#include "options.h"
#include "ports/ports.h"
#include "process.h"
#include "routing/routing.h"
#include "sampling/sampling.h"

enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_CONFIG = 1,
    EXIT_START = 2,
    EXIT_INTERNAL = 3,
};

#define IDLE_CHECK_MS_MAX 50
#define GOODBYE_S         2 /* at most, for sessions to end */

struct router {
    struct options options;
    enum log_level log_level;
    struct log_hook log;
    struct cfg *cfg;
    struct ports ports;
    struct dataplane *dp;
    cpu_set_t helper_cpus; /* of threads that write to files */
    struct event_base *base;
    struct sampling *sampling; /* NULL: not configured */
    struct routing *routing;
    struct control *control;
    struct api *api;
    struct event *on_term, *on_int, *on_hup, *on_idle_check;
    bool totals_lost; /* --stats FILE could not be written */
};

static int start_eal(struct router *router)
{
    return eal_start(router->cfg, router->options.eal_args, router->options.eal_arg_count, &router->helper_cpus,
                     &router->log);
}

static void stop_eal(struct router *router)
{
    (void)router;
    eal_stop();
}

static int start_ports(struct router *router)
{
    return ports_start(&router->ports, router->cfg, rte_lcore_count() - 1, &router->log);
}

static void stop_ports(struct router *router)
{
    ports_stop(&router->ports);
}

static int start_dataplane(struct router *router)
{
    router->dp = dataplane_create(router->cfg, &router->ports, &router->log);
    return router->dp == NULL ? -ENOMEM : 0;
}

static void stop_dataplane(struct router *router)
{
    dataplane_free(router->dp);
    router->dp = NULL;
}

static void on_stop_signal(evutil_socket_t signal_number, short what, void *arg)
{
    struct router *router = arg;

    (void)what;
    log_line(&router->log, LOG_LEVEL_NOTICE, "stopping on %s", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
    event_base_loopbreak(router->base);
}

static void on_reload_signal(evutil_socket_t signal_number, short what, void *arg)
{
    struct router *router = arg;
    char summary[256], why[512];

    (void)signal_number;
    (void)what;
    if (control_reload(router->control, summary, sizeof summary, why, sizeof why))
        log_line(&router->log, LOG_LEVEL_NOTICE, "reloaded %s: %s", router->options.config_file, summary);
    else
        log_line(&router->log, LOG_LEVEL_ERROR, "not reloaded, nothing changed: %s", why);
}

static void on_idle_check(evutil_socket_t fd, short what, void *arg)
{
    struct router *router = arg;
    uint64_t idle_ms = dataplane_idle_ms(router->dp);

    (void)fd;
    (void)what;
    if (!dataplane_running(router->dp) || idle_ms == UINT64_MAX || idle_ms < router->options.exit_idle_ms)
        return;
    log_line(&router->log, LOG_LEVEL_NOTICE, "stopping: no packet for %u ms", router->options.exit_idle_ms);
    event_base_loopbreak(router->base);
}

static int start_events(struct router *router)
{
    uint32_t check_ms =
        router->options.exit_idle_ms < IDLE_CHECK_MS_MAX ? router->options.exit_idle_ms : IDLE_CHECK_MS_MAX;
    struct timeval check = {.tv_usec = (suseconds_t)check_ms * 1000};

    router->base = event_base_new();
    if (router->base == NULL)
        return -ENOMEM;
    router->on_term = evsignal_new(router->base, SIGTERM, on_stop_signal, router);
    router->on_int = evsignal_new(router->base, SIGINT, on_stop_signal, router);
    router->on_hup = evsignal_new(router->base, SIGHUP, on_reload_signal, router);
    router->on_idle_check = event_new(router->base, -1, EV_PERSIST, on_idle_check, router);
    if (!router->on_term || !router->on_int || !router->on_hup || !router->on_idle_check)
        return -ENOMEM;
    evsignal_add(router->on_term, NULL);
    evsignal_add(router->on_int, NULL);
    evsignal_add(router->on_hup, NULL);
    if (router->options.exit_idle_ms > 0)
        event_add(router->on_idle_check, &check);
    return 0;
}

static void stop_events(struct router *router)
{
    struct event *events[] = {router->on_term, router->on_int, router->on_hup, router->on_idle_check};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i] != NULL)
            event_free(events[i]);
    if (router->base != NULL)
        event_base_free(router->base);
}

static int start_sampling(struct router *router)
{
    if (!router->cfg->sampling.set)
        return 0;
    router->sampling = sampling_start(&(struct sampling_conf){.base = router->base,
                                                              .cfg = router->cfg,
                                                              .dp = router->dp,
                                                              .version = FLOODGATE_VERSION,
                                                              .helper_cpus = &router->helper_cpus,
                                                              .log = &router->log});
    return router->sampling == NULL ? -EIO : 0;
}

static void stop_sampling(struct router *router)
{
    sampling_stop(router->sampling);
    router->sampling = NULL;
}

static int start_routing(struct router *router)
{
    return routing_start(router->base, router->dp, router->cfg, &router->log, &router->routing);
}

static void stop_routing(struct router *router)
{
    routing_stop(router->routing);
    router->routing = NULL;
}

static int start_control(struct router *router)
{
    router->control = control_start(&(struct control_conf){.base = router->base,
                                                           .cfg = router->cfg,
                                                           .config_file = router->options.config_file,
                                                           .dp = router->dp,
                                                           .routing = router->routing,
                                                           .helper_cpus = &router->helper_cpus,
                                                           .log = &router->log});
    if (router->control == NULL)
        return -EADDRINUSE;
    sampling_rules_by(router->sampling, control_rules(router->control));
    return 0;
}

static void stop_control(struct router *router)
{
    sampling_rules_by(router->sampling, NULL);
    control_stop(router->control);
    router->control = NULL;
}

static int start_api(struct router *router)
{
    router->api = api_start(&(struct api_conf){.base = router->base,
                                               .socket_path = router->cfg->api.socket,
                                               .control = router->control,
                                               .dp = router->dp,
                                               .sampling = router->sampling,
                                               .log = &router->log,
                                               .version = FLOODGATE_VERSION});
    return router->api == NULL ? -EADDRINUSE : 0;
}

static void stop_api(struct router *router)
{
    api_stop(router->api);
    router->api = NULL;
}

static int start_polling(struct router *router)
{
    if (router->cfg->dataplane.start == CFG_START_MANUAL) {
        log_line(&router->log, LOG_LEVEL_NOTICE, "not polling yet: waiting for `fgctl dataplane start`");
        return 0;
    }
    return dataplane_start(router->dp);
}

static int totals_failed(struct router *router, int error)
{
    log_line(&router->log, LOG_LEVEL_ERROR, "cannot write the totals to %s: %s", router->options.stats_file,
             strerror(-error));
    router->totals_lost = true;
    return error;
}

/* A file that cannot be written is better known now than after the run. */
static int start_totals(struct router *router)
{
    int error = router->options.stats_file != NULL ? stats_check(router->options.stats_file) : 0;

    return error < 0 ? totals_failed(router, error) : 0;
}

static void stop_totals(struct router *router)
{
    (void)router; /* stop_polling wrote them */
}

static void on_goodbye_end(evutil_socket_t fd, short what, void *arg)
{
    bool *over = arg;

    (void)fd;
    (void)what;
    *over = true;
}

/* Sessions by the router's own ports are ended while packets still move: then the peers hear of it. */
static void say_goodbye(struct router *router)
{
    const struct timeval wait = {.tv_sec = GOODBYE_S};
    bool over = !routing_uses_kernel(router->routing) || !dataplane_running(router->dp);
    struct event *end = over ? NULL : event_new(router->base, -1, 0, on_goodbye_end, &over);

    if (end == NULL)
        return;
    event_add(end, &wait);
    while (!control_goodbye(router->control) && !over)
        event_base_loop(router->base, EVLOOP_ONCE);
    event_free(end);
}

/* Workers finish their bursts; then, with nothing in flight, the totals are exact. */
static void stop_polling(struct router *router)
{
    say_goodbye(router);
    dataplane_stop(router->dp);
    sampling_drain(router->sampling);
    stats_print(stdout, router->dp, router->control);
    if (router->options.stats_file != NULL) {
        int error = stats_write(router->options.stats_file, router->dp, router->control);
        if (error < 0)
            totals_failed(router, error);
    }
}

/* In this order up, in the reverse order down. `stop_if_failed`: a failed start leaves something behind. */
static const struct step {
    const char *name;
    int (*start)(struct router *router);
    void (*stop)(struct router *router);
    bool stop_if_failed;
} STEPS[] = {
    {"totals", start_totals, stop_totals, false},
    {"eal", start_eal, stop_eal, false},
    {"ports", start_ports, stop_ports, true},
    {"dataplane", start_dataplane, stop_dataplane, false},
    {"events", start_events, stop_events, true},
    {"sampling", start_sampling, stop_sampling, false},
    {"routing", start_routing, stop_routing, false},
    {"control", start_control, stop_control, false},
    {"api", start_api, stop_api, false},
    {"polling", start_polling, stop_polling, false},
};
#define STEP_COUNT (sizeof STEPS / sizeof STEPS[0])

/* Up to the last step, or to one that fails or finds a stop waiting. `*started` is how many have to be stopped. */
static enum exit_status run_steps(struct router *router, size_t *started)
{
    for (*started = 0; *started < STEP_COUNT && !process_stop_waits(); ++*started) {
        const struct step *step = &STEPS[*started];
        log_line(&router->log, LOG_LEVEL_DEBUG, "starting: %s", step->name);
        if (step->start(router) < 0) {
            *started += step->stop_if_failed;
            return EXIT_START;
        }
    }
    return EXIT_CLEAN;
}

static enum exit_status run(struct router *router)
{
    size_t started;

    process_guard();
    process_signals_hold();
    enum exit_status status = run_steps(router, &started);
    if (status == EXIT_CLEAN && process_stop_waits()) {
        log_line(&router->log, LOG_LEVEL_NOTICE, "stopping on a signal before everything was started");
    } else if (status == EXIT_CLEAN) {
        printf("READY\n");
        fflush(stdout);
        process_signals_release();
        if (event_base_dispatch(router->base) < 0) {
            log_line(&router->log, LOG_LEVEL_ERROR, "the event loop failed: %s", strerror(errno));
            status = EXIT_INTERNAL;
        }
        process_signals_hold(); /* what was begun to be stopped is stopped to the end */
    }
    while (started-- > 0)
        STEPS[started].stop(router);
    return status == EXIT_CLEAN && router->totals_lost ? EXIT_INTERNAL : status;
}

static void print_problem(void *ctx, const char *file, unsigned line, const char *text)
{
    FILE *out = ctx;

    if (line > 0)
        fprintf(out, "%s:%u: %s\n", file, line, text);
    else
        fprintf(out, "%s: %s\n", file, text);
}

static void print_warning(void *ctx, const char *file, unsigned line, const char *text)
{
    fprintf(ctx, "%s:%u: warning: %s\n", file, line, text);
}

static void print_checked(const char *file, const struct cfg *cfg)
{
    cfg_warn(cfg, file, print_warning, stdout);
    printf("%s: OK (%zu port%s, %zu peer%s, %zu rule%s)\n", file, cfg->port_count, cfg->port_count == 1 ? "" : "s",
           cfg->peer_count, cfg->peer_count == 1 ? "" : "s", cfg->rule_count, cfg->rule_count == 1 ? "" : "s");
}

int main(int argc, char **argv)
{
    struct router router = {.base = NULL};

    switch (options_parse(argc, argv, &router.options)) {
    case OPTIONS_DONE:
        return EXIT_CLEAN;
    case OPTIONS_WRONG:
        return EXIT_CONFIG;
    case OPTIONS_RUN:
        break;
    }
    router.log_level = router.options.log_level;
    router.log = log_to_stderr(&router.log_level);
    /* --check is asked for the problems: they are its output; elsewhere they are messages */
    router.cfg = cfg_load(router.options.config_file, print_problem, router.options.check ? stdout : stderr);
    if (router.cfg == NULL)
        return EXIT_CONFIG;

    enum exit_status status = EXIT_CLEAN;
    if (router.options.check)
        print_checked(router.options.config_file, router.cfg);
    else
        status = run(&router);
    cfg_free(router.cfg);
    return status;
}
