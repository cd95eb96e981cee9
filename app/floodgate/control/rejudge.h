/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which rules rest on which unicast routes (RFC 9117 4.1): an index of the rules by their destination prefix. A route
 * that changes marks the rules whose destination covers it or lies within it, and no others are looked at; they are
 * judged soon after, in slices, so that a table of a million routes costs each rule a few judgements and not a million.
 * Control thread only.
 */
#ifndef FLOODGATE_REJUDGE_H
#define FLOODGATE_REJUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bgp_route;
struct event_base;
struct rejudge;
struct rule;

/* What to do with a rule whose routes changed. It may change the rule table, but must leave the rule in it. */
typedef void (*rejudge_fn)(void *ctx, struct rule *rule);

/* NULL when memory is short. */
struct rejudge *rejudge_create(struct event_base *base, rejudge_fn judge, void *ctx);
void rejudge_free(struct rejudge *rejudge); /* after the rules */

/* A rule has entered the table, or leaves it. Where memory is short a rule is not in the index: false, and whoever
 * calls says so. Rules without a destination that counts are not kept: no route changes their verdict. */
bool rejudge_add(struct rejudge *rejudge, struct rule *rule);
void rejudge_remove(struct rejudge *rejudge, struct rule *rule);

/* The best path of the route's prefix is another one, or gone. */
void rejudge_route_changed(struct rejudge *rejudge, const struct bgp_route *route);

/* Rules marked and not yet judged. */
size_t rejudge_waiting(const struct rejudge *rejudge);

#endif
