/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of the API on the event base: lines in, answers out.
 *
 * No connection may hold the loop: it serves a few requests a turn, the rules array leaves in slices, and nothing more
 * is made while the reader has not taken what is there.
 */
#include "manage/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "dataplane/dataplane.h"
#include "manage/api_commands.h"
#include "manage/api_socket.h"
#include "manage/json_rules.h"

#define CONNECTIONS_MAX   64
#define REQUESTS_PER_TURN 8
#define RULES_PER_SLICE   256
#define OUTPUT_HIGH       (256u * 1024) /* octets waiting to be read by the client: make no more */
#define OUTPUT_LOW        (64u * 1024)  /* go on below that */
#define WRITE_TIMEOUT_S   60            /* a client that takes nothing for so long is gone */
#define RATES_PERIOD_S    1

struct connection {
    LIST_ENTRY(connection) link;
    struct api *api;
    struct bufferevent *bev;
    struct event *resume;   /* another turn, without new input */
    char who[32];           /* is connected: "uid 1000" */
    struct rule_walk *walk; /* of the answer under way, or NULL */
    bool first_rule;
    bool ended;   /* the client sends no more: close when everything is answered */
    bool refused; /* close when what was written is out */
};

struct api {
    struct api_conf conf;
    struct api_state state;
    struct api_socket socket;
    struct evconnlistener *listener;
    struct event *rates_tick;
    LIST_HEAD(, connection) connections;
    unsigned connection_count;
};

static struct evbuffer *output_of(struct connection *conn)
{
    return bufferevent_get_output(conn->bev);
}

static void connection_free(struct connection *conn)
{
    LIST_REMOVE(conn, link);
    conn->api->connection_count--;
    rule_walk_free(conn->walk);
    if (conn->resume != NULL)
        event_free(conn->resume);
    bufferevent_free(conn->bev);
    free(conn);
}

static void write_json(struct evbuffer *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

    if (text != NULL)
        evbuffer_add(out, text, strlen(text));
    free(text);
}

static void write_error(struct evbuffer *out, const char *error)
{
    json_t *answer = json_pack("{s:b, s:s}", "ok", 0, "error", error);

    if (answer == NULL) /* what the client sent was echoed, and is not UTF-8 */
        answer = json_pack("{s:b, s:s}", "ok", 0, "error", "the request is not UTF-8");
    write_json(out, answer);
    evbuffer_add(out, "\n", 1);
    json_decref(answer);
}

static void write_rule(void *ctx, const struct rule *rule, uint32_t rank)
{
    struct connection *conn = ctx;
    json_t *json = json_rule(rule, rank, conn->api->conf.dp);

    if (!conn->first_rule)
        evbuffer_add(output_of(conn), ",", 1);
    conn->first_rule = false;
    write_json(output_of(conn), json);
    json_decref(json);
}

static void write_slice(struct connection *conn)
{
    if (rule_walk_slice(conn->walk, RULES_PER_SLICE, write_rule, conn))
        return;
    rule_walk_free(conn->walk);
    conn->walk = NULL;
    evbuffer_add_printf(output_of(conn), "]}\n");
}

/* Answers one request. Clients rely on how an answer begins and ends: {"ok":true,"result": ... }. See docs/api.md. */
static void answer_line(struct connection *conn, const char *line, size_t len)
{
    struct evbuffer *out = output_of(conn);
    struct api_answer answer = {.result = NULL};
    const char *command;
    const json_t *args;
    json_t *request;

    if (!request_parse(line, len, &request, &command, &args, answer.error)) {
        write_error(out, answer.error);
        return;
    }
    log_line(conn->api->conf.log, LOG_LEVEL_DEBUG, "api: %s", command);
    conn->api->state.who = conn->who;
    api_command_run(&conn->api->state, command, args, &answer);
    json_decref(request);
    if (answer.walk != NULL) {
        conn->walk = answer.walk;
        conn->first_rule = true;
        evbuffer_add_printf(out, "{\"ok\":true,\"result\":[");
    } else if (answer.result != NULL) {
        evbuffer_add_printf(out, "{\"ok\":true,\"result\":");
        write_json(out, answer.result);
        evbuffer_add_printf(out, "}\n");
        json_decref(answer.result);
    } else {
        write_error(out, answer.error);
    }
}

/* Does one piece of work. False when there is none to do before the client reads or writes. */
static bool serve_one(struct connection *conn)
{
    char *line;
    size_t len;

    if (conn->refused || evbuffer_get_length(output_of(conn)) > OUTPUT_HIGH)
        return false;
    if (conn->walk != NULL) {
        write_slice(conn);
        return true;
    }
    switch (request_read(bufferevent_get_input(conn->bev), conn->ended, &line, &len)) {
    case REQUEST_NONE:
        return false;
    case REQUEST_TOO_LONG:
        write_error(output_of(conn), "the request is longer than 160 KiB");
        bufferevent_disable(conn->bev, EV_READ);
        conn->refused = true;
        return false;
    case REQUEST_LINE:
        answer_line(conn, line, len);
        free(line);
        return true;
    }
    return false;
}

/* One turn of a connection; it may be gone afterwards. */
static void serve(struct connection *conn)
{
    unsigned served = 0;
    bool more = true;

    while (more && served++ < REQUESTS_PER_TURN) {
        bool walking = conn->walk != NULL;
        more = serve_one(conn);
        if (walking)
            break; /* a slice is a turn */
    }
    if (more) {
        static const struct timeval AT_ONCE = {0};
        evtimer_add(conn->resume, &AT_ONCE);
        return;
    }
    if ((conn->ended || conn->refused) && conn->walk == NULL && evbuffer_get_length(output_of(conn)) == 0)
        connection_free(conn);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    serve(arg);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
    (void)bev;
    serve(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct connection *conn = arg;

    if (what & BEV_EVENT_EOF) {
        conn->ended = true;
        /* below the last octet written, so that the end of the output is heard */
        bufferevent_setwatermark(bev, EV_WRITE, 0, 0);
        serve(conn);
        return;
    }
    if (what & BEV_EVENT_TIMEOUT)
        log_line(conn->api->conf.log, LOG_LEVEL_INFO, "api: closing a connection that took no answer for %d s",
                 WRITE_TIMEOUT_S);
    connection_free(conn);
}

static void know_client(const struct api *api, evutil_socket_t fd, char *who, size_t size)
{
    struct ucred cred;
    socklen_t len = sizeof cred;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
        snprintf(who, size, "unknown");
        return;
    }
    snprintf(who, size, "uid %u", cred.uid);
    log_line(api->conf.log, LOG_LEVEL_DEBUG, "api: connection from pid %d, uid %u, gid %u", (int)cred.pid, cred.uid,
             cred.gid);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int addr_len,
                      void *arg)
{
    static const struct timeval WRITE_TIMEOUT = {.tv_sec = WRITE_TIMEOUT_S};
    struct api *api = arg;
    struct connection *conn = calloc(1, sizeof *conn);

    (void)listener;
    (void)addr;
    (void)addr_len;
    if (conn != NULL)
        conn->bev = bufferevent_socket_new(api->conf.base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (conn == NULL || conn->bev == NULL) {
        evutil_closesocket(fd);
        free(conn);
        return;
    }
    conn->api = api;
    know_client(api, fd, conn->who, sizeof conn->who);
    LIST_INSERT_HEAD(&api->connections, conn, link);
    api->connection_count++;
    conn->resume = evtimer_new(api->conf.base, on_resume, conn);
    if (conn->resume == NULL) {
        connection_free(conn);
        return;
    }
    bufferevent_setcb(conn->bev, on_readable, on_readable, on_event, conn);
    bufferevent_setwatermark(conn->bev, EV_READ, 0, REQUEST_MAX + 1);
    bufferevent_setwatermark(conn->bev, EV_WRITE, OUTPUT_LOW, 0);
    bufferevent_set_timeouts(conn->bev, NULL, &WRITE_TIMEOUT);
    if (api->connection_count > CONNECTIONS_MAX) {
        write_error(output_of(conn), "too many connections to the api socket");
        bufferevent_setwatermark(conn->bev, EV_WRITE, 0, 0);
        conn->refused = true;
    } else {
        bufferevent_enable(conn->bev, EV_READ);
    }
}

static void on_rates_tick(evutil_socket_t fd, short what, void *arg)
{
    struct api *api = arg;
    struct cnt_port_sum sum;

    (void)fd;
    (void)what;
    dataplane_counters(api->conf.dp, &sum);
    rates_update(&api->state.rates, &sum, api_now_ms());
}

struct api *api_start(const struct api_conf *conf)
{
    static const struct timeval RATES_PERIOD = {.tv_sec = RATES_PERIOD_S};
    struct api *api = calloc(1, sizeof *api);

    if (api == NULL)
        return NULL;
    api->conf = *conf;
    api->state = (struct api_state){.control = conf->control,
                                    .dp = conf->dp,
                                    .sampling = conf->sampling,
                                    .version = conf->version,
                                    .started_ms = api_now_ms()};
    LIST_INIT(&api->connections);
    if (api_socket_open(&api->socket, conf->socket_path, conf->log) < 0) {
        free(api);
        return NULL;
    }
    api->listener = evconnlistener_new(conf->base, on_accept, api, LEV_OPT_CLOSE_ON_FREE, 0, api->socket.fd);
    api->rates_tick = event_new(conf->base, -1, EV_PERSIST, on_rates_tick, api);
    if (api->listener == NULL || api->rates_tick == NULL) {
        log_line(conf->log, LOG_LEVEL_ERROR, "api socket %s: memory is short", conf->socket_path);
        api_stop(api);
        return NULL;
    }
    on_rates_tick(-1, 0, api);
    event_add(api->rates_tick, &RATES_PERIOD);
    return api;
}

void api_stop(struct api *api)
{
    if (api == NULL)
        return;
    while (!LIST_EMPTY(&api->connections))
        connection_free(LIST_FIRST(&api->connections));
    if (api->rates_tick != NULL)
        event_free(api->rates_tick);
    api_socket_remove(&api->socket);
    if (api->listener != NULL)
        evconnlistener_free(api->listener);
    free(api);
}
