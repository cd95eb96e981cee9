/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/answer.h"

#define PATIENCE_S 30 /* without a single octet from the router */

static enum fgctl_status unreachable(const struct fgctl *ctl, int error)
{
    const char *hint = error == ENOENT || error == ECONNREFUSED ? " (is floodgate running? -s SOCKET names another)"
                       : error == EACCES                        ? " (this user may not use the socket)"
                                                                : "";

    fgctl_refuse("cannot reach the router at %s: %s%s", ctl->socket, strerror(error), hint);
    return FGCTL_UNREACHABLE;
}

static enum fgctl_status broke_off(const char *how)
{
    fgctl_refuse("the router %s", how);
    return FGCTL_UNREACHABLE;
}

/* A connected socket, or -1 after a line on stderr. */
static int open_socket(const struct fgctl *ctl)
{
    static const struct timeval PATIENCE = {.tv_sec = PATIENCE_S};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (strlen(ctl->socket) >= sizeof addr.sun_path) {
        unreachable(ctl, ENAMETOOLONG);
        return -1;
    }
    memcpy(addr.sun_path, ctl->socket, strlen(ctl->socket) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
        unreachable(ctl, errno);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &PATIENCE, sizeof PATIENCE);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &PATIENCE, sizeof PATIENCE);
    return fd;
}

/* Takes `args`. A router that hangs up early has said why: that is read afterwards. */
static bool send_request(int fd, const char *command, json_t *args)
{
    json_t *request = json_pack("{s:s, s:o}", "command", command, "args", args != NULL ? args : json_object());
    char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;

    json_decref(request);
    if (text == NULL)
        return false;
    size_t len = strlen(text);
    text[len++] = '\n'; /* the terminator's place */
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    free(text);
    return true;
}

static enum fgctl_status read_answer(int fd, struct answer *answer)
{
    char buffer[65536];

    while (!answer->complete) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return broke_off("does not answer");
        if (n < 0)
            return broke_off(strerror(errno));
        if (n == 0)
            return broke_off("closed the connection before its answer was complete");
        if (!answer_feed(answer, buffer, (size_t)n))
            return broke_off("gave an answer that could not be taken");
    }
    if (answer->ok)
        return FGCTL_DONE;

    json_t *error = json_loadb(answer->head, answer->head_len, 0, NULL);
    const char *text = get_text(error, "error");
    fgctl_refuse("%s", text[0] != '\0' ? text : "the router gave an answer that is not understood");
    json_decref(error);
    return FGCTL_REFUSED;
}

static enum fgctl_status ask(const struct fgctl *ctl, const char *command, json_t *args, struct answer *answer)
{
    int fd = open_socket(ctl);

    if (fd < 0) {
        json_decref(args);
        return FGCTL_UNREACHABLE;
    }
    enum fgctl_status status = send_request(fd, command, args)
                                   ? read_answer(fd, answer)
                                   : fgctl_refuse("the request cannot be sent: it is not UTF-8, or memory is short");
    close(fd);
    return status;
}

enum fgctl_status client_call(const struct fgctl *ctl, const char *command, json_t *args, json_t **result)
{
    struct answer_text whole = {.text = NULL};
    struct answer answer;

    answer_init(&answer, answer_text_take, &whole);
    enum fgctl_status status = ask(ctl, command, args, &answer);
    *result = NULL;
    if (status == FGCTL_DONE) {
        *result = json_loadb(whole.text, whole.len, JSON_DECODE_ANY, NULL);
        if (*result == NULL)
            status = broke_off("gave an answer that is not JSON");
    }
    free(whole.text);
    return status;
}

static bool pass(void *ctx, const char *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len;
}

enum fgctl_status client_pass(const struct fgctl *ctl, const char *command, json_t *args)
{
    struct answer answer;

    answer_init(&answer, pass, stdout);
    enum fgctl_status status = ask(ctl, command, args, &answer);
    if (status == FGCTL_DONE)
        putchar('\n');
    return status;
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

enum fgctl_status client_each(const struct fgctl *ctl, const char *command, json_t *args,
                              void (*element)(void *ctx, const json_t *json), void *ctx)
{
    struct elements elements = {
        .splitter = {.element = take_element, .ctx = &elements}, .element = element, .ctx = ctx};
    struct answer answer;

    answer_init(&answer, splitter_take, &elements.splitter);
    enum fgctl_status status = ask(ctl, command, args, &answer);
    splitter_free(&elements.splitter);
    return status;
}
