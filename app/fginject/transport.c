/* SPDX-License-Identifier: BSD-3-Clause */
#include "transport.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define DRAINED_OCTETS  (256 * 1024) /* below this, more is asked for */
#define CLOSE_TIMEOUT_S 2

struct transport {
    struct event_base *base;
    const struct options *options;
    const struct transport_ops *ops;
    void *ctx;
    struct bufferevent *bev;
    struct event *close_timer; /* closing: when to give up; connecting: tells of a failure that came at once */
    bool up, closing, shut;
    int error; /* of an attempt that could not even begin */
};

static void drop(struct transport *t)
{
    if (t->bev != NULL)
        bufferevent_free(t->bev);
    t->bev = NULL;
    t->up = t->closing = t->shut = false;
    event_del(t->close_timer);
}

static void finish_close(struct transport *t)
{
    drop(t);
    t->ops->closed(t->ctx);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct transport *t = ctx;

    (void)fd;
    (void)what;
    if (t->closing) {
        finish_close(t);
        return;
    }
    drop(t);
    t->ops->down(t->ctx, false, strerror(t->error));
}

/* A close with octets unread would reset the connection and take our last words with it: say goodbye, then listen. */
static void shut_if_drained(struct transport *t)
{
    if (t->closing && !t->shut && evbuffer_get_length(bufferevent_get_output(t->bev)) == 0) {
        t->shut = true;
        shutdown(bufferevent_getfd(t->bev), SHUT_WR);
    }
}

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct transport *t = ctx;
    struct evbuffer *in = bufferevent_get_input(bev);

    while (t->bev == bev && !t->closing && evbuffer_get_length(in) > 0) {
        size_t len = evbuffer_get_contiguous_space(in);
        char *copy = malloc(len);
        if (copy == NULL)
            return;
        evbuffer_remove(in, copy, len);
        t->ops->received(t->ctx, copy, len);
        free(copy);
    }
    if (t->bev == bev && t->closing)
        evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_write(struct bufferevent *bev, void *ctx)
{
    struct transport *t = ctx;

    (void)bev;
    if (t->closing)
        shut_if_drained(t);
    else if (t->up)
        t->ops->drained(t->ctx);
}

static void on_event(struct bufferevent *bev, short events, void *ctx)
{
    struct transport *t = ctx;
    int error = EVUTIL_SOCKET_ERROR();

    if (events & BEV_EVENT_CONNECTED) {
        int on = 1;
        setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        t->up = true;
        t->ops->up(t->ctx);
        return;
    }
    if (t->closing) {
        finish_close(t);
        return;
    }
    bool was_up = t->up;
    drop(t);
    t->ops->down(t->ctx, was_up, events & BEV_EVENT_EOF ? "closed by the router" : strerror(error));
}

struct transport *transport_create(struct event_base *base, const struct options *options,
                                   const struct transport_ops *ops, void *ctx)
{
    struct transport *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    *t = (struct transport){.base = base, .options = options, .ops = ops, .ctx = ctx};
    t->close_timer = evtimer_new(base, on_timer, t);
    if (t->close_timer == NULL) {
        free(t);
        return NULL;
    }
    return t;
}

void transport_free(struct transport *t)
{
    if (t == NULL)
        return;
    drop(t);
    event_free(t->close_timer);
    free(t);
}

/* A socket, bound where that was asked for; below 0 -errno. */
static int open_socket(const struct options *options)
{
    int fd = socket(options->peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (options->bind_len != 0 && bind(fd, (const struct sockaddr *)&options->bind, options->bind_len) != 0) {
        int error = errno;
        evutil_closesocket(fd);
        return -error;
    }
    return fd;
}

static void fail_soon(struct transport *t, int error)
{
    t->error = error;
    event_add(t->close_timer, &(struct timeval){0, 0});
}

void transport_connect(struct transport *t)
{
    int fd = open_socket(t->options);

    drop(t);
    if (fd < 0) {
        fail_soon(t, -fd);
        return;
    }
    t->bev = bufferevent_socket_new(t->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (t->bev == NULL) {
        evutil_closesocket(fd);
        fail_soon(t, ENOMEM);
        return;
    }
    bufferevent_setcb(t->bev, on_read, on_write, on_event, t);
    bufferevent_setwatermark(t->bev, EV_WRITE, DRAINED_OCTETS, 0);
    bufferevent_enable(t->bev, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(t->bev, (const struct sockaddr *)&t->options->peer, (int)t->options->peer_len) !=
        0) {
        bufferevent_setcb(t->bev, NULL, NULL, NULL, NULL);
        fail_soon(t, errno);
    }
}

void transport_send(struct transport *t, const void *data, size_t len)
{
    if (t->bev != NULL && !t->closing)
        bufferevent_write(t->bev, data, len);
}

void transport_close(struct transport *t)
{
    if (t->bev == NULL || !t->up) {
        drop(t);
        return;
    }
    t->closing = true;
    bufferevent_setwatermark(t->bev, EV_WRITE, 0, 0);
    event_add(t->close_timer, &(struct timeval){CLOSE_TIMEOUT_S, 0});
    shut_if_drained(t);
}

bool transport_is_up(const struct transport *t)
{
    return t->up;
}

size_t transport_waiting(const struct transport *t)
{
    return t->bev != NULL ? evbuffer_get_length(bufferevent_get_output(t->bev)) : 0;
}

size_t transport_unacknowledged(const struct transport *t)
{
    int octets = 0;

    if (t->bev == NULL || ioctl(bufferevent_getfd(t->bev), SIOCOUTQ, &octets) != 0 || octets < 0)
        return 0;
    return (size_t)octets;
}
