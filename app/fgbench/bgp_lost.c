/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp_lost.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

#define WITHIN_S 120.0
#define ASK_US   500
#define LAST     "gone with the session" /* what the router says when the last of it is gone, of routes after rules */

/* A connection to the router's API, or -1. */
static int api_connect(const struct daemon *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/api.sock", daemon->folder);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* One question and its answer, which is a line. */
static bool api_ask(int fd)
{
    static const char QUESTION[] = "{\"command\": \"peer\", \"args\": {}}\n"; /* refused: an answer without any work */
    char answer[4096];
    ssize_t len;

    if (write(fd, QUESTION, sizeof QUESTION - 1) != (ssize_t)sizeof QUESTION - 1)
        return false;
    do
        len = read(fd, answer, sizeof answer);
    while (len > 0 && answer[len - 1] != '\n');
    return len > 0;
}

/* How often the router has said so in its log. */
static unsigned said(const struct daemon *daemon, const char *what)
{
    static char text[1 << 20];
    char path[128];
    unsigned count = 0;

    snprintf(path, sizeof path, "%s/err", daemon->folder);
    int fd = open(path, O_RDONLY);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}

bool bgp_lost_wait(const struct daemon *daemon, struct bgp_lost *out)
{
    const double begun = bench_seconds();
    int fd = api_connect(daemon);

    *out = (struct bgp_lost){0};
    while (fd >= 0 && said(daemon, LAST) < 2 && bench_seconds() - begun < WITHIN_S) {
        double asked = bench_seconds();
        if (!api_ask(fd))
            break;
        double took = bench_seconds() - asked;
        out->longest_answer_s = took > out->longest_answer_s ? took : out->longest_answer_s;
        usleep(ASK_US);
    }
    out->seconds = bench_seconds() - begun;
    if (fd >= 0)
        close(fd);
    return said(daemon, LAST) >= 2;
}
