/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/window.h"

#include <stdlib.h>
#include <string.h>

#include "classifier/classifier.h"
#include "flowspec/rule.h"

/* What there is of some packets. */
struct totals {
    uint32_t packets;
    uint64_t bytes;
    uint32_t by_protocol[256];
};

struct window {
    size_t first;       /* a ring of all.packets */
    struct totals all;  /* kept along with the ring */
    uint32_t elsewhere; /* packets of other VRFs than the default one */
    mono_ms_t at[WINDOW_SIZE];
    uint16_t vrf[WINDOW_SIZE];
    uint32_t destination_head[WINDOW_SIZE]; /* the first 32 bits, host order: most rules are told apart by them */
    struct pkt_key keys[WINDOW_SIZE];
};

/* A question to the window: of which VRFs, and what they have. */
struct part {
    const struct window *window;
    const struct vrf_set *vrfs;
    bool whole; /* all of the window is meant */
    const struct totals *seen;
    struct totals own; /* `seen` where it is not the whole */
};

struct window *window_create(void)
{
    struct window *window = aligned_alloc(64, (sizeof *window + 63) / 64 * 64);

    if (window != NULL)
        memset(window, 0, sizeof *window);
    return window;
}

void window_free(struct window *window)
{
    free(window);
}

static size_t place(const struct window *window, size_t n)
{
    return (window->first + n) % WINDOW_SIZE;
}

static void totals_add(struct totals *totals, const struct pkt_key *key)
{
    totals->packets++;
    totals->bytes += key->length;
    totals->by_protocol[key->protocol]++;
}

static void drop_first(struct window *window)
{
    const struct pkt_key *key = &window->keys[window->first];

    window->all.bytes -= key->length;
    window->all.by_protocol[key->protocol]--;
    window->all.packets--;
    window->elsewhere -= window->vrf[window->first] != 0;
    window->first = place(window, 1);
}

static uint32_t head_of(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

void window_add(struct window *window, const struct pkt_key *key, uint16_t vrf, mono_ms_t now)
{
    if (window->all.packets == WINDOW_SIZE)
        drop_first(window);
    size_t at = place(window, window->all.packets);
    window->keys[at] = *key;
    window->at[at] = now;
    window->vrf[at] = vrf;
    window->destination_head[at] = head_of(key->dst);
    window->elsewhere += vrf != 0;
    totals_add(&window->all, key);
}

void window_drop_before(struct window *window, mono_ms_t since)
{
    while (window->all.packets > 0 && window->at[window->first] < since)
        drop_first(window);
}

size_t window_count(const struct window *window)
{
    return window->all.packets;
}

bool window_is_plain(const struct window *window)
{
    return window->elsewhere == 0;
}

void window_each(const struct window *window, void (*visit)(void *ctx, const struct pkt_key *key, uint16_t vrf),
                 void *ctx)
{
    for (size_t i = 0; i < window->all.packets; i++)
        visit(ctx, &window->keys[place(window, i)], window->vrf[place(window, i)]);
}

/* Whether the packet came in by one of the VRFs that are meant. */
static bool concerns(const struct part *part, size_t at)
{
    uint16_t vrf = part->window->vrf[at];

    return part->whole || (part->vrfs == NULL ? vrf == 0 : vrf_set_has(part->vrfs, vrf));
}

static void part_init(struct part *part, const struct window *window, const struct vrf_set *vrfs)
{
    part->window = window;
    part->vrfs = vrfs;
    part->whole = vrfs == NULL && window_is_plain(window);
    part->seen = part->whole ? &window->all : &part->own;
    if (part->whole)
        return;
    memset(&part->own, 0, sizeof part->own);
    for (size_t i = 0; i < window->all.packets; i++)
        if (concerns(part, place(window, i)))
            totals_add(&part->own, &window->keys[place(window, i)]);
}

static int compare_destination(const void *a, const void *b)
{
    const struct pkt_key *x = *(const struct pkt_key *const *)a, *y = *(const struct pkt_key *const *)b;
    int order = memcmp(x->dst, y->dst, sizeof x->dst);

    return order != 0 ? order : (int)x->family - (int)y->family;
}

static int compare_port(const void *a, const void *b)
{
    const struct pkt_key *x = *(const struct pkt_key *const *)a, *y = *(const struct pkt_key *const *)b;
    uint32_t left = (uint32_t)x->protocol << 16 | x->dst_port, right = (uint32_t)y->protocol << 16 | y->dst_port;

    return left < right ? -1 : left > right;
}

static uint32_t seen_to(const struct part *part, const struct pkt_key *key)
{
    uint32_t seen = 0;

    for (size_t i = 0; i < part->window->all.packets; i++) {
        size_t at = place(part->window, i);
        const struct pkt_key *other = &part->window->keys[at];
        seen += concerns(part, at) && compare_destination(&other, &key) == 0;
    }
    return seen;
}

static struct ip_addr destination_of(const struct pkt_key *key)
{
    struct ip_addr address = {.family = key->family};

    memcpy(address.octets, key->dst, sizeof address.octets);
    return address;
}

/* One destination's packets: into the list of the largest, and the largest part where it is a part worth a limit. */
static void take_destination(const struct part *part, const struct pkt_key *key, uint32_t taken, double max_destination,
                             struct pol_blast *out)
{
    struct pol_blast_destination one = {.address = destination_of(key), .taken = taken};
    uint32_t all = part->seen->packets;

    for (unsigned i = 0; i < POL_BLAST_TOP; i++) {
        if (one.taken > out->top_destinations[i].taken) {
            struct pol_blast_destination lower = out->top_destinations[i];
            out->top_destinations[i] = one;
            one = lower;
        }
    }
    if (max_destination <= 0 || taken * WINDOW_PART_LEAST < all * max_destination / 100)
        return;
    uint32_t seen = seen_to(part, key);
    if (seen * WINDOW_PART_LEAST >= all &&
        (uint64_t)taken * out->destination.seen >= (uint64_t)out->destination.taken * seen) {
        out->destination = (struct pol_part){.seen = seen, .taken = taken};
        out->destination_address = destination_of(key);
    }
}

static void take_port(const struct pkt_key *key, uint32_t taken, struct pol_blast *out)
{
    struct pol_blast_port one = {.protocol = key->protocol, .port = key->dst_port, .taken = taken};

    for (unsigned i = 0; i < POL_BLAST_TOP; i++) {
        if (one.taken > out->top_ports[i].taken) {
            struct pol_blast_port lower = out->top_ports[i];
            out->top_ports[i] = one;
            one = lower;
        }
    }
}

/* What the packets that the rule takes have in common. */
static void sum_up(const struct part *part, const struct pkt_key **taken, size_t count, double max_destination,
                   struct pol_blast *out)
{
    size_t run, with_ports = 0;

    qsort(taken, count, sizeof *taken, compare_destination);
    for (size_t i = 0; i < count; i += run) {
        for (run = 1; i + run < count && compare_destination(&taken[i], &taken[i + run]) == 0; run++)
            ;
        take_destination(part, taken[i], (uint32_t)run, max_destination, out);
    }
    for (size_t i = 0; i < count; i++)
        if (taken[i]->has & PKT_HAS_PORTS)
            taken[with_ports++] = taken[i];
    qsort(taken, with_ports, sizeof *taken, compare_port);
    for (size_t i = 0; i < with_ports; i += run) {
        for (run = 1; i + run < with_ports && compare_port(&taken[i], &taken[i + run]) == 0; run++)
            ;
        take_port(taken[i], (uint32_t)run, out);
    }
}

static void take_protocols(const struct totals *seen, const struct totals *taken, struct pol_blast *out)
{
    for (unsigned i = 0; i < 256; i++) {
        uint32_t all = seen->by_protocol[i], part = taken->by_protocol[i];
        if (part == 0 || all * WINDOW_PART_LEAST < seen->packets ||
            (uint64_t)part * out->protocol.seen < (uint64_t)out->protocol.taken * all)
            continue;
        out->protocol = (struct pol_part){.seen = all, .taken = part};
        out->protocol_number = (uint8_t)i;
    }
}

/* The first 32 bits of what the rule matches, and which of them count. */
static void head_of_rule(const struct fs_rule *rule, uint32_t *head, uint32_t *mask)
{
    const struct fs_component *destination = fs_rule_component(rule, FS_DESTINATION);

    *head = *mask = 0;
    if (destination == NULL || destination->offset != 0 || destination->length == 0)
        return;
    *head = head_of(destination->octets);
    *mask = destination->length >= 32 ? UINT32_MAX : ~(UINT32_MAX >> destination->length);
}

void window_measure(const struct window *window, const struct fs_rule *rule, const struct vrf_set *vrfs,
                    double max_destination, struct pol_blast *out)
{
    const struct pkt_key *list[WINDOW_SIZE];
    struct totals taken = {.packets = 0};
    uint32_t head, mask;
    struct part part;

    memset(out, 0, sizeof *out);
    part_init(&part, window, vrfs);
    head_of_rule(rule, &head, &mask);
    for (size_t i = 0; i < window->all.packets; i++) {
        size_t at = place(window, i);
        if (((window->destination_head[at] ^ head) & mask) != 0 || !concerns(&part, at) ||
            !cls_rule_matches(rule, &window->keys[at]))
            continue;
        list[taken.packets] = &window->keys[at];
        totals_add(&taken, &window->keys[at]);
    }
    out->packets = (struct pol_part){.seen = part.seen->packets, .taken = taken.packets};
    out->bytes_seen = part.seen->bytes;
    out->bytes_taken = taken.bytes;
    take_protocols(part.seen, &taken, out);
    if (taken.packets > 0)
        sum_up(&part, list, taken.packets, max_destination, out);
}
