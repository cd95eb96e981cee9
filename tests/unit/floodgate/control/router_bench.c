/* SPDX-License-Identifier: BSD-3-Clause */
#include "router_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "cm.h"
#include "conf/conf.h"
#include "fake_dataplane.h"
#include "speaker.h"

__attribute__((format(printf, 3, 0))) static void on_log(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    struct router *router = ctx;

    if (level > LOG_LEVEL_NOTICE)
        return;
    size_t room = sizeof router->log - router->log_len;
    int len = vsnprintf(router->log + router->log_len, room, fmt, args);
    router->log_len += (size_t)len + 1 < room ? (size_t)len : 0;
    router->log[router->log_len++] = '\n';
    router->log[router->log_len] = '\0';
}

bool router_logged(const struct router *router, const char *text)
{
    if (strstr(router->log, text) != NULL)
        return true;
    print_message("not in the log: %s\n%s", text, router->log);
    return false;
}

static void on_problem(void *ctx, const char *file, unsigned line, const char *text)
{
    (void)ctx;
    print_message("%s:%u: %s\n", file, line, text);
}

void router_config_write(const struct router *router, unsigned asn, const char *peers, const char *rest)
{
    FILE *out = fopen(router->file, "w");

    assert_non_null(out);
    fprintf(out,
            "router: {id: 192.0.2.1, asn: %u}\n"
            "ports:\n"
            "  - {name: wan, device: net_null0, mode: wire, peer: lan}\n"
            "  - {name: lan, device: net_null1, mode: wire, peer: wan}\n"
            "bgp:\n"
            "  listen: [{address: 127.0.0.1, port: %u}]\n"
            "  peers:\n%s"
            "%s",
            asn, router->port, peers, rest);
    fclose(out);
}

void router_start(struct router *router, const char *peers, const char *rest)
{
    router_config_write(router, 65000, peers, rest);
    router->cfg = cfg_load(router->file, on_problem, NULL);
    assert_non_null(router->cfg);
    router->control = control_start(&(struct control_conf){
        .base = router->base, .cfg = router->cfg, .config_file = router->file, .dp = router->dp, .log = &router->hook});
}

int router_set_up(void **state)
{
    struct router *router = calloc(1, sizeof *router);
    int fd;

    strcpy(router->file, "/tmp/floodgate-control-XXXXXX");
    fd = mkstemp(router->file);
    assert_true(fd >= 0);
    close(fd);
    router->port = speaker_free_port();
    router->hook = (struct log_hook){.write = on_log, .ctx = router};
    router->base = event_base_new();
    router->dp = fake_dataplane_create();
    *state = router;
    return 0;
}

int router_tear_down(void **state)
{
    struct router *router = *state;

    control_stop(router->control);
    cfg_free(router->cfg);
    fake_dataplane_free(router->dp);
    event_base_free(router->base);
    unlink(router->file);
    free(router);
    return 0;
}

struct control_peer router_peer(const struct router *router)
{
    struct control_peer peer;

    control_peer_get(router->control, 0, &peer);
    return peer;
}

bool router_one_in_force(void *dp)
{
    return fake_dataplane_in_force(dp) == 1;
}

bool router_none_in_force(void *dp)
{
    return fake_dataplane_in_force(dp) == 0;
}
