/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes are put into the queue of their lane (bgp/route_lane.h); a batch of it is sorted by attribute set and said
 * message by message. Of what was said a fingerprint is kept: a keyed hash of the attributes as they are sent, so that
 * a route which looks the same from outside is not said again (RFC 4271 9.2), and costs no copy of them.
 */
#include "bgp/route_out.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/route_lane.h"
#include "bgp/unicast_table.h"
#include "bgp/withdrawn_list.h"

#define BATCH_MAX  16384 /* items sorted at a time */
#define WALK_SLICE 16384 /* paths looked at in one step of a walk */

enum lane_kind { BY_PREFIX, BY_PATH, LANE_COUNT };

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
    struct withdrawn_list withdrawals[BGP_FAMILY_COUNT];
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
    if (lane_pends(lane, item))
        return;
    if (!lane_push(lane, item)) {
        out->short_of_memory = true;
        return;
    }
    out->pending++;
    wake(out);
}

static void item_settle(struct bgp_route_out *out, struct lane *lane, uint32_t item)
{
    out->pending -= lane_pends(lane, item);
    lane_settle(lane, item);
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

    if (lane->told[item] == LANE_NOT_TOLD)
        return;
    size_t len = bgp_route_encode(route, lane == &out->lanes[BY_PATH], true, nlri);
    if (!withdrawn_add(&out->withdrawals[family], nlri, len))
        out->short_of_memory = true;
    lane->told[item] = LANE_NOT_TOLD;
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
    for (unsigned i = 0; i < LANE_COUNT; i++)
        lane_free(&out->lanes[i]);
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
    if (out->again) {
        lane->told[item] = lane->told[item] != LANE_NOT_TOLD ? LANE_SAY_AGAIN : LANE_NOT_TOLD;
        return true;
    }
    const struct candidate found = candidate_of(out, kind, item);
    return (lane->told[item] != LANE_NOT_TOLD) != out->ops->allowed(out->ctx, &found.route, &found.view);
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
    size_t room = lane_waiting(lane) < BATCH_MAX ? lane_waiting(lane) : BATCH_MAX;

    out->batch_at = out->batch_count = 0;
    free(out->batch);
    out->batch = room > 0 ? malloc(room * sizeof out->batch[0]) : NULL;
    if (out->batch == NULL) {
        out->short_of_memory |= room > 0;
        return false;
    }
    for (size_t i = 0; i < room; i++) {
        uint32_t item = lane_pull(lane);
        const struct candidate found = candidate_of(out, kind, item);
        out->batch[out->batch_count++] = (struct batch_item){
            .item = item,
            .lane = (uint8_t)kind,
            .attrs = found.path != NULL ? bgp_attrs_base(found.path->attrs) : NULL,
            .source = found.path != NULL ? found.path->source : 0,
            .family = found.path != NULL ? (uint8_t)number_of(found.route.family) : 0,
        };
    }
    lane_rest(lane);
    qsort(out->batch, out->batch_count, sizeof out->batch[0], compare_batch);
    return true;
}

/* The set of the message that is being built. */
struct message_set {
    const struct bgp_shared_attrs *attrs; /* but for the label, which is in the NLRI; NULL: no message yet */
    uint32_t family;
    uint16_t source;
    bool long_lived;
    uint64_t print; /* of all that goes with the NLRI */
};

static struct message_set message_set_of(const struct candidate *found)
{
    return (struct message_set){.attrs = bgp_attrs_base(found->path->attrs),
                                .family = found->route.family,
                                .source = found->path->source,
                                .long_lived = found->view.long_lived};
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
    set->print = bgp_builder_print(builder, &out->conf.print_key);
}

/* What a route of the set looks like from outside, its label included. */
static uint64_t print_of(const struct message_set *set, const struct bgp_route *route)
{
    uint64_t print = set->print ^ route->label * UINT64_C(0x9e3779b97f4a7c15);

    return print < LANE_PRINT_MIN ? print + LANE_PRINT_MIN : print;
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
    bool takes = set->attrs != NULL && message_takes(set, &found);
    if (!takes && set->attrs != NULL && builder->count > 0)
        return NOT_NOW;
    if (!takes)
        message_begin(out, builder, &found, set);
    const uint64_t print = print_of(set, &found.route);
    if (lane->told[item->item] == print) { /* RFC 4271 9.2: it looks as it did */
        item_settle(out, lane, item->item);
        return SAID;
    }
    size_t len = bgp_route_encode(&found.route, item->lane == BY_PATH, false, nlri);
    if (bgp_builder_add_nlri(builder, nlri, len)) {
        out->counts[number_of(found.route.family)] += lane->told[item->item] == LANE_NOT_TOLD;
        lane->told[item->item] = print;
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

static bool next_withdrawals(struct bgp_route_out *out, unsigned family, struct bgp_builder *builder)
{
    struct withdrawn_list *list = &out->withdrawals[family];
    bool add_path = (out->lanes[BY_PATH].families & 1u << family) != 0;

    if (list->len == 0)
        return false;
    bgp_builder_begin_routes(builder, 1u << family, NULL, out->conf.four_octet_as, out->conf.update_max);
    withdrawn_pull(list, add_path, builder);
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
        waits = waits || lane_waiting(&out->lanes[i]) > 0;
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
        octets += lane_memory(&out->lanes[i]);
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        octets += out->withdrawals[i].room;
    return octets;
}

bool bgp_route_out_short(const struct bgp_route_out *out)
{
    return out->short_of_memory;
}
