/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A BGP speaker of a few octets for tests: connects over loopback from an address of its own, and says exactly what the
 * test wants said. While it waits it runs the router's event base.
 */
#ifndef SPEAKER_H
#define SPEAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;

struct speaker {
    struct event_base *base;
    int fd;
    uint8_t in[65536];
    size_t in_len;
};

/* A TCP port of 127.0.0.1 that nobody listens on. */
uint16_t speaker_free_port(void);

void speaker_connect(struct speaker *speaker, struct event_base *base, const char *from, uint16_t to_port);
/* Waits for the router to connect to a listening socket of ours, made with speaker_listen. */
int speaker_listen(const char *address, uint16_t *port);
void speaker_accept(struct speaker *speaker, struct event_base *base, int listening);
void speaker_close(struct speaker *speaker);

void speaker_send(struct speaker *speaker, const void *data, size_t len);
void speaker_open(struct speaker *speaker, uint16_t as, uint16_t hold_time_s); /* with both flowspec families */
void speaker_keepalive(struct speaker *speaker);
void speaker_update(struct speaker *speaker, const void *body, size_t len);

/* Waits for a message of that type, past others; its body's length, or -1 when the router closed first. */
int speaker_expect(struct speaker *speaker, uint8_t type, const uint8_t **body);
bool speaker_closed(struct speaker *speaker); /* waits for the router's close */

/* OPEN and KEEPALIVE both ways. */
void speaker_establish(struct speaker *speaker, uint16_t as);

/* Runs the event base until the condition holds; false after half a minute. */
bool speaker_wait(struct event_base *base, bool (*holds)(void *ctx), void *ctx);
void speaker_turn(struct event_base *base); /* a millisecond of it */

#endif
