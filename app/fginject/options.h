/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FGINJECT_OPTIONS_H
#define FGINJECT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct options {
    struct sockaddr_storage peer;
    socklen_t peer_len;
    char peer_text[64]; /* ADDR:PORT, for messages */
    struct sockaddr_storage bind;
    socklen_t bind_len; /* 0: any */
    uint32_t local_as, peer_as, router_id;
    uint32_t rate_per_s; /* rules; 0: as fast as the peer takes them */
    uint32_t wait_s;
    uint16_t hold_time_s;
    bool hold, withdraw, legacy_ipv6_offset, no_extended_message, verbose;
    const char *file;
};

/* Exit status, or -1 to go on. Speaks for itself on stdout and stderr. */
int options_read(struct options *options, int argc, char **argv);

#endif
