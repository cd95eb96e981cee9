/* SPDX-License-Identifier: BSD-3-Clause */
#include "speaker.h"

#include "cm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#define TURNS_MAX 30000

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};

    assert_int_equal(inet_pton(AF_INET, text, &sa.sin_addr), 1);
    return sa;
}

int speaker_listen(const char *address, uint16_t *port)
{
    struct sockaddr_in sa = address_of(address, 0);
    socklen_t len = sizeof sa;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

uint16_t speaker_free_port(void)
{
    uint16_t port;

    close(speaker_listen("127.0.0.1", &port));
    return port;
}

static void speaker_start(struct speaker *speaker, struct event_base *base, int fd)
{
    memset(speaker, 0, sizeof *speaker);
    speaker->base = base;
    speaker->fd = fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

void speaker_connect(struct speaker *speaker, struct event_base *base, const char *from, uint16_t to_port)
{
    struct sockaddr_in local = address_of(from, 0), to = address_of("127.0.0.1", to_port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    speaker_start(speaker, base, fd);
}

void speaker_turn(struct event_base *base)
{
    usleep(1000);
    event_base_loop(base, EVLOOP_NONBLOCK);
}

void speaker_accept(struct speaker *speaker, struct event_base *base, int listening)
{
    int fd = -1;

    fcntl(listening, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < TURNS_MAX && fd < 0; i++) {
        speaker_turn(base);
        fd = accept(listening, NULL, NULL);
    }
    assert_true(fd >= 0);
    speaker_start(speaker, base, fd);
}

void speaker_close(struct speaker *speaker)
{
    close(speaker->fd);
}

void speaker_send(struct speaker *speaker, const void *data, size_t len)
{
    const uint8_t *at = data;

    while (len > 0) {
        ssize_t sent = send(speaker->fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return; /* the router has closed: the test looks for that */
        at += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
        speaker_turn(speaker->base);
    }
}

static void send_message(struct speaker *speaker, uint8_t type, const void *body, size_t len)
{
    uint8_t message[4096];

    memset(message, 0xff, 16);
    message[16] = (uint8_t)((len + 19) >> 8);
    message[17] = (uint8_t)(len + 19);
    message[18] = type;
    memcpy(message + 19, body, len);
    speaker_send(speaker, message, len + 19);
}

void speaker_open(struct speaker *speaker, uint16_t as, uint16_t hold_time_s)
{
    const uint8_t body[] = {4,
                            (uint8_t)(as >> 8),
                            (uint8_t)as,
                            (uint8_t)(hold_time_s >> 8),
                            (uint8_t)hold_time_s,
                            192,
                            0,
                            2,
                            9, /* */
                            20,
                            2,
                            18,
                            1,
                            4,
                            0,
                            1,
                            0,
                            133,
                            1,
                            4,
                            0,
                            2,
                            0,
                            133,
                            65,
                            4,
                            0,
                            0,
                            (uint8_t)(as >> 8),
                            (uint8_t)as};

    send_message(speaker, 1, body, sizeof body);
}

void speaker_keepalive(struct speaker *speaker)
{
    send_message(speaker, 4, "", 0);
}

void speaker_update(struct speaker *speaker, const void *body, size_t len)
{
    send_message(speaker, 2, body, len);
}

/* The length of the message at the start of the input, 0 when it is not whole. */
static size_t message_whole(const struct speaker *speaker)
{
    if (speaker->in_len < 19)
        return 0;
    size_t len = (size_t)speaker->in[16] << 8 | speaker->in[17];
    return speaker->in_len >= len ? len : 0;
}

/* False at the end of the stream. */
static bool read_more(struct speaker *speaker)
{
    speaker_turn(speaker->base);
    ssize_t got = recv(speaker->fd, speaker->in + speaker->in_len, sizeof speaker->in - speaker->in_len, 0);
    if (got > 0)
        speaker->in_len += (size_t)got;
    return got > 0 || (got < 0 && errno == EAGAIN);
}

int speaker_expect(struct speaker *speaker, uint8_t type, const uint8_t **body)
{
    static uint8_t message[65536];

    for (int i = 0; i < TURNS_MAX; i++) {
        size_t len = message_whole(speaker);
        if (len == 0) {
            if (!read_more(speaker) && message_whole(speaker) == 0)
                return -1;
            continue;
        }
        memcpy(message, speaker->in, len);
        speaker->in_len -= len;
        memmove(speaker->in, speaker->in + len, speaker->in_len);
        if (message[18] == type) {
            if (body != NULL)
                *body = message + 19;
            return (int)len - 19;
        }
    }
    fail_msg("no message of type %u came", type);
    return -1;
}

bool speaker_closed(struct speaker *speaker)
{
    for (int i = 0; i < TURNS_MAX; i++)
        if (!read_more(speaker))
            return true;
    return false;
}

void speaker_establish(struct speaker *speaker, uint16_t as)
{
    assert_true(speaker_expect(speaker, 1, NULL) > 0);
    speaker_open(speaker, as, 90);
    speaker_keepalive(speaker);
    assert_int_equal(speaker_expect(speaker, 4, NULL), 0);
    /* End-of-RIB of both families: the router is Established */
    assert_true(speaker_expect(speaker, 2, NULL) > 0);
    assert_true(speaker_expect(speaker, 2, NULL) > 0);
}

bool speaker_wait(struct event_base *base, bool (*holds)(void *ctx), void *ctx)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        if (holds(ctx))
            return true;
        speaker_turn(base);
    }
    return false;
}
