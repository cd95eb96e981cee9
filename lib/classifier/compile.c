/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operator lists -> intervals -> boxes. RFC 8955 4.2.1: OR over runs of ANDed terms. A run of numeric terms is one
 * interval, but for `!=` inside of it; what is no interval gets the interval around it and is marked inexact.
 */
#include "classifier/compile.h"

#include <string.h>

#include "classifier/engine.h"
#include "flowspec/order.h"

#define INTERVALS_MAX COMPILED_VALUES

struct interval {
    uint64_t low;
    uint64_t high; /* below low: empty */
};

/* The values that a component may hold: intervals, or too many of them and only the one around all. */
struct span {
    struct interval around;
    unsigned count; /* of `parts`; more than INTERVALS_MAX: parts do not say all */
    bool exact;     /* parts hold no value that the component does not */
    struct interval parts[INTERVALS_MAX];
};

/* How a component's values become a lane's. */
struct lane_info {
    uint8_t type; /* enum fs_type; 0: none */
    uint8_t shift;
    bool clamped;  /* the lane's highest value stands for all above, too */
    uint8_t needs; /* enum box_lane of the header that must be there; 0: none */
    uint64_t most; /* highest value that a packet can have */
};

static const struct lane_info lane_infos[BOX_LANES] = {
    [BOX_PROTOCOL] = {FS_PROTOCOL, 0, false, 0, UINT8_MAX},
    [BOX_PORT] = {FS_PORT, 0, false, BOX_HAS_PORTS, UINT16_MAX},
    [BOX_DESTINATION_PORT] = {FS_DESTINATION_PORT, 0, false, BOX_HAS_PORTS, UINT16_MAX},
    [BOX_SOURCE_PORT] = {FS_SOURCE_PORT, 0, false, BOX_HAS_PORTS, UINT16_MAX},
    [BOX_ICMP_TYPE] = {FS_ICMP_TYPE, 0, false, BOX_HAS_ICMP, UINT8_MAX},
    [BOX_ICMP_CODE] = {FS_ICMP_CODE, 0, false, BOX_HAS_ICMP, UINT8_MAX},
    [BOX_TCP_FLAGS] = {FS_TCP_FLAGS, 0, false, BOX_HAS_TCP_FLAGS, UINT16_MAX},
    [BOX_LENGTH] = {FS_PACKET_LENGTH, 0, true, 0, UINT32_MAX},
    [BOX_DSCP] = {FS_DSCP, 0, false, 0, UINT8_MAX},
    [BOX_FRAGMENT] = {FS_FRAGMENT, 0, false, 0, UINT8_MAX},
    [BOX_FLOW_LABEL] = {FS_FLOW_LABEL, BOX_FLOW_LABEL_SHIFT, true, 0, UINT32_MAX},
};

static void span_add(struct span *span, struct interval part)
{
    if (part.low > part.high)
        return;
    if (span->around.low > span->around.high) {
        span->around = part;
    } else {
        span->around.low = part.low < span->around.low ? part.low : span->around.low;
        span->around.high = part.high > span->around.high ? part.high : span->around.high;
    }
    if (span->count < INTERVALS_MAX)
        span->parts[span->count] = part;
    span->count++;
}

/* Narrows `run` by one numeric term; false when the term makes a hole that an interval cannot have. */
static bool run_narrow(struct interval *run, const struct fs_term *term)
{
    const struct interval empty = {1, 0};
    uint64_t v = term->value;

    switch (term->op & (FS_OP_LT | FS_OP_GT | FS_OP_EQ)) {
    case 0: /* false */
        *run = empty;
        return true;
    case FS_OP_EQ:
    case FS_OP_LT | FS_OP_EQ:
    case FS_OP_GT | FS_OP_EQ:
        if (!(term->op & FS_OP_LT) && v > run->low)
            run->low = v;
        if (!(term->op & FS_OP_GT) && v < run->high)
            run->high = v;
        return true;
    case FS_OP_LT:
        if (v == 0)
            *run = empty;
        else if (v - 1 < run->high)
            run->high = v - 1;
        return true;
    case FS_OP_GT:
        if (v == UINT64_MAX)
            *run = empty;
        else if (v + 1 > run->low)
            run->low = v + 1;
        return true;
    case FS_OP_LT | FS_OP_GT: /* not equal */
        return v < run->low || v > run->high;
    default: /* true */
        return true;
    }
}

static void span_of_numbers(const struct fs_rule *rule, const struct fs_component *c, struct span *span)
{
    const struct fs_term *terms = &rule->terms[c->first_term];
    struct interval run = {0, UINT64_MAX};

    for (unsigned i = 0; i < c->term_count; i++) {
        if (i > 0 && !(terms[i].op & FS_OP_AND)) {
            span_add(span, run);
            run = (struct interval){0, UINT64_MAX};
        }
        if (!run_narrow(&run, &terms[i]))
            span->exact = false;
    }
    span_add(span, run);
}

/* Bits are no interval; but a value that has all of some bits is at least as high as these. */
static void span_of_bits(const struct fs_rule *rule, const struct fs_component *c, struct span *span)
{
    const struct fs_term *term = &rule->terms[c->first_term];
    bool at_least = c->term_count == 1 && (term->op & FS_OP_MATCH) && !(term->op & FS_OP_NOT);

    span_add(span, (struct interval){at_least ? term->value : 0, UINT64_MAX});
    span->exact = false;
}

static void span_of(const struct fs_rule *rule, const struct fs_component *c, struct span *span)
{
    span->around = (struct interval){1, 0};
    span->count = 0;
    span->exact = true;
    if (fs_type_is_bitmask(c->type))
        span_of_bits(rule, c, span);
    else
        span_of_numbers(rule, c, span);
}

/* Sets the lane of one component; false when no packet can match. */
static bool lane_set(struct box *box, unsigned lane, const struct fs_rule *rule, const struct fs_component *c)
{
    const struct lane_info *info = &lane_infos[lane];
    struct span span;

    span_of(rule, c, &span);
    if (span.around.low > span.around.high || span.around.low > info->most)
        return false;
    bool open = span.around.high >= info->most;
    uint64_t low = span.around.low >> info->shift, high = (open ? info->most : span.around.high) >> info->shift;
    bool exact = span.exact && span.count == 1 && info->shift == 0;
    if (info->clamped && (low > UINT16_MAX || (high >= UINT16_MAX && !open)))
        exact = false;
    box->low[lane] = (uint16_t)(low < UINT16_MAX ? low : UINT16_MAX);
    box->high_not[lane] = (uint16_t) ~(uint16_t)(high < UINT16_MAX ? high : UINT16_MAX);
    if (!exact)
        box->inexact |= (uint16_t)(1u << c->type);
    if (info->needs)
        box->low[info->needs] = 1;
    if (lane == BOX_PORT)
        box->flags |= BOX_EITHER_PORT;
    return true;
}

static unsigned lane_of(unsigned type)
{
    unsigned lane = 0;

    while (lane_infos[lane].type != type)
        lane++;
    return lane;
}

/* False when no packet can match. */
static bool box_of(struct box *box, const struct fs_rule *rule)
{
    memset(box, 0, sizeof *box); /* every lane from 0 to 65535 */
    for (unsigned i = 0; i < rule->component_count; i++) {
        const struct fs_component *c = &rule->components[i];
        if (!fs_type_is_prefix(c->type) && !lane_set(box, lane_of(c->type), rule, c))
            return false;
    }
    return true;
}

/*
 * RFC 8955 5.1 for components that are no prefixes: the lower type first, then the lower data, then the longer rule.
 * Operator lists end themselves (the end-of-list bit), so none is the start of another, and the order is that of the
 * octets, if whatever follows the end of a rule counts as the highest.
 */
static void order_of(const struct fs_rule *rule, uint64_t order[2])
{
    unsigned at = rule->nlri_len, i = 0;

    while (i < rule->component_count && fs_type_is_prefix(rule->components[i].type))
        i++;
    if (i < rule->component_count)
        at = rule->components[i].data_first - 1u; /* its type octet */
    for (unsigned word = 0; word < 2; word++) {
        order[word] = 0;
        for (unsigned octet = 0; octet < 8; octet++, at++)
            order[word] = order[word] << 8 | (at < rule->nlri_len ? rule->nlri[at] : 0xff);
    }
}

int compiled_compare_rules(const struct compiled *a, const struct compiled *b)
{
    return fs_rule_compare(a->rule, b->rule);
}

/* The one component that a box says too little about may be a list of few values: these are all then. */
static void list_of(struct compiled *compiled)
{
    const struct box *box = &compiled->box;
    unsigned count = 0, lane = 0;

    for (; lane < BOX_LANES && box->inexact != 0 && count == 0; lane += count == 0)
        if (lane_infos[lane].type != 0 && box->inexact == 1u << lane_infos[lane].type)
            count = compiled_values(compiled, lane, compiled->list);
    compiled->judged = box->flags != 0 || (box->inexact != 0 && count == 0);
    compiled->list_lane = (uint8_t)(count != 0 ? lane : BOX_LANES);
    for (unsigned i = count; i < COMPILED_VALUES; i++)
        compiled->list[i] = count != 0 ? compiled->list[0] : LIST_NONE;
}

struct compiled *compiled_create(struct mem *mem, uint32_t id, const struct fs_rule *rule)
{
    struct compiled *compiled = mem_alloc_line(mem, sizeof *compiled);
    void *block = mem_alloc(mem, fs_rule_size(rule));

    if (compiled == NULL || block == NULL) {
        mem_free(mem, compiled);
        mem_free(mem, block);
        return NULL;
    }
    compiled->never = !box_of(&compiled->box, rule);
    compiled->box.id = id;
    compiled->id = id;
    compiled->rule = fs_rule_copy(block, rule);
    compiled->removed = false;
    order_of(rule, compiled->order);
    list_of(compiled);
    return compiled;
}

void compiled_free(struct mem *mem, struct compiled *compiled)
{
    mem_free(mem, compiled->rule);
    mem_free(mem, compiled);
}

unsigned compiled_values(const struct compiled *compiled, enum box_lane lane, uint16_t values[COMPILED_VALUES])
{
    const struct fs_component *c = fs_rule_component(compiled->rule, lane_infos[lane].type);
    struct span span;
    unsigned count = 0;

    if (c == NULL || fs_type_is_bitmask(c->type) || lane_infos[lane].shift != 0)
        return 0;
    span_of(compiled->rule, c, &span);
    if (!span.exact || span.count > INTERVALS_MAX)
        return 0;
    for (unsigned i = 0; i < span.count; i++) {
        uint64_t value = span.parts[i].low;
        unsigned at = 0;
        if (span.parts[i].high != value || value >= UINT16_MAX)
            return 0;
        while (at < count && values[at] < value)
            at++;
        if (at < count && values[at] == value)
            continue;
        memmove(&values[at + 1], &values[at], (count - at) * sizeof values[0]);
        values[at] = (uint16_t)value;
        count++;
    }
    return count;
}

bool compiled_exact(const struct fs_rule *rule, unsigned inexact, const struct pkt_key *key)
{
    for (unsigned i = 0; i < rule->component_count; i++) {
        const struct fs_component *c = &rule->components[i];
        if ((inexact >> c->type & 1) && !cls_component_matches(rule, c, key))
            return false;
    }
    return true;
}

bool compiled_is_brief(const struct compiled *compiled, uint32_t id, const struct brief *brief)
{
    struct brief own;

    return compiled->id == id && brief_set(&own, &compiled->box) && memcmp(&own, brief, BRIEF_OCTETS) == 0;
}
