/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions of peers, from one look to the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "member.h"

struct seen {
    char name[EVENT_WORD], address[EVENT_WORD];
    bool up;
    uint64_t count; /* sessions so far */
};

struct peer_watch {
    bool looked;
    size_t count;
    struct seen *peers; /* by name */
};

struct peer_watch *peer_watch_create(void)
{
    return calloc(1, sizeof(struct peer_watch));
}

void peer_watch_free(struct peer_watch *watch)
{
    if (watch != NULL)
        free(watch->peers);
    free(watch);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

static struct seen *read_peers(const json_t *peers, size_t *count)
{
    size_t most = json_array_size(peers);
    struct seen *list = calloc(most + 1, sizeof *list);

    *count = most;
    for (size_t i = 0; list != NULL && i < most; i++) {
        const json_t *peer = json_array_get(peers, i);
        snprintf(list[i].name, sizeof list[i].name, "%s", member_text(peer, "name"));
        snprintf(list[i].address, sizeof list[i].address, "%s", member_text(peer, "address"));
        list[i].up = strcmp(member_text(peer, "state"), "Established") == 0;
        list[i].count = member_uint(peer, "established_count");
    }
    if (list != NULL)
        qsort(list, most, sizeof *list, by_name);
    return list;
}

static const char *last_down(const json_t *peers, const char *name)
{
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        if (strcmp(member_text(peer, "name"), name) == 0)
            return member_text(peer, "last_down");
    }
    return "the peer was removed";
}

struct look {
    const json_t *peers;
    void (*emit)(void *ctx, const struct event *event);
    void *ctx;
};

static void tell(const struct look *look, const struct seen *peer, enum event_kind kind)
{
    struct event event = {.kind = kind, .count = peer->count};

    memcpy(event.peer, peer->name, sizeof event.peer);
    memcpy(event.address, peer->address, sizeof event.address);
    if (kind == EVENT_PEER_DOWN)
        snprintf(event.reason, sizeof event.reason, "%s", last_down(look->peers, peer->name));
    look->emit(look->ctx, &event);
}

/* `now` NULL: it is gone. A count that grew says that sessions came of which only the outcome is seen. */
static void compare(const struct look *look, const struct seen *before, const struct seen *now, bool fresh)
{
    bool was_up = before != NULL && before->up, up = now != NULL && now->up;
    uint64_t had = before != NULL && !fresh ? before->count : 0, has = now != NULL ? now->count : had;

    if (has < had)
        had = 0; /* it was taken out and put in again: its sessions are counted anew */
    uint64_t in_between = has - had - (up && !was_up);

    if (was_up && (!up || in_between > 0 || fresh))
        tell(look, now != NULL ? now : before, EVENT_PEER_DOWN);
    if (up && (!was_up || in_between > 0 || fresh))
        tell(look, now, EVENT_PEER_UP);
    if (!was_up && !up && in_between > 0) {
        tell(look, now, EVENT_PEER_UP);
        tell(look, now, EVENT_PEER_DOWN);
    }
}

bool peer_watch_look(struct peer_watch *watch, const json_t *peers, bool fresh,
                     void (*emit)(void *ctx, const struct event *event), void *ctx)
{
    const struct look look = {.peers = peers, .emit = emit, .ctx = ctx};
    size_t count, i = 0, j = 0;
    struct seen *now = read_peers(peers, &count);

    if (now == NULL)
        return false;
    while (watch->looked && (i < watch->count || j < count)) {
        int order = i == watch->count ? 1 : j == count ? -1 : by_name(&watch->peers[i], &now[j]);
        compare(&look, order <= 0 ? &watch->peers[i] : NULL, order >= 0 ? &now[j] : NULL, fresh);
        i += order <= 0;
        j += order >= 0;
    }
    free(watch->peers);
    watch->peers = now;
    watch->count = count;
    watch->looked = true;
    return true;
}
