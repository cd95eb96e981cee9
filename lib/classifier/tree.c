/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/tree.h"

#include <stddef.h>
#include <string.h>

#define MERGE_MAX  (TREE_FANOUT / 4) /* a node this small looks for a neighbour to join */
#define MERGED_MAX (TREE_FANOUT * 3 / 4)
#define NARROW_MAX 64u /* of 65536 */

struct entry {
    struct box box;
    const struct compiled *rule;
    struct tree_node *child;
    const struct tree_node *from; /* an inner node that has this child already, as child `at`; NULL: the child is new */
    unsigned at;
};

/* A change under way: nodes made for it, nodes that it replaces. */
struct change {
    struct tree *tree;
    struct mem *mem;
    const struct compiled *rule;
    unsigned made, replaced;
    struct tree_node *fresh[2 * TREE_DEPTH_MAX];
    struct tree_node *old[2 * TREE_DEPTH_MAX];
};

/* The lane in which the box is narrowest for the values that its field takes in practice. */
static unsigned narrowest(const struct box *box, unsigned fixed, unsigned *width)
{
    static const uint8_t SCALE[BOX_HAS_PORTS] = {
        [BOX_PROTOCOL] = 8, [BOX_ICMP_TYPE] = 8, [BOX_ICMP_CODE] = 8, [BOX_TCP_FLAGS] = 4,
        [BOX_LENGTH] = 5,   [BOX_DSCP] = 10,     [BOX_FRAGMENT] = 12,
    };
    unsigned best = 0;

    *width = UINT32_MAX;
    for (unsigned lane = 0; lane < BOX_HAS_PORTS; lane++) {
        unsigned scaled = (unsigned)(box_high(box, lane) - box->low[lane]) << SCALE[lane];
        if (!(fixed >> lane & 1) && scaled < *width) {
            *width = scaled;
            best = lane;
        }
    }
    return best;
}

bool tree_box_is_narrow(const struct box *box, unsigned fixed)
{
    unsigned width;

    narrowest(box, fixed, &width);
    return width < NARROW_MAX;
}

static int rule_compare(const struct tree *tree, const struct compiled *a, const struct compiled *b)
{
    if (tree->narrow) {
        unsigned width;
        unsigned lane_a = narrowest(&a->box, tree->fixed, &width), lane_b = narrowest(&b->box, tree->fixed, &width);
        if (lane_a != lane_b)
            return lane_a < lane_b ? -1 : 1;
        if (a->box.low[lane_a] != b->box.low[lane_a])
            return a->box.low[lane_a] < b->box.low[lane_a] ? -1 : 1;
    }
    int order = compiled_compare(a, b);
    /* a rule may be equal to one that lack of memory has left here, hidden */
    return order != 0 ? order : ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

/* In front of the strips: by strip, what is around all of a node's rules in it. */
static struct tree_filter *node_around(const struct tree_node *node)
{
    return (struct tree_filter *)((uintptr_t)node + node->strips_at) - 1;
}

/* A node with room for `count` entries, of which nothing but the numbers is set. */
static struct tree_node *node_alloc(struct mem *mem, unsigned count, bool leaf)
{
    size_t pointers = leaf ? sizeof(struct compiled *) : sizeof(struct compiled *) + sizeof(struct tree_node *);
    size_t octets = sizeof(struct tree_node) + count * (sizeof(struct box) + pointers);
    size_t strips_at = (octets + 2 * MEM_LINE - 1) & ~(size_t)(MEM_LINE - 1);
    struct tree_node *node = mem_alloc_line(mem, leaf ? octets : strips_at + TREE_STRIPS * sizeof(struct tree_filter));

    if (node == NULL)
        return NULL;
    node->count = (uint16_t)count;
    node->leaf = leaf;
    node->strips_at = (uint16_t)(leaf ? offsetof(struct tree_node, filters) : strips_at);
    node->last = leaf ? 0 : TREE_STRIPS - 1;
    node->shift = 0;
    return node;
}

static void node_set(struct tree_node *node, unsigned i, const struct box *box, const struct compiled *rule)
{
    node->boxes[i] = *box;
    tree_rules(node)[i] = rule;
}

/* How many of the boxes a packet that is in some of them fits in this lane, were values spread evenly; in 1/256. */
static uint64_t crowding(const struct tree_node *node, unsigned lane)
{
    unsigned low = UINT16_MAX, high = 0;
    uint64_t widths = 0;

    for (unsigned i = 0; i < node->count; i++) {
        const struct box *box = &node->boxes[i];
        low = box->low[lane] < low ? box->low[lane] : low;
        high = box_high(box, lane) > high ? box_high(box, lane) : high;
        widths += box_high(box, lane) - box->low[lane] + 1u;
    }
    return high >= low ? (widths << 8) / (high - low + 1) : UINT64_MAX;
}

static void filter_set(struct tree_node *node, struct tree_filter *filter, unsigned lane)
{
    for (unsigned i = 0; i < TREE_FANOUT; i++) {
        filter->low[i] = i < node->count ? node->boxes[i].low[lane] : UINT16_MAX;
        filter->high_not[i] = i < node->count ? node->boxes[i].high_not[lane] : UINT16_MAX;
    }
}

/* Whether a box asks for a value in another lane than the filters'. */
static bool others_asked(const struct tree_node *node)
{
    unsigned asked = 0;

    for (unsigned i = 0; i < node->count; i++) {
        const struct box *box = &node->boxes[i];
        for (unsigned lane = 0; lane < BOX_HAS_PORTS; lane++)
            if (lane != node->lanes[0] && lane != node->lanes[1])
                asked |= box->low[lane] | box->high_not[lane];
    }
    return asked != 0;
}

static void filter_set_empty(struct tree_filter *filter)
{
    memset(filter, UINT8_MAX, sizeof *filter);
}

static void filter_add(struct tree_filter *filter, unsigned i, uint16_t low, uint16_t high_not)
{
    filter->low[i] = low < filter->low[i] ? low : filter->low[i];
    filter->high_not[i] = high_not < filter->high_not[i] ? high_not : filter->high_not[i];
}

static unsigned strip_of(const struct tree_node *node, unsigned value)
{
    unsigned strip = value >> node->shift;

    return strip < TREE_STRIPS ? strip : TREE_STRIPS - 1;
}

/* By strip: one box more. */
static void strips_add_box(struct tree_filter *strips, const struct tree_node *node, const struct box *box)
{
    unsigned last = strip_of(node, box_high(box, node->lanes[1]));

    for (unsigned strip = strip_of(node, box->low[node->lanes[1]]); strip <= last; strip++)
        filter_add(strips, strip, box->low[node->lanes[0]], box->high_not[node->lanes[0]]);
}

/* By strip of the node: all that is in those strips of a child that it has values in common with. */
static void strips_add_child(struct tree_filter *strips, const struct tree_node *node, const struct tree_node *child)
{
    const struct tree_filter *around = node_around(child);

    for (unsigned strip = 0; strip < TREE_STRIPS; strip++) {
        unsigned end = strip + 1 < TREE_STRIPS ? (strip + 1) << node->shift : UINT16_MAX + 1;
        unsigned last = strip_of(child, end - 1);
        for (unsigned at = strip_of(child, strip << node->shift); at <= last; at++)
            filter_add(strips, strip, around->low[at], around->high_not[at]);
    }
}

/* By strip: what is around the rules below child i. */
static void strips_of_child(struct tree_filter *strips, const struct tree_node *node, unsigned i)
{
    const struct tree_node *child = tree_children(node)[i];

    filter_set_empty(strips);
    if (child->leaf)
        for (unsigned b = 0; b < child->count; b++)
            strips_add_box(strips, node, &child->boxes[b]);
    else if (child->lanes[0] == node->lanes[0] && child->lanes[1] == node->lanes[1])
        strips_add_child(strips, node, child);
    else
        strips_add_box(strips, node, &node->boxes[i]);
}

/* The highest value of a lane that some box of a leaf asks for. */
static unsigned leaf_most(const struct tree_node *leaf, unsigned lane)
{
    unsigned most = 0;

    for (unsigned b = 0; b < leaf->count; b++) {
        const struct box *box = &leaf->boxes[b];
        unsigned high = box->high_not[lane] != 0 ? box_high(box, lane) : box->low[lane];
        most = high > most ? high : most;
    }
    return most;
}

/* How wide strips must be for one child: the last one begins where no rule asks for more, or a little above. */
static unsigned child_shift(const struct tree_node *node, const struct tree_node *child)
{
    unsigned most, shift = 0;

    if (!child->leaf)
        return child->lanes[1] == node->lanes[1] ? child->shift : 0;
    most = leaf_most(child, node->lanes[1]);
    while (most >> shift >= TREE_STRIPS)
        shift++;
    return shift;
}

/* How wide strips are: as the child with the highest values needs them. */
static void shifts_set(struct tree_node *node, const struct entry *entries)
{
    for (unsigned i = 0; i < node->count; i++) {
        const struct tree_node *from = entries[i].from;
        bool known = from != NULL && from->lanes[1] == node->lanes[1];
        node->shifts[i] = known ? from->shifts[entries[i].at] : (uint8_t)child_shift(node, entries[i].child);
        node->shift = node->shifts[i] > node->shift ? node->shifts[i] : node->shift;
    }
}

/*
 * By strip of the node: what is around the rules below child i. A change makes one or two children of a node anew: of
 * the others nothing is read, not even their boxes, unless the node takes other lanes or wider strips than before.
 */
static void column_set(struct tree_node *node, unsigned i, const struct entry *entry)
{
    struct tree_filter *strips = node_around(node) + 1, own;
    const struct tree_node *from = entry->from;

    if (from != NULL && from->shift == node->shift && memcmp(from->lanes, node->lanes, sizeof node->lanes) == 0) {
        const struct tree_filter *known = node_around(from) + 1;
        for (unsigned strip = 0; strip < TREE_STRIPS; strip++) {
            strips[strip].low[i] = known[strip].low[entry->at];
            strips[strip].high_not[i] = known[strip].high_not[entry->at];
        }
        return;
    }
    strips_of_child(&own, node, i);
    for (unsigned strip = 0; strip < TREE_STRIPS; strip++) {
        strips[strip].low[i] = own.low[strip];
        strips[strip].high_not[i] = own.high_not[strip];
    }
}

static void strips_set(struct tree_node *node, const struct entry *entries)
{
    struct tree_filter *around = node_around(node), *strips = around + 1;

    shifts_set(node, entries);
    filter_set_empty(around);
    for (unsigned strip = 0; strip < TREE_STRIPS; strip++)
        filter_set_empty(&strips[strip]);
    for (unsigned i = 0; i < node->count; i++)
        column_set(node, i, &entries[i]);
    for (unsigned strip = 0; strip < TREE_STRIPS; strip++)
        for (unsigned i = 0; i < TREE_FANOUT; i++)
            filter_add(around, strip, strips[strip].low[i], strips[strip].high_not[i]);
}

/* How little a lane tells about the node's rules: of an inner node, first of all to go by what its children go by. */
static uint64_t lane_vagueness(const struct tree_node *node, unsigned lane)
{
    uint64_t without = 0;

    for (unsigned i = 0; !node->leaf && i < node->count; i++)
        without += !(node->below[i] >> lane & 1);
    return without << 32 | crowding(node, lane);
}

/* The two lanes that tell most. In inner nodes in ascending order, so that strips of nodes and children are alike. */
static void lanes_choose(struct tree_node *node)
{
    uint64_t best[2] = {UINT64_MAX, UINT64_MAX};
    uint8_t lanes[2] = {0, 0};

    for (uint8_t lane = 0; lane < BOX_HAS_PORTS; lane++) {
        uint64_t now = lane_vagueness(node, lane);
        if (now < best[0]) {
            best[1] = best[0];
            lanes[1] = lanes[0];
            best[0] = now;
            lanes[0] = lane;
        } else if (now < best[1]) {
            best[1] = now;
            lanes[1] = lane;
        }
    }
    bool swap = !node->leaf && lanes[1] < lanes[0];
    node->lanes[0] = lanes[swap];
    node->lanes[1] = lanes[!swap];
    node->either_port = lanes[0] == BOX_PORT || lanes[1] == BOX_PORT;
}

/* Once all boxes are set, and all children; of leaves no entries are needed. */
static void node_finish(struct tree_node *node, const struct entry *entries)
{
    lanes_choose(node);
    for (unsigned i = 0; i < 2; i++)
        filter_set(node, &node->filters[i], node->lanes[i]);
    if (!node->leaf)
        strips_set(node, entries);
    node->others = others_asked(node);
}

struct tree_node *tree_leaf_create(struct mem *mem, const struct compiled *const *rules, unsigned count)
{
    struct tree_node *leaf = node_alloc(mem, count, true);

    for (unsigned i = 0; leaf != NULL && i < count; i++)
        node_set(leaf, i, &rules[i]->box, rules[i]);
    if (leaf != NULL)
        node_finish(leaf, NULL);
    return leaf;
}

void tree_leaf_hide(struct tree_node *leaf, unsigned at)
{
    __atomic_store_n(&leaf->boxes[at].low[BOX_PROTOCOL], UINT16_MAX, __ATOMIC_RELAXED);
}

static void node_set_child(struct tree_node *node, unsigned i, const struct entry *entry)
{
    const struct tree_node *from = entry->from;

    tree_children(node)[i] = entry->child;
    node->below[i] =
        from != NULL ? from->below[entry->at] : (uint16_t)(1u << entry->child->lanes[0] | 1u << entry->child->lanes[1]);
}

static struct tree_node *node_create(struct change *change, const struct entry *entries, unsigned count, bool leaf)
{
    struct tree_node *node = node_alloc(change->mem, count, leaf);

    if (node == NULL)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        node_set(node, i, &entries[i].box, entries[i].rule);
        if (!leaf)
            node_set_child(node, i, &entries[i]);
    }
    node_finish(node, entries);
    change->fresh[change->made++] = node;
    return node;
}

/* Reads a node's entries; returns how many. */
static unsigned node_entries(const struct tree_node *node, struct entry *entries)
{
    for (unsigned i = 0; i < node->count; i++) {
        entries[i].box = node->boxes[i];
        entries[i].rule = tree_rules(node)[i];
        entries[i].child = node->leaf ? NULL : tree_children(node)[i];
        entries[i].from = node;
        entries[i].at = i;
    }
    return node->count;
}

static void entry_of_node(struct entry *entry, struct tree_node *node)
{
    box_set_empty(&entry->box);
    for (unsigned i = 0; i < node->count; i++)
        box_add(&entry->box, &node->boxes[i]);
    entry->rule = tree_rules(node)[0];
    entry->child = node;
    entry->from = NULL;
    entry->at = 0;
}

/* The last entry that does not come after the rule, or 0. */
static unsigned find_child(const struct change *change, const struct tree_node *node)
{
    unsigned low = 0, high = node->count;

    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (rule_compare(change->tree, tree_rules(node)[middle], change->rule) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Writes the entries into one node or, when they are too many, two. 0: no memory. */
static unsigned nodes_write(struct change *change, const struct entry *entries, unsigned count, bool leaf,
                            struct tree_node *out[2])
{
    unsigned half = count > TREE_FANOUT ? (count + 1) / 2 : count;

    out[0] = node_create(change, entries, half, leaf);
    if (out[0] == NULL || half == count)
        return out[0] != NULL;
    out[1] = node_create(change, entries + half, count - half, leaf);
    return out[1] != NULL ? 2 : 0;
}

static unsigned insert_below(struct change *change, struct tree_node *node, struct tree_node *out[2])
{
    struct entry entries[TREE_FANOUT + 1];
    unsigned count = node_entries(node, entries), at = find_child(change, node);

    change->old[change->replaced++] = node;
    if (node->leaf) {
        if (rule_compare(change->tree, tree_rules(node)[at], change->rule) < 0)
            at++;
        memmove(&entries[at + 1], &entries[at], (count - at) * sizeof entries[0]);
        entries[at] = (struct entry){.box = change->rule->box, .rule = change->rule};
        return nodes_write(change, entries, count + 1, true, out);
    }
    struct tree_node *below[2];
    unsigned parts = insert_below(change, entries[at].child, below);
    if (parts == 0)
        return 0;
    if (parts == 2) {
        memmove(&entries[at + 2], &entries[at + 1], (count - at - 1) * sizeof entries[0]);
        entry_of_node(&entries[at + 1], below[1]);
        count++;
    }
    entry_of_node(&entries[at], below[0]);
    return nodes_write(change, entries, count, false, out);
}

static void change_undo(struct change *change)
{
    for (unsigned i = 0; i < change->made; i++)
        mem_free(change->mem, change->fresh[i]);
}

static void change_publish(struct change *change, struct tree_node *root)
{
    rcu_publish(&change->tree->root, root);
    for (unsigned i = 0; i < change->replaced; i++)
        mem_retire(change->mem, change->old[i]);
}

bool tree_insert(struct tree *tree, struct mem *mem, const struct compiled *rule)
{
    struct change change = {.tree = tree, .mem = mem, .rule = rule};
    struct tree_node *root = rcu_load(&tree->root), *out[2];
    struct entry entries[2];
    unsigned parts;

    if (root == NULL) {
        entries[0] = (struct entry){.box = rule->box, .rule = rule};
        parts = nodes_write(&change, entries, 1, true, out);
    } else {
        parts = insert_below(&change, root, out);
    }
    if (parts == 2) {
        entry_of_node(&entries[0], out[0]);
        entry_of_node(&entries[1], out[1]);
        out[0] = node_create(&change, entries, 2, false);
        parts = out[0] != NULL;
    }
    if (parts == 0) {
        change_undo(&change);
        return false;
    }
    change_publish(&change, out[0]);
    return true;
}

/* Joins the small node `fresh`, to be at `at`, with a neighbour of it. True when there is one that it fits with. */
static bool merge(struct change *change, struct entry *entries, unsigned *count, unsigned at, bool *failed)
{
    unsigned left = at > 0 ? at - 1 : at;
    struct entry both[TREE_FANOUT];

    if (*count < 2 || entries[at].child->count > MERGE_MAX ||
        entries[left].child->count + entries[left + 1].child->count > MERGED_MAX)
        return false;
    unsigned total = node_entries(entries[left].child, both);
    total += node_entries(entries[left + 1].child, both + total);
    struct tree_node *joined = node_create(change, both, total, entries[left].child->leaf);
    *failed = joined == NULL;
    if (*failed)
        return false;
    /* the one next to `at` was published; the one at `at` is fresh, but retiring it does no harm */
    struct tree_node *neighbour = entries[left == at ? at + 1 : left].child;
    change->old[change->replaced++] = neighbour;
    change->old[change->replaced++] = entries[at].child;
    entry_of_node(&entries[left], joined);
    memmove(&entries[left + 1], &entries[left + 2], (*count - left - 2) * sizeof entries[0]);
    (*count)--;
    return true;
}

/* The node without the rule in `*out`, NULL when nothing is left of it. False: no memory. */
static bool remove_below(struct change *change, struct tree_node *node, struct tree_node **out)
{
    struct entry entries[TREE_FANOUT];
    unsigned count = node_entries(node, entries), at = find_child(change, node);
    bool failed = false;

    change->old[change->replaced++] = node;
    *out = NULL;
    if (!node->leaf) {
        struct tree_node *below;
        if (!remove_below(change, entries[at].child, &below))
            return false;
        if (below != NULL) {
            entry_of_node(&entries[at], below);
            merge(change, entries, &count, at, &failed);
            if (failed)
                return false;
        }
        node = below != NULL ? node : NULL;
    }
    if (node == NULL || entries[at].child == NULL) { /* the entry itself goes */
        memmove(&entries[at], &entries[at + 1], (count - at - 1) * sizeof entries[0]);
        count--;
    }
    if (count == 0)
        return true;
    *out = node_create(change, entries, count, entries[0].child == NULL);
    return *out != NULL;
}

/* Without memory for another path: the box in the leaf becomes one that no packet is in. */
static void hide(struct change *change)
{
    struct tree_node *node = rcu_load(&change->tree->root);

    while (!node->leaf)
        node = tree_children(node)[find_child(change, node)];
    tree_leaf_hide(node, find_child(change, node));
}

bool tree_remove(struct tree *tree, struct mem *mem, const struct compiled *rule)
{
    struct change change = {.tree = tree, .mem = mem, .rule = rule};
    struct tree_node *root = rcu_load(&tree->root), *fresh;

    if (!remove_below(&change, root, &fresh)) {
        change_undo(&change);
        hide(&change);
        mem->hidden++;
        return false;
    }
    while (fresh != NULL && !fresh->leaf && fresh->count == 1) { /* a root with one child is one level too many */
        change.old[change.replaced++] = fresh;
        fresh = tree_children(fresh)[0];
    }
    change_publish(&change, fresh);
    return true;
}

static void give_below(struct tree_node *node, struct mem *mem, void (*give)(struct mem *mem, void *block))
{
    for (unsigned i = 0; !node->leaf && i < node->count; i++)
        give_below(tree_children(node)[i], mem, give);
    give(mem, node);
}

void tree_give(struct tree *tree, struct mem *mem, void (*give)(struct mem *mem, void *block))
{
    struct tree_node *root = rcu_load(&tree->root);

    if (root != NULL)
        give_below(root, mem, give);
}

static void each_below(const struct tree_node *node, void (*visit)(void *ctx, const struct compiled *rule), void *ctx)
{
    for (unsigned i = 0; i < node->count; i++) {
        if (node->leaf)
            visit(ctx, tree_rules(node)[i]);
        else
            each_below(tree_children(node)[i], visit, ctx);
    }
}

void tree_each(const struct tree *tree, void (*visit)(void *ctx, const struct compiled *rule), void *ctx)
{
    const struct tree_node *root = rcu_load(&tree->root);

    if (root != NULL)
        each_below(root, visit, ctx);
}
