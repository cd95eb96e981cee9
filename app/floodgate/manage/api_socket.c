/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/api_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

/* Whether a process answers on the socket file. A full backlog is an answer, too. */
static bool answers(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return true; /* not known: leave the file alone */
    bool live = connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 || errno != ECONNREFUSED;
    close(fd);
    return live;
}

/* Makes room at the path: 0, or -errno after a line in the log. */
static int clear_path(const struct sockaddr_un *addr, const struct log_hook *log)
{
    const char *path = addr->sun_path;
    struct stat st;

    if (lstat(path, &st) < 0)
        return 0;                                       /* nothing there, or bind says what is wrong */
    if (stat(path, &st) < 0 || !S_ISSOCK(st.st_mode)) { /* or a link to one */
        log_line(log, LOG_LEVEL_ERROR, "api socket %s: a file of that name exists and is no socket; move it away",
                 path);
        return -EEXIST;
    }
    if (answers(addr)) {
        log_line(log, LOG_LEVEL_ERROR, "api socket %s is in use by a running floodgate", path);
        return -EADDRINUSE;
    }
    log_line(log, LOG_LEVEL_INFO, "api socket %s: replacing the one that a dead process left", path);
    if (unlink(path) < 0) {
        int error = errno;
        log_line(log, LOG_LEVEL_ERROR, "api socket %s: cannot replace it: %s", path, strerror(error));
        return -error;
    }
    return 0;
}

static void log_bind_error(const struct log_hook *log, const char *path, int error)
{
    const char *slash = strrchr(path, '/');
    int dir_len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    const char *dir = slash == NULL ? "." : path;

    if (error == ENOENT)
        log_line(
            log, LOG_LEVEL_ERROR,
            "api socket %s: the directory %.*s does not exist; create it, or set `socket` under `api` to a path in "
            "one that does",
            path, dir_len, dir);
    else if (error == EACCES)
        log_line(log, LOG_LEVEL_ERROR,
                 "api socket %s: no permission to create it in %.*s; set `socket` under `api` to a path that this user "
                 "may write",
                 path, dir_len, dir);
    else
        log_line(log, LOG_LEVEL_ERROR, "api socket %s: %s", path, strerror(error));
}

/* /run is empty after a reboot: makes the socket's own directory, none above it. Where it cannot, bind says why. */
static void make_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

    if (slash == NULL || slash == path)
        return;
    memcpy(dir, path, (size_t)(slash - path));
    dir[slash - path] = '\0';
    mkdir(dir, 0755);
}

int api_socket_open(struct api_socket *sock, const char *path, const struct log_hook *log)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) >= sizeof addr.sun_path) {
        log_line(log, LOG_LEVEL_ERROR, "api socket %s: the path is longer than the %zu octets a unix socket can have",
                 path, sizeof addr.sun_path - 1);
        return -ENAMETOOLONG;
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    int error = clear_path(&addr, log);
    if (error < 0)
        return error;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error = errno;
        log_line(log, LOG_LEVEL_ERROR, "api socket %s: %s", path, strerror(error));
        return -error;
    }
    make_directory(path);
    /* owner and group, from the first moment on */
    mode_t mask = umask(0117);
    error = bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ? errno : 0;
    umask(mask);
    if (error == 0 && (listen(fd, BACKLOG) < 0 || stat(path, &st) < 0))
        error = errno;
    if (error != 0) {
        close(fd);
        log_bind_error(log, path, error);
        return -error;
    }
    *sock = (struct api_socket){.fd = fd, .path = path, .device = st.st_dev, .inode = st.st_ino};
    return 0;
}

void api_socket_remove(const struct api_socket *sock)
{
    struct stat st;

    if (lstat(sock->path, &st) == 0 && st.st_dev == sock->device && st.st_ino == sock->inode)
        unlink(sock->path);
}
