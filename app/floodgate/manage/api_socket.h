/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's listening socket: a file with an owner, which may have died and left it. */
#ifndef FLOODGATE_API_SOCKET_H
#define FLOODGATE_API_SOCKET_H

#include <sys/types.h>

#include "base/log.h"

struct api_socket {
    int fd;
    const char *path;
    dev_t device; /* the file we made: another process may have replaced it by the time we leave */
    ino_t inode;
};

/* Binds and listens. 0, or -errno after one line in the log that says what to do. */
int api_socket_open(struct api_socket *sock, const char *path, const struct log_hook *log);

/* Removes the file while it is still ours. The descriptor is the listener's, not closed here. */
void api_socket_remove(const struct api_socket *sock);

#endif
