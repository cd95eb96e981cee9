/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "control/socket_guard.h"

#define TOS_NETWORK_CONTROL 0xc0 /* DSCP CS6: routing protocols go first where queues are full */

struct transport {
    struct transport_set *set;
    struct transport *next, **link; /* in the set */
    struct bufferevent *bev;
    struct event *timer; /* ends a linger; reports an overrun */
    const struct transport_ops *ops;
    void *ctx;
    bool connecting;
    bool overrun;  /* too much waits to be sent: `failed` is about to be called */
    bool detached; /* the owner has let go */
    bool finished; /* detached, and the sending side is shut down */
};

socklen_t transport_sockaddr(const struct ip_addr *addr, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->family == IP_V6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        memcpy(&in6->sin6_addr, addr->octets, 16);
        return sizeof *in6;
    }
    struct sockaddr_in *in4 = (struct sockaddr_in *)out;
    in4->sin_family = AF_INET;
    in4->sin_port = htons(port);
    memcpy(&in4->sin_addr, addr->octets, 4);
    return sizeof *in4;
}

struct ip_addr transport_address(const struct sockaddr *sa)
{
    struct ip_addr addr = {.family = IP_NONE};

    if (sa->sa_family == AF_INET) {
        addr.family = IP_V4;
        memcpy(addr.octets, &((const struct sockaddr_in *)sa)->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;
        addr.family = IN6_IS_ADDR_V4MAPPED(in6) ? IP_V4 : IP_V6;
        if (addr.family == IP_V4)
            memcpy(addr.octets, in6->s6_addr + 12, 4);
        else
            memcpy(addr.octets, in6->s6_addr, 16);
    }
    return addr;
}

static void transport_free(struct transport *transport)
{
    *transport->link = transport->next;
    if (transport->next != NULL)
        transport->next->link = transport->link;
    if (transport->timer != NULL)
        event_free(transport->timer);
    if (transport->bev != NULL)
        bufferevent_free(transport->bev);
    free(transport);
}

static void transport_fail(struct transport *transport, const char *why)
{
    const struct transport_ops *ops = transport->ops;

    if (!transport->detached) {
        transport->detached = true;
        ops->failed(transport->ctx, transport, why);
    }
    transport_free(transport);
}

/* Shuts the sending side once all has left, so that the peer reads to the end; it then closes, or the timer ends it. */
static void transport_finish(struct transport *transport)
{
    if (transport->finished || evbuffer_get_length(bufferevent_get_output(transport->bev)) > 0)
        return;
    transport->finished = true;
    shutdown(bufferevent_getfd(transport->bev), SHUT_WR);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
    struct transport *transport = arg;
    struct evbuffer *input = bufferevent_get_input(bev);
    size_t len;

    /* chunk by chunk as they lie in the buffer: nothing is copied, and the owner may let go in between */
    while (!transport->detached && (len = evbuffer_get_contiguous_space(input)) > 0) {
        transport->ops->received(transport->ctx, transport, evbuffer_pullup(input, (ev_ssize_t)len), len);
        evbuffer_drain(input, len);
    }
    evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct transport *transport = arg;

    (void)bev;
    if (transport->detached)
        transport_finish(transport);
    else if (transport->ops->drained != NULL)
        transport->ops->drained(transport->ctx, transport);
}

/* From within the write to the socket, not from within a call of ours. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
    struct transport *transport = arg;

    if (info->n_deleted > 0 && !transport->detached && transport->ops->output != NULL)
        transport->ops->output(transport->ctx, transport, evbuffer_get_length(output));
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct transport *transport = arg;
    int error = EVUTIL_SOCKET_ERROR();

    if (what & BEV_EVENT_CONNECTED) {
        transport->connecting = false;
        bufferevent_enable(bev, EV_READ);
        if (!transport->detached)
            transport->ops->connected(transport->ctx, transport);
    } else if (what & BEV_EVENT_EOF) {
        transport_fail(transport, "closed by the peer");
    } else {
        transport_fail(transport, error != 0 ? strerror(error) : "lost");
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    transport_fail(arg, "the peer does not read what is sent to it");
}

static struct transport *transport_create(struct transport_set *set, evutil_socket_t fd,
                                          const struct transport_ops *ops, void *ctx)
{
    struct transport *transport = calloc(1, sizeof *transport);

    if (transport == NULL) {
        evutil_closesocket(fd);
        return NULL;
    }
    transport->set = set;
    transport->ops = ops;
    transport->ctx = ctx;
    transport->next = set->first;
    transport->link = &set->first;
    if (transport->next != NULL)
        transport->next->link = &transport->next;
    set->first = transport;
    transport->timer = evtimer_new(set->base, on_timer, transport);
    /* deferred: no callback ever runs inside a call of ours */
    transport->bev = bufferevent_socket_new(set->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (transport->bev == NULL)
        evutil_closesocket(fd);
    if (transport->timer == NULL || transport->bev == NULL) {
        transport_free(transport);
        errno = ENOMEM;
        return NULL;
    }
    evbuffer_add_cb(bufferevent_get_output(transport->bev), on_output, transport);
    bufferevent_setcb(transport->bev, on_readable, on_written, on_event, transport);
    bufferevent_setwatermark(transport->bev, EV_WRITE, TRANSPORT_OUTPUT_LOW, 0);
    bufferevent_set_max_single_read(transport->bev, TRANSPORT_SLICE_MAX);
    return transport;
}

static void socket_tune(evutil_socket_t fd, unsigned family)
{
    int on = 1, tos = TOS_NETWORK_CONTROL;

    /* neither is worth refusing a session for */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (family == IP_V6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    else
        setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
}

static evutil_socket_t socket_bound(const struct ip_addr *bind_to, const struct ip_addr *to,
                                    const struct socket_guard *guard)
{
    int domain = to->family == IP_V6 ? AF_INET6 : AF_INET;
    evutil_socket_t fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    struct sockaddr_storage from;

    if (fd < 0)
        return -1;
    socket_tune(fd, to->family);
    /* the device first: an address of a VRF is one only there */
    bool good = socket_guard_connect(fd, to, guard) == 0;
    if (good && bind_to != NULL) {
        socklen_t len = transport_sockaddr(bind_to, 0, &from);
        good = bind(fd, (struct sockaddr *)&from, len) == 0;
    }
    if (!good) {
        int error = errno;
        evutil_closesocket(fd);
        errno = error;
        return -1;
    }
    return fd;
}

struct transport *transport_connect(struct transport_set *set, const struct ip_addr *to, uint16_t port,
                                    const struct ip_addr *bind_to, const struct socket_guard *guard,
                                    const struct transport_ops *ops, void *ctx)
{
    struct sockaddr_storage address;
    socklen_t len = transport_sockaddr(to, port, &address);
    evutil_socket_t fd = socket_bound(bind_to, to, guard);

    if (fd < 0)
        return NULL;
    struct transport *transport = transport_create(set, fd, ops, ctx);
    if (transport == NULL)
        return NULL;
    transport->connecting = true;
    if (bufferevent_socket_connect(transport->bev, (struct sockaddr *)&address, (int)len) < 0) {
        int error = errno;
        transport_free(transport);
        errno = error;
        return NULL;
    }
    return transport;
}

struct transport *transport_accept(struct transport_set *set, evutil_socket_t fd, const struct transport_ops *ops,
                                   void *ctx)
{
    struct sockaddr_storage local;
    socklen_t len = sizeof local;
    bool v6 = getsockname(fd, (struct sockaddr *)&local, &len) == 0 && local.ss_family == AF_INET6;

    socket_tune(fd, v6 ? IP_V6 : IP_V4);
    struct transport *transport = transport_create(set, fd, ops, ctx);
    if (transport != NULL)
        bufferevent_enable(transport->bev, EV_READ | EV_WRITE);
    return transport;
}

void transport_send(struct transport *transport, const void *data, size_t len)
{
    if (transport->detached || transport->overrun)
        return;
    if (evbuffer_get_length(bufferevent_get_output(transport->bev)) + len > TRANSPORT_OUTPUT_MAX ||
        bufferevent_write(transport->bev, data, len) < 0) {
        const struct timeval now = {0};
        transport->overrun = true;
        evtimer_add(transport->timer, &now);
    }
}

struct ip_addr transport_local(const struct transport *transport)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof sa;

    if (getsockname(bufferevent_getfd(transport->bev), (struct sockaddr *)&sa, &len) < 0)
        return (struct ip_addr){.family = IP_NONE};
    return transport_address((struct sockaddr *)&sa);
}

size_t transport_queued(const struct transport *transport)
{
    return evbuffer_get_length(bufferevent_get_output(transport->bev));
}

void transport_close(struct transport *transport)
{
    struct timeval wait = {.tv_sec = TRANSPORT_LINGER_MS / 1000, .tv_usec = TRANSPORT_LINGER_MS % 1000 * 1000};

    transport->detached = true;
    if (transport->connecting)
        wait = (struct timeval){0}; /* nothing was sent: gone at once, but not under the feet of our caller */
    else
        transport_finish(transport);
    evtimer_add(transport->timer, &wait);
}

bool transport_connecting(const struct transport *transport)
{
    return transport->connecting;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Sends what waits, then reads to the peer's end, so that no reset overtakes our last words. */
static void transport_drain(struct transport *transport, int64_t deadline_ms)
{
    struct evbuffer *output = bufferevent_get_output(transport->bev);
    struct pollfd waiting = {.fd = bufferevent_getfd(transport->bev)};
    char waste[4096];

    evbuffer_unfreeze(output, 1);
    for (;;) {
        if (evbuffer_get_length(output) > 0 && evbuffer_write(output, waiting.fd) < 0 && errno != EAGAIN)
            return;
        transport_finish(transport);
        waiting.events = POLLIN | (transport->finished ? 0 : POLLOUT);
        int64_t left = deadline_ms - now_ms();
        if (left <= 0 || poll(&waiting, 1, (int)left) <= 0)
            return;
        if ((waiting.revents & POLLIN) == 0 && (waiting.revents & (POLLERR | POLLHUP)) != 0)
            return;
        if ((waiting.revents & POLLIN) != 0 && read(waiting.fd, waste, sizeof waste) <= 0)
            return;
    }
}

void transport_set_finish(struct transport_set *set, unsigned wait_ms)
{
    int64_t deadline_ms = now_ms() + wait_ms;

    /* all at once get their last octets, then each its share of the wait */
    for (struct transport *transport = set->first; transport != NULL; transport = transport->next)
        if (!transport->connecting)
            transport_drain(transport, 0);
    while (set->first != NULL) {
        if (!set->first->connecting)
            transport_drain(set->first, deadline_ms);
        transport_free(set->first);
    }
}
