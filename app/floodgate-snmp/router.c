/* SPDX-License-Identifier: BSD-3-Clause */
#include "router.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/answer.h"
#include "member.h"

#define PATIENCE_MS 10000 /* without a single octet from the router */
#define LOOK_MS     100   /* how often a wait looks whether the program is to end */

void router_init(struct router *router, const char *socket, const atomic_bool *stop)
{
    *router = (struct router){.socket = socket, .stop = stop, .fd = -1};
}

void router_close(struct router *router)
{
    if (router->fd >= 0)
        close(router->fd);
    router->fd = -1;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct router *router, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(router->why, sizeof router->why, fmt, args);
    va_end(args);
    router_close(router);
    return false;
}

static bool reach(struct router *router)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = strlen(router->socket);

    if (router->fd >= 0)
        return true;
    if (len >= sizeof addr.sun_path)
        return fail(router, "%s", strerror(ENAMETOOLONG));
    memcpy(addr.sun_path, router->socket, len + 1);
    /* or a router that stands still and takes no more connections would be waited for without end */
    router->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (router->fd >= 0 && connect(router->fd, (struct sockaddr *)&addr, sizeof addr) == 0)
        return true;
    return fail(router, "%s", errno == EAGAIN ? "it takes no connection" : strerror(errno));
}

/* Waits until the socket is ready for `events`. */
static bool wait_ready(struct router *router, short events)
{
    struct pollfd fd = {.fd = router->fd, .events = events};

    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += LOOK_MS) {
        if (atomic_load_explicit(router->stop, memory_order_relaxed))
            return fail(router, "the program ends");
        int ready = poll(&fd, 1, LOOK_MS);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return fail(router, "%s", strerror(errno));
    }
    return fail(router, "it does not answer");
}

static bool send_text(struct router *router, const char *text, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        if (!wait_ready(router, POLLOUT))
            return false;
        ssize_t n = send(router->fd, text + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return fail(router, "%s", strerror(errno));
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Takes `args`. */
static bool send_question(struct router *router, const char *command, json_t *args)
{
    json_t *question = json_pack("{s:s, s:o}", "command", command, "args", args != NULL ? args : json_object());
    char *text = question != NULL ? json_dumps(question, JSON_COMPACT) : NULL;

    json_decref(question);
    if (text == NULL)
        return fail(router, "memory is short");
    size_t len = strlen(text);
    text[len] = '\n'; /* the terminator's place */
    bool sent = send_text(router, text, len + 1);
    free(text);
    return sent;
}

static bool read_answer(struct router *router, struct answer *answer)
{
    char buffer[65536];

    while (!answer->complete) {
        if (!wait_ready(router, POLLIN))
            return false;
        ssize_t n = recv(router->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return fail(router, "%s", strerror(errno));
        if (n == 0)
            return fail(router, "it closed the connection");
        if (!answer_feed(answer, buffer, (size_t)n))
            return fail(router, "it gave an answer that could not be taken");
    }
    if (answer->ok)
        return true;

    json_t *error = json_loadb(answer->head, answer->head_len, 0, NULL);
    fail(router, "it refuses: %s", member_text(error, "error"));
    json_decref(error);
    return false;
}

static bool exchange(struct router *router, const char *command, json_t *args, struct answer *answer)
{
    if (!reach(router)) {
        json_decref(args);
        return false;
    }
    return send_question(router, command, args) && read_answer(router, answer);
}

json_t *router_ask(struct router *router, const char *command, json_t *args)
{
    struct answer_text whole = {.text = NULL};
    struct answer answer;
    json_t *result = NULL;

    answer_init(&answer, answer_text_take, &whole);
    if (exchange(router, command, args, &answer)) {
        result = json_loadb(whole.text, whole.len, JSON_DECODE_ANY, NULL);
        if (result == NULL)
            fail(router, "it gave an answer that is not JSON");
    }
    free(whole.text);
    return result;
}

struct elements {
    struct splitter splitter;
    void (*element)(void *ctx, const json_t *json);
    void *ctx;
};

static void take_element(void *ctx, const char *text, size_t len)
{
    struct elements *elements = ctx;
    json_t *json = json_loadb(text, len, 0, NULL);

    if (json != NULL)
        elements->element(elements->ctx, json);
    json_decref(json);
}

bool router_each(struct router *router, const char *command, json_t *args,
                 void (*element)(void *ctx, const json_t *json), void *ctx)
{
    struct elements elements = {
        .splitter = {.element = take_element, .ctx = &elements}, .element = element, .ctx = ctx};
    struct answer answer;

    answer_init(&answer, splitter_take, &elements.splitter);
    bool done = exchange(router, command, args, &answer);
    splitter_free(&elements.splitter);
    return done;
}
