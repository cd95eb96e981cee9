/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule is one item, whoever knows it; an item has one entry for each session that knows or shall know it. An entry is
 * in one list at a time: its session's idle one, or that of a batch. A batch is what one family and attribute set have
 * waiting, and the batches of a session stand in a queue.
 */
#include "bgp/adj_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ordlist.h"
#include "bgp/attrs_pool.h"
#include "flowspec/order.h"

struct out_entry {
    struct out_item *item;
    struct bgp_shared_attrs *sent;   /* the peer knows these; NULL: it does not know the rule */
    struct bgp_shared_attrs *wanted; /* it shall know these; NULL: it shall forget the rule */
    struct out_batch *batch;         /* where it waits; NULL: idle */
    struct out_entry *previous, *next;
};

struct entry_list {
    struct out_entry *first, *last;
};

struct out_item {
    struct ord_node node;
    uint32_t family;
    struct fs_rule *rule;
    struct out_entry **entries; /* by slot of the session */
    size_t room, used;
    struct ord_node *links[];
};

struct out_batch {
    struct ord_node node; /* in `batches` of the session, where it has a set */
    enum bgp_out_kind kind;
    uint32_t family;
    struct bgp_shared_attrs *attrs; /* its entries want it and hold it */
    struct entry_list entries;
    struct out_batch *previous, *next;
    struct ord_node *links[ORD_LEVELS];
};

struct bgp_adj_out {
    struct ord_list items;
    struct bgp_attrs_pool pool;
    struct bgp_out **slots;
    size_t slot_count;
    struct bgp_builder builder;
};

struct bgp_out {
    struct bgp_adj_out *shared;
    size_t slot;
    struct bgp_out_conf conf;
    struct entry_list idle;
    struct out_batch withdrawals[BGP_FAMILY_COUNT];
    struct ord_list batches;
    struct out_batch *first, *last; /* the queue, markers included */
    struct bgp_out_counts counts[BGP_FAMILY_COUNT];
};

struct item_key {
    uint32_t family;
    const struct fs_rule *rule;
};

static int compare_items(const struct ord_node *node, const void *key)
{
    const struct out_item *item = (const struct out_item *)node; /* the node is its first member */
    const struct item_key *other = key;
    int order = fs_rule_compare(item->rule, other->rule);

    if (order != 0)
        return order;
    return item->family < other->family ? -1 : item->family > other->family;
}

struct batch_key {
    uint32_t family;
    const struct bgp_shared_attrs *attrs;
};

static int compare_batches(const struct ord_node *node, const void *key)
{
    const struct out_batch *batch = (const struct out_batch *)node; /* the node is its first member */
    const struct batch_key *other = key;

    if (batch->attrs != other->attrs)
        return (uintptr_t)batch->attrs < (uintptr_t)other->attrs ? -1 : 1;
    return batch->family < other->family ? -1 : batch->family > other->family;
}

static unsigned index_of(uint32_t family)
{
    return (unsigned)__builtin_ctz(family | 1u << (BGP_FAMILY_COUNT - 1));
}

static struct bgp_out_counts *counts_of(struct bgp_out *out, const struct out_entry *entry)
{
    return &out->counts[index_of(entry->item->family)];
}

static void list_add(struct entry_list *list, struct out_entry *entry)
{
    entry->previous = list->last;
    entry->next = NULL;
    if (list->last != NULL)
        list->last->next = entry;
    else
        list->first = entry;
    list->last = entry;
}

static void list_take(struct entry_list *list, struct out_entry *entry)
{
    if (entry->previous != NULL)
        entry->previous->next = entry->next;
    else
        list->first = entry->next;
    if (entry->next != NULL)
        entry->next->previous = entry->previous;
    else
        list->last = entry->previous;
}

static struct out_item *item_find(const struct bgp_adj_out *shared, uint32_t family, const struct fs_rule *rule)
{
    return (struct out_item *)ord_find_equal(&shared->items, &(struct item_key){family, rule});
}

static struct out_item *item_add(struct bgp_adj_out *shared, uint32_t family, const struct fs_rule *rule)
{
    uint8_t levels = ord_draw_levels(&shared->items);
    struct out_item *item = calloc(1, sizeof *item + levels * sizeof item->links[0]);

    if (item == NULL)
        return NULL;
    item->rule = fs_rule_dup(rule);
    if (item->rule == NULL) {
        free(item);
        return NULL;
    }
    item->family = family;
    item->node.levels = levels;
    item->node.up = item->links;
    ord_insert(&shared->items, &item->node, &(struct item_key){family, item->rule});
    return item;
}

static void item_drop_if_unused(struct bgp_adj_out *shared, struct out_item *item)
{
    if (item->used > 0)
        return;
    ord_remove(&shared->items, &item->node, &(struct item_key){item->family, item->rule});
    fs_rule_free(item->rule);
    free(item->entries);
    free(item);
}

static struct out_entry *entry_of(const struct out_item *item, const struct bgp_out *out)
{
    return item != NULL && out->slot < item->room ? item->entries[out->slot] : NULL;
}

/* A fresh entry, idle. */
static struct out_entry *entry_add(struct bgp_out *out, struct out_item *item)
{
    struct out_entry *entry = calloc(1, sizeof *entry);

    if (entry != NULL && out->slot >= item->room) {
        size_t room = out->shared->slot_count;
        struct out_entry **bigger = realloc(item->entries, room * sizeof(struct out_entry *));
        if (bigger == NULL) {
            free(entry);
            return NULL;
        }
        memset(bigger + item->room, 0, (room - item->room) * sizeof(struct out_entry *));
        item->entries = bigger;
        item->room = room;
    }
    if (entry == NULL)
        return NULL;
    entry->item = item;
    item->entries[out->slot] = entry;
    item->used++;
    list_add(&out->idle, entry);
    return entry;
}

/* Forgets an idle entry that neither knows nor wants anything. */
static void entry_drop(struct bgp_out *out, struct out_entry *entry)
{
    struct out_item *item = entry->item;

    list_take(&out->idle, entry);
    item->entries[out->slot] = NULL;
    item->used--;
    free(entry);
    item_drop_if_unused(out->shared, item);
}

static void attrs_give(struct bgp_out *out, struct bgp_shared_attrs **attrs)
{
    if (*attrs != NULL)
        bgp_attrs_pool_give(&out->shared->pool, *attrs);
    *attrs = NULL;
}

static void queue_add(struct bgp_out *out, struct out_batch *batch)
{
    batch->previous = out->last;
    if (out->last != NULL)
        out->last->next = batch;
    else
        out->first = batch;
    out->last = batch;
}

/* Takes a batch that has no entries out of the queue. */
static void batch_drop(struct bgp_out *out, struct out_batch *batch)
{
    if (batch->previous != NULL)
        batch->previous->next = batch->next;
    else
        out->first = batch->next;
    if (batch->next != NULL)
        batch->next->previous = batch->previous;
    else
        out->last = batch->previous;
    if (batch->kind == BGP_OUT_UPDATE)
        ord_remove(&out->batches, &batch->node, &(struct batch_key){batch->family, batch->attrs});
    free(batch);
}

static struct out_batch *batch_add(struct bgp_out *out, uint32_t family, struct bgp_shared_attrs *attrs)
{
    struct out_batch *batch = calloc(1, sizeof *batch);

    if (batch == NULL)
        return NULL;
    batch->kind = BGP_OUT_UPDATE;
    batch->family = family;
    batch->attrs = attrs;
    batch->node.levels = ord_draw_levels(&out->batches);
    batch->node.up = batch->links;
    ord_insert(&out->batches, &batch->node, &(struct batch_key){family, attrs});
    queue_add(out, batch);
    return batch;
}

/* The batch for what an entry shall want, made where there is none; NULL when memory is short. */
static struct out_batch *batch_for(struct bgp_out *out, uint32_t family, struct bgp_shared_attrs *attrs)
{
    if (attrs == NULL)
        return &out->withdrawals[index_of(family)];
    struct out_batch *batch = (struct out_batch *)ord_find_equal(&out->batches, &(struct batch_key){family, attrs});
    return batch != NULL ? batch : batch_add(out, family, attrs);
}

static void entry_rest(struct bgp_out *out, struct out_entry *entry)
{
    struct out_batch *batch = entry->batch;

    if (batch == NULL)
        return;
    list_take(&batch->entries, entry);
    entry->batch = NULL;
    list_add(&out->idle, entry);
    counts_of(out, entry)->queued--;
    if (batch->attrs != NULL && batch->entries.first == NULL)
        batch_drop(out, batch);
}

/* The entry must be idle. */
static void entry_queue(struct bgp_out *out, struct out_entry *entry, struct out_batch *batch)
{
    list_take(&out->idle, entry);
    list_add(&batch->entries, entry);
    entry->batch = batch;
    counts_of(out, entry)->queued++;
}

static void set_nothing(struct bgp_out *out, struct out_entry *entry)
{
    if (entry == NULL || entry->wanted == NULL)
        return;
    entry_rest(out, entry);
    attrs_give(out, &entry->wanted);
    if (entry->sent == NULL)
        entry_drop(out, entry);
    else
        entry_queue(out, entry, batch_for(out, entry->item->family, NULL));
}

/* Takes `fresh`. */
static int set_attrs(struct bgp_out *out, struct out_entry *entry, struct bgp_shared_attrs *fresh, bool again)
{
    bool waits = entry->batch != NULL;

    if (entry->wanted == fresh && (waits || !again)) {
        bgp_attrs_pool_give(&out->shared->pool, fresh);
        return 0;
    }
    struct out_batch *batch = NULL;
    if (entry->sent != fresh || again) {
        batch = batch_for(out, entry->item->family, fresh);
        if (batch == NULL) {
            bgp_attrs_pool_give(&out->shared->pool, fresh);
            return -ENOMEM;
        }
    }
    entry_rest(out, entry);
    attrs_give(out, &entry->wanted);
    entry->wanted = fresh;
    if (batch != NULL)
        entry_queue(out, entry, batch);
    return 0;
}

int bgp_out_set(struct bgp_out *out, uint32_t family, const struct fs_rule *rule, const struct bgp_attrs *attrs,
                bool again)
{
    struct out_item *item = item_find(out->shared, family, rule);
    struct out_entry *entry = entry_of(item, out);

    if (attrs == NULL) {
        set_nothing(out, entry);
        return 0;
    }
    struct bgp_shared_attrs *fresh = bgp_attrs_pool_take(&out->shared->pool, attrs);
    if (fresh == NULL)
        return -ENOMEM;
    if (item == NULL)
        item = item_add(out->shared, family, rule);
    if (item != NULL && entry == NULL)
        entry = entry_add(out, item);
    int error = -ENOMEM;
    if (entry != NULL)
        error = set_attrs(out, entry, fresh, again);
    else
        bgp_attrs_pool_give(&out->shared->pool, fresh);
    if (error != 0 && entry != NULL && entry->sent == NULL && entry->wanted == NULL)
        entry_drop(out, entry);
    else if (error != 0 && item != NULL)
        item_drop_if_unused(out->shared, item);
    return error;
}

int bgp_out_mark(struct bgp_out *out, uint32_t family, enum bgp_out_kind kind)
{
    struct out_batch *marker = calloc(1, sizeof *marker);

    if (marker == NULL)
        return -ENOMEM;
    marker->kind = kind;
    marker->family = family;
    queue_add(out, marker);
    return 0;
}

/* The message has room for no more, or the batch is empty. */
static void message_fill(struct bgp_out_message *message, struct bgp_builder *builder)
{
    message->family = builder->family;
    message->len = bgp_builder_finish(builder);
    message->body = builder->body;
}

/* Withdrawals of one family; false when there is none. */
static bool next_withdrawals(struct bgp_out *out, unsigned index, struct bgp_out_message *message)
{
    struct out_batch *batch = &out->withdrawals[index];
    struct bgp_builder *builder = &out->shared->builder;

    if (batch->entries.first == NULL)
        return false;
    bgp_builder_begin_set(builder, 1u << index, NULL, out->conf.four_octet_as, out->conf.legacy_ipv6_offset,
                          out->conf.update_max);
    builder->add_path = (out->conf.add_path & 1u << index) != 0;
    for (struct out_entry *entry = batch->entries.first; entry != NULL; entry = batch->entries.first) {
        /* it has been announced in a longer message, so it fits */
        if (!bgp_builder_add(builder, entry->item->rule))
            break;
        entry_rest(out, entry);
        attrs_give(out, &entry->sent);
        counts_of(out, entry)->announced--;
        entry_drop(out, entry);
    }
    message_fill(message, builder);
    return message->len > 0;
}

/* The rule went into a message. */
static void entry_sent(struct bgp_out *out, struct out_entry *entry)
{
    counts_of(out, entry)->announced += entry->sent == NULL;
    attrs_give(out, &entry->sent);
    entry->sent = entry->wanted;
    entry->sent->references++;
    entry_rest(out, entry); /* and with the last of them goes the batch */
}

/* RFC 8654 4: a rule that fits into no message is not announced, and withdrawn where it was. */
static void entry_too_large(struct bgp_out *out, struct out_entry *entry)
{
    counts_of(out, entry)->too_large++;
    set_nothing(out, entry);
}

static enum bgp_out_kind next_announcements(struct bgp_out *out, struct bgp_out_message *message)
{
    struct bgp_builder *builder = &out->shared->builder;
    struct out_batch *batch = out->first;
    const uint32_t family = batch->family;
    const struct bgp_attrs *attrs = &batch->attrs->attrs;

    bgp_builder_begin_set(builder, family, attrs, out->conf.four_octet_as, out->conf.legacy_ipv6_offset,
                          out->conf.update_max);
    builder->add_path = (out->conf.add_path & family) != 0;
    bool last = false;
    while (!last) {
        struct out_entry *entry = batch->entries.first;
        last = entry == batch->entries.last;
        if (bgp_builder_add(builder, entry->item->rule)) {
            entry_sent(out, entry);
        } else if (builder->count == 0) {
            entry_too_large(out, entry);
        } else {
            break;
        }
    }
    message_fill(message, builder);
    return message->len > 0 ? BGP_OUT_UPDATE : BGP_OUT_NOTHING;
}

enum bgp_out_kind bgp_out_next(struct bgp_out *out, struct bgp_out_message *message)
{
    for (;;) {
        for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
            if (next_withdrawals(out, i, message))
                return BGP_OUT_UPDATE;
        if (out->first == NULL)
            return BGP_OUT_NOTHING;
        if (out->first->kind == BGP_OUT_UPDATE) {
            if (next_announcements(out, message) == BGP_OUT_UPDATE)
                return BGP_OUT_UPDATE;
            continue; /* nothing of the batch fitted: it is gone */
        }
        enum bgp_out_kind kind = out->first->kind;
        message->family = out->first->family;
        batch_drop(out, out->first);
        return kind;
    }
}

bool bgp_out_empty(const struct bgp_out *out)
{
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        if (out->withdrawals[i].entries.first != NULL)
            return false;
    return out->first == NULL;
}

void bgp_out_counts_get(const struct bgp_out *out, uint32_t family, struct bgp_out_counts *counts)
{
    *counts = out->counts[index_of(family)];
}

struct bgp_adj_out *bgp_adj_out_create(void)
{
    struct bgp_adj_out *shared = calloc(1, sizeof *shared);

    if (shared != NULL)
        ord_init(&shared->items, compare_items);
    return shared;
}

struct bgp_out *bgp_out_open(struct bgp_adj_out *shared, const struct bgp_out_conf *conf)
{
    struct bgp_out *out = calloc(1, sizeof *out);
    size_t slot = 0;

    if (out == NULL)
        return NULL;
    while (slot < shared->slot_count && shared->slots[slot] != NULL)
        slot++;
    if (slot == shared->slot_count) {
        struct bgp_out **bigger = realloc(shared->slots, (slot + 1) * sizeof(struct bgp_out *));
        if (bigger == NULL) {
            free(out);
            return NULL;
        }
        shared->slots = bigger;
        shared->slot_count++;
    }
    shared->slots[slot] = out;
    out->shared = shared;
    out->slot = slot;
    out->conf = *conf;
    ord_init(&out->batches, compare_batches);
    return out;
}

static void entries_free(struct bgp_out *out, struct entry_list *list)
{
    for (struct out_entry *entry = list->first, *next; entry != NULL; entry = next) {
        struct out_item *item = entry->item;
        next = entry->next;
        attrs_give(out, &entry->sent);
        attrs_give(out, &entry->wanted);
        item->entries[out->slot] = NULL;
        item->used--;
        item_drop_if_unused(out->shared, item);
        free(entry);
    }
}

void bgp_out_close(struct bgp_out *out)
{
    if (out == NULL)
        return;
    for (struct out_batch *batch = out->first, *next; batch != NULL; batch = next) {
        next = batch->next;
        entries_free(out, &batch->entries);
        free(batch);
    }
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        entries_free(out, &out->withdrawals[i].entries);
    entries_free(out, &out->idle);
    out->shared->slots[out->slot] = NULL;
    free(out);
}

void bgp_adj_out_free(struct bgp_adj_out *shared)
{
    if (shared == NULL)
        return;
    for (size_t i = 0; i < shared->slot_count; i++)
        bgp_out_close(shared->slots[i]);
    bgp_attrs_pool_clear(&shared->pool);
    free(shared->slots);
    free(shared);
}
