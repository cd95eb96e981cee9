/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listening for peers. A connection is a peer's by its source address alone (RFC 4271 8.2.1: others are not answered),
 * where need be one that is made for it (dynamic.h);
 * whether the session can use it is for the session to say.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "control/dynamic.h"
#include "control/internal.h"
#include "control/socket_guard.h"

#define BACKLOG       64
#define OUT_OF_FDS_MS 1000 /* to wait after accept(2) failed: trying at once would spin */

struct listener {
    struct incoming *incoming;
    struct ip_addr address;
    uint16_t port;
    struct evconnlistener *evl;
    struct event *again;
};

struct incoming {
    struct control *control;
    struct listener **listeners;
    size_t count;
    uint64_t unknown;
    struct log_limit unknown_lines, error_lines;
};

struct incoming *incoming_create(struct control *control)
{
    struct incoming *incoming = calloc(1, sizeof *incoming);

    if (incoming != NULL)
        incoming->control = control;
    return incoming;
}

static struct peer *peer_of_address(const struct control *control, const struct ip_addr *address)
{
    for (size_t i = 0; i < control->peer_count; i++)
        if (ip_addr_equal(&control->peers[i]->conf.address, address))
            return control->peers[i];
    return NULL;
}

static void turn_away(struct incoming *incoming, evutil_socket_t fd, const struct ip_addr *address, const char *why)
{
    char text[IP_TEXT_SIZE];
    uint64_t held_back;

    evutil_closesocket(fd);
    if (cfg_peer_of_address(incoming->control->cfg, address) == NULL)
        incoming->unknown++;
    if (!log_limit_pass(&incoming->unknown_lines, control_now(), &held_back))
        return;
    log_line(incoming->control->log, LOG_LEVEL_NOTICE, "connection from %s closed: %s",
             address->family != IP_NONE ? ip_addr_format(address, text) : "an unknown address", why);
    if (held_back > 0)
        log_line(incoming->control->log, LOG_LEVEL_NOTICE, "%llu more such connections were not logged",
                 (unsigned long long)held_back);
}

static void on_accepted(struct evconnlistener *evl, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
    struct listener *listener = arg;
    const struct ip_addr address = transport_address(sa);
    struct peer *peer = peer_of_address(listener->incoming->control, &address);
    char why[128];

    (void)evl;
    (void)len;
    if (peer == NULL)
        peer = dynamic_peer(listener->incoming->control->dynamic, &address, why, sizeof why);
    if (peer == NULL)
        turn_away(listener->incoming, fd, &address, why);
    else
        peer_accept(peer, fd);
}

static void on_error(struct evconnlistener *evl, void *arg)
{
    struct listener *listener = arg;
    const struct timeval wait = {.tv_sec = OUT_OF_FDS_MS / 1000, .tv_usec = OUT_OF_FDS_MS % 1000 * 1000};
    int error = EVUTIL_SOCKET_ERROR();
    uint64_t held_back;

    if (log_limit_pass(&listener->incoming->error_lines, control_now(), &held_back))
        log_line(listener->incoming->control->log, LOG_LEVEL_ERROR, "cannot accept BGP connections: %s",
                 strerror(error));
    evconnlistener_disable(evl);
    evtimer_add(listener->again, &wait);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct listener *listener = arg;

    (void)fd;
    (void)what;
    evconnlistener_enable(listener->evl);
}

static void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->evl != NULL)
        evconnlistener_free(listener->evl);
    if (listener->again != NULL)
        event_free(listener->again);
    free(listener);
}

static const char *listen_hint(int error)
{
    switch (error) {
    case EADDRINUSE:
        return " (another program listens there)";
    case EADDRNOTAVAIL:
        return " (no interface has this address)";
    case EACCES:
        return " (ports below 1024 need CAP_NET_BIND_SERVICE)";
    default:
        return "";
    }
}

static void listener_password(struct listener *listener, struct peer *peer)
{
    const struct log_hook *log = listener->incoming->control->log;
    char text[IP_TEXT_SIZE];

    if (listener->address.family != peer->conf.address.family || cfg_peer_is_range(&peer->conf) ||
        socket_guard_password(evconnlistener_get_fd(listener->evl), &peer->conf.address, peer->conf.password) == 0)
        return;
    if (peer->conf.password == NULL)
        return;
    peer->password_unset = true; /* better no session than one that anybody may have */
    log_line(log, LOG_LEVEL_ERROR,
             "peer %s: its password cannot be set on %s port %u: %s; connections from it are refused", peer->name,
             ip_addr_format(&listener->address, text), listener->port, strerror(errno));
}

/* NULL after a line in `why`. */
static struct listener *listener_open(struct incoming *incoming, const struct cfg_listen *conf, char *why, size_t size)
{
    struct listener *listener = calloc(1, sizeof *listener);
    struct event_base *base = incoming->control->base;
    struct sockaddr_storage sa;
    socklen_t len = transport_sockaddr(&conf->address, conf->port, &sa);
    /* an IPv6 wildcard takes IPv6 only: the IPv4 one is a listener of its own */
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE |
                     (conf->address.family == IP_V6 ? LEV_OPT_BIND_IPV6ONLY : 0);
    char text[IP_TEXT_SIZE];

    if (listener != NULL) {
        *listener = (struct listener){.incoming = incoming, .address = conf->address, .port = conf->port};
        listener->again = evtimer_new(base, on_again, listener);
        errno = ENOMEM;
        if (listener->again != NULL)
            listener->evl =
                evconnlistener_new_bind(base, on_accepted, listener, flags, BACKLOG, (struct sockaddr *)&sa, (int)len);
    }
    if (listener == NULL || listener->evl == NULL) {
        int error = listener == NULL ? ENOMEM : errno;
        snprintf(why, size, "cannot listen on %s port %u: %s%s", ip_addr_format(&conf->address, text), conf->port,
                 strerror(error), listen_hint(error));
        listener_close(listener);
        return NULL;
    }
    evconnlistener_set_error_cb(listener->evl, on_error);
    socket_guard_listen(evconnlistener_get_fd(listener->evl), conf->address.family);
    for (size_t i = 0; i < incoming->control->peer_count; i++)
        if (incoming->control->peers[i]->conf.password != NULL)
            listener_password(listener, incoming->control->peers[i]);
    dynamic_guard(incoming->control->dynamic, evconnlistener_get_fd(listener->evl), listener->address.family);
    return listener;
}

static struct listener **listener_of(struct incoming *incoming, const struct cfg_listen *conf)
{
    for (size_t i = 0; i < incoming->count; i++) {
        struct listener *listener = incoming->listeners[i];
        if (listener != NULL && listener->port == conf->port && ip_addr_equal(&listener->address, &conf->address))
            return &incoming->listeners[i];
    }
    return NULL;
}

void incoming_password(struct incoming *incoming, struct peer *peer)
{
    for (size_t i = 0; incoming != NULL && i < incoming->count; i++)
        listener_password(incoming->listeners[i], peer);
}

static void listeners_close(struct listener **listeners, size_t count)
{
    for (size_t i = 0; i < count; i++)
        listener_close(listeners[i]);
    free(listeners);
}

bool incoming_set(struct incoming *incoming, const struct cfg_listen *listens, size_t count, char *why, size_t size)
{
    struct listener **fresh = calloc(count + 1, sizeof(struct listener *));

    if (fresh == NULL) {
        snprintf(why, size, "no memory to listen");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (listener_of(incoming, &listens[i]) != NULL)
            continue;
        fresh[i] = listener_open(incoming, &listens[i], why, size);
        if (fresh[i] == NULL) {
            listeners_close(fresh, i);
            return false;
        }
    }
    /* nothing can fail any more: those that stay move over, the others close */
    for (size_t i = 0; i < count; i++) {
        struct listener **old = listener_of(incoming, &listens[i]);
        if (fresh[i] == NULL && old != NULL) {
            fresh[i] = *old;
            *old = NULL;
        }
    }
    listeners_close(incoming->listeners, incoming->count);
    incoming->listeners = fresh;
    incoming->count = count;
    return true;
}

void incoming_free(struct incoming *incoming)
{
    if (incoming == NULL)
        return;
    listeners_close(incoming->listeners, incoming->count);
    free(incoming);
}

void incoming_each(struct incoming *incoming, void (*see)(void *ctx, evutil_socket_t listener, unsigned family),
                   void *ctx)
{
    for (size_t i = 0; incoming != NULL && i < incoming->count; i++)
        see(ctx, evconnlistener_get_fd(incoming->listeners[i]->evl), incoming->listeners[i]->address.family);
}

uint64_t incoming_unknown(const struct incoming *incoming)
{
    return incoming->unknown;
}
