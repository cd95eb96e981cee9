/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane is a way of counting: by prefix (one path of each is told) or by path (each is). Its items are the RIB's own
 * indices of nodes or paths, so an item costs two bits. Changes are put into the lane's queue; a batch of it is sorted
 * by attribute set and said message by message. Encoded withdrawals wait in a buffer for each family, for the prefix
 * may be gone from the RIB by the time they leave.
 */
#include "bgp/route_out.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/unicast_table.h"

#define BATCH_MAX  16384 /* items sorted at a time */
#define WALK_SLICE 16384 /* paths looked at in one step of a walk */
#define ROOM_FIRST 1024

enum lane_kind { BY_PREFIX, BY_PATH, LANE_COUNT };

struct lane {
    uint32_t families;
    uint64_t *told, *pending; /* a bit an item */
    size_t room;              /* items that there are bits for */
    uint32_t *queue;          /* the items whose bit in `pending` is set, each once */
    size_t queued, queue_room, queue_at;
};

/* What waits to be withdrawn of one family: NLRI as they are sent. */
struct withdrawals {
    uint8_t *octets;
    size_t len, room, at;
};

struct batch_item {
    const struct bgp_shared_attrs *attrs;
    uint32_t item;
    uint16_t source;
    uint8_t lane, family; /* number of the family's bit */
};

struct bgp_route_out {
    struct unicast_watch watch; /* first */
    struct bgp_unicast *rib;
    struct bgp_route_out_conf conf;
    const struct bgp_route_out_ops *ops;
    void *ctx;
    struct lane lanes[LANE_COUNT];
    struct withdrawals withdrawals[BGP_FAMILY_COUNT];
    struct batch_item *batch;
    size_t batch_count, batch_at;
    uint32_t walking; /* families */
    bool again;
    uint32_t walked; /* paths up to this index have been looked at */
    size_t pending, counts[BGP_FAMILY_COUNT];
    uint64_t too_large;
    bool idle; /* the owner was told that nothing waits, and has not been told otherwise since */
    bool short_of_memory;
};

/* A route as it stands in the RIB, with the path that would be told of it. */
struct candidate {
    struct bgp_route route;
    struct bgp_unicast_path view;
    const struct unicast_path *path;
};

static bool bit_get(const uint64_t *bits, uint32_t item)
{
    return (bits[item / 64] >> item % 64 & 1) != 0;
}

static void bit_set(uint64_t *bits, uint32_t item)
{
    bits[item / 64] |= UINT64_C(1) << item % 64;
}

static void bit_clear(uint64_t *bits, uint32_t item)
{
    bits[item / 64] &= ~(UINT64_C(1) << item % 64);
}

static bool bits_grow(uint64_t **bits, size_t from, size_t to)
{
    uint64_t *bigger = realloc(*bits, to / 64 * sizeof **bits);

    if (bigger == NULL)
        return false;
    memset(bigger + from / 64, 0, (to - from) / 64 * sizeof *bigger);
    *bits = bigger;
    return true;
}

/* Bits for an item; false when memory is short. */
static bool lane_reserve(struct lane *lane, uint32_t item)
{
    size_t room = lane->room > 0 ? lane->room : ROOM_FIRST;

    if (item < lane->room)
        return true;
    while (room <= item)
        room *= 2;
    if (!bits_grow(&lane->told, lane->room, room) || !bits_grow(&lane->pending, lane->room, room))
        return false;
    lane->room = room;
    return true;
}

static bool queue_push(struct lane *lane, uint32_t item)
{
    if (lane->queued == lane->queue_room && lane->queue_at > lane->queued / 2) {
        lane->queued -= lane->queue_at;
        memmove(lane->queue, lane->queue + lane->queue_at, lane->queued * sizeof lane->queue[0]);
        lane->queue_at = 0;
    }
    if (lane->queued == lane->queue_room) {
        size_t room = lane->queue_room > 0 ? 2 * lane->queue_room : ROOM_FIRST;
        uint32_t *bigger = realloc(lane->queue, room * sizeof *bigger);
        if (bigger == NULL)
            return false;
        lane->queue = bigger;
        lane->queue_room = room;
    }
    lane->queue[lane->queued++] = item;
    return true;
}

static void wake(struct bgp_route_out *out)
{
    if (!out->idle)
        return;
    out->idle = false;
    out->ops->waits(out->ctx);
}

/* There is something to say of the item. */
static void item_pend(struct bgp_route_out *out, struct lane *lane, uint32_t item)
{
    if (!lane_reserve(lane, item)) {
        out->short_of_memory = true;
        return;
    }
    if (bit_get(lane->pending, item))
        return;
    if (!queue_push(lane, item)) {
        out->short_of_memory = true;
        return;
    }
    bit_set(lane->pending, item);
    out->pending++;
    wake(out);
}

static void item_settle(struct bgp_route_out *out, struct lane *lane, uint32_t item)
{
    out->pending -= bit_get(lane->pending, item);
    bit_clear(lane->pending, item);
}

static bool withdrawals_add(struct withdrawals *list, const uint8_t *nlri, size_t len)
{
    if (list->len + len > list->room) {
        size_t room = list->room > 0 ? 2 * list->room : ROOM_FIRST;
        uint8_t *bigger = realloc(list->octets, room);
        if (bigger == NULL)
            return false;
        list->octets = bigger;
        list->room = room;
    }
    memcpy(list->octets + list->len, nlri, len);
    list->len += len;
    return true;
}

static unsigned number_of(uint32_t family)
{
    return (unsigned)__builtin_ctz(family | 1u << (BGP_FAMILY_COUNT - 1));
}

/* Takes a route back that the peer knows, or not. */
static void item_withdraw(struct bgp_route_out *out, struct lane *lane, uint32_t item, const struct bgp_route *route)
{
    uint8_t nlri[BGP_ROUTE_NLRI_MAX];
    unsigned family = number_of(route->family);

    if (!bit_get(lane->told, item))
        return;
    size_t len = bgp_route_encode(route, lane == &out->lanes[BY_PATH], true, nlri);
    if (!withdrawals_add(&out->withdrawals[family], nlri, len))
        out->short_of_memory = true;
    bit_clear(lane->told, item);
    out->counts[family]--;
    wake(out);
}

/* What there is of a lane's item now; `path` NULL: nothing. */
static struct candidate candidate_of(const struct bgp_route_out *out, enum lane_kind kind, uint32_t item)
{
    const struct bgp_unicast *rib = out->rib;
    struct candidate found = {0};
    uint32_t path = item;

    if (kind == BY_PREFIX) {
        const struct trie_node *node = slab_at(&rib->nodes, item);
        path = node->used ? node->value : SLAB_NONE;
    }
    found.path = path != SLAB_NONE ? unicast_path_used(rib, path) : NULL;
    if (found.path == NULL)
        return found;
    unicast_route_of(unicast_table_of(rib, found.path->node), slab_at(&rib->nodes, found.path->node), &found.route);
    unicast_view(rib, path, &found.view);
    found.route.label = found.view.attrs->label;
    found.route.path_id = kind == BY_PATH ? path : 0; /* RFC 7911 3: ours to give; the index is unique, and never 0 */
    return found;
}

static void on_best(struct unicast_watch *watch, uint32_t node)
{
    struct bgp_route_out *out = (struct bgp_route_out *)watch;
    struct lane *lane = &out->lanes[BY_PREFIX];
    const struct unicast_table *table = unicast_table_of(out->rib, node);
    const struct trie_node *at = slab_at(&out->rib->nodes, node);

    if ((table->family & lane->families) == 0)
        return;
    if (at->value != SLAB_NONE) {
        item_pend(out, lane, node);
    } else if (node < lane->room) {
        struct bgp_route route;
        unicast_route_of(table, at, &route);
        item_withdraw(out, lane, node, &route);
    } /* where it is in the queue it stays there: one that comes and goes while a peer does not read is there once */
}

static void on_path(struct unicast_watch *watch, uint32_t path, bool gone)
{
    struct bgp_route_out *out = (struct bgp_route_out *)watch;
    struct lane *lane = &out->lanes[BY_PATH];
    const struct unicast_table *table = unicast_table_of(out->rib, unicast_path_at(out->rib, path)->node);

    if ((table->family & lane->families) == 0)
        return;
    if (!gone) {
        item_pend(out, lane, path);
    } else if (path < lane->room) {
        const struct candidate known = candidate_of(out, BY_PATH, path);
        item_withdraw(out, lane, path, &known.route);
    }
}

struct bgp_route_out *bgp_route_out_open(struct bgp_unicast *rib, const struct bgp_route_out_conf *conf,
                                         const struct bgp_route_out_ops *ops, void *ctx)
{
    struct bgp_route_out *out = calloc(1, sizeof *out);

    if (out == NULL)
        return NULL;
    out->rib = rib;
    out->conf = *conf;
    out->ops = ops;
    out->ctx = ctx;
    out->idle = true;
    out->lanes[BY_PREFIX].families = conf->families & ~conf->add_path;
    out->lanes[BY_PATH].families = conf->families & conf->add_path;
    out->watch = (struct unicast_watch){.next = rib->watches, .best = on_best, .path = on_path};
    rib->watches = &out->watch;
    return out;
}

void bgp_route_out_close(struct bgp_route_out *out)
{
    if (out == NULL)
        return;
    struct unicast_watch **link = &out->rib->watches;
    while (*link != &out->watch)
        link = &(*link)->next;
    *link = out->watch.next;
    for (unsigned i = 0; i < LANE_COUNT; i++) {
        free(out->lanes[i].told);
        free(out->lanes[i].pending);
        free(out->lanes[i].queue);
    }
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        free(out->withdrawals[i].octets);
    free(out->batch);
    free(out);
}

void bgp_route_out_walk(struct bgp_route_out *out, uint32_t families, bool again)
{
    out->walking = families & out->conf.families;
    out->again = again;
    out->walked = 0;
    out->idle = false; /* whoever asks for a walk knows that there is one */
}

/* Whether a walk finds something to say of the item. */
static bool walk_wants(struct bgp_route_out *out, enum lane_kind kind, uint32_t item)
{
    struct lane *lane = &out->lanes[kind];

    if (!lane_reserve(lane, item)) {
        out->short_of_memory = true;
        return false;
    }
    if (out->again)
        return true;
    const struct candidate found = candidate_of(out, kind, item);
    return bit_get(lane->told, item) != out->ops->allowed(out->ctx, &found.route, &found.view);
}

/* Looks at some paths, in the order of their memory: those that came in one UPDATE lie together. */
static void walk_slice(struct bgp_route_out *out)
{
    const struct bgp_unicast *rib = out->rib;
    uint32_t last = rib->paths.high - out->walked > WALK_SLICE ? out->walked + WALK_SLICE : rib->paths.high;

    while (out->walked < last) {
        uint32_t at = ++out->walked;
        const struct unicast_path *path = unicast_path_used(rib, at);
        uint32_t family = path != NULL ? unicast_table_of(rib, path->node)->family & out->walking : 0;
        if (family == 0)
            continue;
        bool by_path = (family & out->lanes[BY_PATH].families) != 0;
        uint32_t item = by_path ? at : path->node;
        if (!by_path && ((const struct trie_node *)slab_at(&rib->nodes, item))->value != at)
            continue;
        if (walk_wants(out, by_path ? BY_PATH : BY_PREFIX, item))
            item_pend(out, &out->lanes[by_path ? BY_PATH : BY_PREFIX], item);
    }
    if (out->walked >= rib->paths.high)
        out->walking = 0;
}

static int compare_batch(const void *a, const void *b)
{
    const struct batch_item *x = a, *y = b;

    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    if (x->attrs != y->attrs)
        return (uintptr_t)x->attrs < (uintptr_t)y->attrs ? -1 : 1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

/* Moves items from a queue into the batch, which is empty, and sorts it. False: there was none. */
static bool batch_fill(struct bgp_route_out *out, enum lane_kind kind)
{
    struct lane *lane = &out->lanes[kind];
    size_t room = lane->queued - lane->queue_at < BATCH_MAX ? lane->queued - lane->queue_at : BATCH_MAX;

    out->batch_at = out->batch_count = 0;
    free(out->batch);
    out->batch = room > 0 ? malloc(room * sizeof out->batch[0]) : NULL;
    if (out->batch == NULL) {
        out->short_of_memory |= room > 0;
        return false;
    }
    for (size_t i = 0; i < room; i++) {
        uint32_t item = lane->queue[lane->queue_at++];
        const struct candidate found = candidate_of(out, kind, item);
        out->batch[out->batch_count++] = (struct batch_item){
            .item = item,
            .lane = (uint8_t)kind,
            .attrs = found.path != NULL ? bgp_attrs_base(found.path->attrs) : NULL,
            .source = found.path != NULL ? found.path->source : 0,
            .family = found.path != NULL ? (uint8_t)number_of(found.route.family) : 0,
        };
    }
    if (lane->queue_at == lane->queued) {
        lane->queue_at = lane->queued = 0;
        free(lane->queue); /* it may have held a whole table */
        lane->queue = NULL;
        lane->queue_room = 0;
    }
    qsort(out->batch, out->batch_count, sizeof out->batch[0], compare_batch);
    return true;
}

/* The set of the message that is being built. */
struct message_set {
    const struct bgp_shared_attrs *attrs; /* but for the label, which is in the NLRI; NULL: no message yet */
    uint32_t family;
    uint16_t source;
    bool long_lived;
};

static struct message_set message_set_of(const struct candidate *found)
{
    return (struct message_set){bgp_attrs_base(found->path->attrs), found->route.family, found->path->source,
                                found->view.long_lived};
}

/* Whether the route goes with those of a set. */
static bool message_takes(const struct message_set *set, const struct candidate *found)
{
    const struct message_set own = message_set_of(found);

    return set->attrs == own.attrs && set->source == own.source && set->family == own.family &&
           set->long_lived == own.long_lived;
}

static void message_begin(struct bgp_route_out *out, struct bgp_builder *builder, const struct candidate *found,
                          struct message_set *set)
{
    struct bgp_attrs attrs;

    *set = message_set_of(found);
    out->ops->attributes(out->ctx, found->route.family, &found->view, &attrs);
    bgp_builder_begin_routes(builder, found->route.family, &attrs, out->conf.four_octet_as, out->conf.update_max);
}

enum said { SAID, NOT_NOW };

/* One item into the message, or what else becomes of it. NOT_NOW: it belongs into the next one. */
static enum said item_say(struct bgp_route_out *out, const struct batch_item *item, struct bgp_builder *builder,
                          struct message_set *set)
{
    struct lane *lane = &out->lanes[item->lane];
    uint8_t nlri[BGP_ROUTE_NLRI_MAX];

    const struct candidate found = candidate_of(out, (enum lane_kind)item->lane, item->item);
    if (found.path == NULL || (found.route.family & lane->families) == 0) {
        item_settle(out, lane, item->item);
        return SAID; /* the index is another's now, and none of ours */
    }
    if (!out->ops->allowed(out->ctx, &found.route, &found.view)) {
        item_withdraw(out, lane, item->item, &found.route);
        item_settle(out, lane, item->item);
        return SAID;
    }
    if (set->attrs == NULL)
        message_begin(out, builder, &found, set);
    else if (!message_takes(set, &found))
        return NOT_NOW;
    size_t len = bgp_route_encode(&found.route, item->lane == BY_PATH, false, nlri);
    if (bgp_builder_add_nlri(builder, nlri, len)) {
        out->counts[number_of(found.route.family)] += !bit_get(lane->told, item->item);
        bit_set(lane->told, item->item);
    } else if (builder->count > 0) {
        return NOT_NOW;
    } else { /* RFC 8654 4: what fits into no message is not announced */
        out->too_large++;
        item_withdraw(out, lane, item->item, &found.route);
        set->attrs = NULL;
    }
    item_settle(out, lane, item->item);
    return SAID;
}

/* Announcements of one attribute set from the batch; false when what was left of it had nothing to say. */
static bool next_announcements(struct bgp_route_out *out, struct bgp_builder *builder)
{
    struct message_set set = {0};

    while (out->batch_at < out->batch_count) {
        if (item_say(out, &out->batch[out->batch_at], builder, &set) == NOT_NOW)
            break;
        out->batch_at++;
    }
    return set.attrs != NULL && bgp_builder_finish(builder) > 0;
}

/* The length of an encoded NLRI, of which there is enough. */
static size_t nlri_len(const uint8_t *nlri, bool add_path)
{
    size_t before = add_path ? 4 : 0;

    return before + 1 + (nlri[before] + 7u) / 8;
}

static bool next_withdrawals(struct bgp_route_out *out, unsigned family, struct bgp_builder *builder)
{
    struct withdrawals *list = &out->withdrawals[family];
    bool add_path = (out->lanes[BY_PATH].families & 1u << family) != 0;

    if (list->len == 0)
        return false;
    bgp_builder_begin_routes(builder, 1u << family, NULL, out->conf.four_octet_as, out->conf.update_max);
    while (list->at < list->len) {
        size_t len = nlri_len(list->octets + list->at, add_path);
        if (!bgp_builder_add_nlri(builder, list->octets + list->at, len))
            break;
        list->at += len;
    }
    if (list->at == list->len) {
        free(list->octets);
        *list = (struct withdrawals){0};
    }
    return bgp_builder_finish(builder) > 0;
}

enum bgp_route_out_kind bgp_route_out_next(struct bgp_route_out *out, struct bgp_builder *builder)
{
    for (;;) {
        for (unsigned family = 0; family < BGP_FAMILY_COUNT; family++)
            if (next_withdrawals(out, family, builder))
                return BGP_ROUTE_OUT_UPDATE;
        if (out->batch_at < out->batch_count) {
            if (next_announcements(out, builder))
                return BGP_ROUTE_OUT_UPDATE;
            continue; /* withdrawals may have come of it */
        }
        if (batch_fill(out, BY_PREFIX) || batch_fill(out, BY_PATH))
            continue;
        if (out->walking == 0) {
            out->idle = true;
            return BGP_ROUTE_OUT_NOTHING;
        }
        walk_slice(out);
        return BGP_ROUTE_OUT_MORE;
    }
}

bool bgp_route_out_empty(const struct bgp_route_out *out)
{
    bool waits = out->walking != 0 || out->batch_at < out->batch_count;

    for (unsigned i = 0; i < LANE_COUNT; i++)
        waits = waits || out->lanes[i].queue_at < out->lanes[i].queued;
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        waits = waits || out->withdrawals[i].len > 0;
    return !waits;
}

size_t bgp_route_out_count(const struct bgp_route_out *out, uint32_t family)
{
    return out->counts[number_of(family)];
}

size_t bgp_route_out_queued(const struct bgp_route_out *out)
{
    return out->pending;
}

uint64_t bgp_route_out_too_large(const struct bgp_route_out *out)
{
    return out->too_large;
}

size_t bgp_route_out_memory(const struct bgp_route_out *out)
{
    size_t octets = sizeof *out + (out->batch != NULL ? out->batch_count * sizeof out->batch[0] : 0);

    for (unsigned i = 0; i < LANE_COUNT; i++)
        octets += out->lanes[i].room / 64 * 2 * sizeof(uint64_t) + out->lanes[i].queue_room * sizeof(uint32_t);
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        octets += out->withdrawals[i].room;
    return octets;
}

bool bgp_route_out_short(const struct bgp_route_out *out)
{
    return out->short_of_memory;
}
