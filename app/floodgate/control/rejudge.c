/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rejudge.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/prefix_trie.h"
#include "bgp/types.h"
#include "bgp/unicast_rib.h"
#include "control/internal.h"
#include "control/rules.h"
#include "policy/feasibility.h"

#define DELAY_MS 20  /* from a change to the judgement: a burst of routes is judged once */
#define SLICE    512 /* rules judged in one turn of the event loop */
#define TURN_MS  5   /* or fewer, when it takes this long */
/*
 * A rule for a short prefix may look at each route below (condition c), and each change of one marks it again: one that
 * takes a turn and more by itself waits nine times as long afterwards, so that no more than a tenth of the thread's
 * time goes there.
 */
#define SLOW_REST 9

struct rejudge {
    rejudge_fn judge;
    void *ctx;
    struct event *timer;
    struct slab nodes;
    struct prefix_trie ipv4, ipv6, vpn_ipv4, vpn_ipv6; /* a node's value: the slot of its first rule */
    struct slab slots;                                 /* of struct rule *: nodes hold 32 bits */
    TAILQ_HEAD(, rule) waiting;
    size_t waiting_count;
    size_t rule_count; /* in the index */
};

static void arm(struct rejudge *rejudge, unsigned delay_ms)
{
    const struct timeval delay = {.tv_sec = delay_ms / 1000, .tv_usec = (suseconds_t)(delay_ms % 1000) * 1000};

    if (!evtimer_pending(rejudge->timer, NULL))
        evtimer_add(rejudge->timer, &delay);
}

static void unmark(struct rejudge *rejudge, struct rule *rule)
{
    if (!rule->waits_for_judgement)
        return;
    rule->waits_for_judgement = false;
    TAILQ_REMOVE(&rejudge->waiting, rule, waiting);
    rejudge->waiting_count--;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rejudge *rejudge = arg;
    mono_ms_t begun = control_now(), now = begun, slow = 0;

    (void)fd;
    (void)what;
    for (unsigned i = 0; i < SLICE && now - begun < TURN_MS && !TAILQ_EMPTY(&rejudge->waiting); i++) {
        struct rule *rule = TAILQ_FIRST(&rejudge->waiting);
        mono_ms_t before = now;
        unmark(rejudge, rule);
        rejudge->judge(rejudge->ctx, rule);
        now = control_now();
        if (now - before >= TURN_MS)
            slow = now - before;
    }
    if (!TAILQ_EMPTY(&rejudge->waiting) || slow > 0)
        arm(rejudge, (unsigned)(SLOW_REST * slow));
}

struct rejudge *rejudge_create(struct event_base *base, rejudge_fn judge, void *ctx)
{
    struct rejudge *rejudge = calloc(1, sizeof *rejudge);

    if (rejudge == NULL)
        return NULL;
    rejudge->judge = judge;
    rejudge->ctx = ctx;
    slab_init(&rejudge->nodes, sizeof(struct trie_node));
    slab_init(&rejudge->slots, sizeof(struct rule *));
    trie_init(&rejudge->ipv4, &rejudge->nodes, IP_V4, 0);
    trie_init(&rejudge->ipv6, &rejudge->nodes, IP_V6, 0);
    trie_init(&rejudge->vpn_ipv4, &rejudge->nodes, IP_V4, 0);
    trie_init(&rejudge->vpn_ipv6, &rejudge->nodes, IP_V6, 0);
    TAILQ_INIT(&rejudge->waiting);
    rejudge->timer = evtimer_new(base, on_timer, rejudge);
    if (rejudge->timer != NULL)
        return rejudge;
    free(rejudge);
    return NULL;
}

void rejudge_free(struct rejudge *rejudge)
{
    if (rejudge == NULL)
        return;
    event_free(rejudge->timer);
    trie_fini(&rejudge->ipv4);
    trie_fini(&rejudge->ipv6);
    trie_fini(&rejudge->vpn_ipv4);
    trie_fini(&rejudge->vpn_ipv6);
    slab_clear(&rejudge->nodes);
    slab_clear(&rejudge->slots);
    free(rejudge);
}

static struct prefix_trie *trie_of(struct rejudge *rejudge, unsigned family, bool vpn)
{
    if (family == IP_V6)
        return vpn ? &rejudge->vpn_ipv6 : &rejudge->ipv6;
    return vpn ? &rejudge->vpn_ipv4 : &rejudge->ipv4;
}

static struct rule **first_of(const struct rejudge *rejudge, const struct trie_node *node)
{
    return slab_at(&rejudge->slots, node->value);
}

bool rejudge_add(struct rejudge *rejudge, struct rule *rule)
{
    struct prefix_trie *trie = trie_of(rejudge, rule->match->family, rule->match->has_rd);
    struct ip_prefix prefix;

    if (!pol_feasible_prefix(rule->match, &prefix))
        return true;
    struct trie_key key = trie_key_of(&prefix);
    uint32_t index = trie_insert(trie, &key);
    if (index == SLAB_NONE)
        return false;
    struct trie_node *node = trie_at(trie, index);
    if (node->value == 0)
        node->value = slab_take(&rejudge->slots);
    if (node->value == 0) {
        trie_remove(trie, index);
        return false;
    }
    struct rule **first = first_of(rejudge, node);
    rule->destination_node = index;
    rule->destination_previous = NULL;
    rule->destination_next = *first;
    if (*first != NULL)
        (*first)->destination_previous = rule;
    *first = rule;
    rejudge->rule_count++;
    return true;
}

void rejudge_remove(struct rejudge *rejudge, struct rule *rule)
{
    struct prefix_trie *trie = trie_of(rejudge, rule->match->family, rule->match->has_rd);

    unmark(rejudge, rule);
    if (rule->destination_node == SLAB_NONE)
        return;
    const struct trie_node *node = trie_at(trie, rule->destination_node);
    struct rule **first = first_of(rejudge, node);
    if (rule->destination_previous != NULL)
        rule->destination_previous->destination_next = rule->destination_next;
    else
        *first = rule->destination_next;
    if (rule->destination_next != NULL)
        rule->destination_next->destination_previous = rule->destination_previous;
    if (*first == NULL) {
        slab_give(&rejudge->slots, node->value);
        trie_remove(trie, rule->destination_node);
    }
    rule->destination_node = SLAB_NONE;
    rejudge->rule_count--;
}

static void mark(struct rejudge *rejudge, const struct trie_node *node)
{
    for (struct rule *rule = *first_of(rejudge, node); rule != NULL; rule = rule->destination_next) {
        if (rule->waits_for_judgement)
            continue;
        rule->waits_for_judgement = true;
        TAILQ_INSERT_TAIL(&rejudge->waiting, rule, waiting);
        rejudge->waiting_count++;
    }
}

void rejudge_route_changed(struct rejudge *rejudge, const struct bgp_route *route)
{
    bool vpn = (route->family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0;
    struct prefix_trie *trie = trie_of(rejudge, route->prefix.family, vpn);
    struct trie_key key = trie_key_of(&route->prefix);

    if (trie->count == 0 || rejudge->waiting_count == rejudge->rule_count)
        return;
    /* those that the route is more specific than (condition c), and its own destination */
    for (uint32_t at = trie_match(trie, &key); at != SLAB_NONE; at = trie_above(trie, at))
        mark(rejudge, trie_at(trie, at));
    /* those that it may be the best match of (condition b) */
    for (uint32_t at = trie_within(trie, &key, SLAB_NONE); at != SLAB_NONE; at = trie_within(trie, &key, at))
        mark(rejudge, trie_at(trie, at));
    if (!TAILQ_EMPTY(&rejudge->waiting))
        arm(rejudge, DELAY_MS);
}

size_t rejudge_waiting(const struct rejudge *rejudge)
{
    return rejudge->waiting_count;
}
