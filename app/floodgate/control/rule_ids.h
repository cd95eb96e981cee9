/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rule ids: who has which, and which are still leaving the data plane.
 *
 * An id that was cleared may be used again only after the data plane has released it: neither by another rule nor by
 * the same one. Control thread only.
 */
#ifndef FLOODGATE_RULE_IDS_H
#define FLOODGATE_RULE_IDS_H

#include <stdbool.h>
#include <stdint.h>

struct dataplane;
struct rule;
struct rule_ids;

/* Called once a cleared id is released while a rule still has it: now it can go into force again. */
typedef void (*rule_ids_released_fn)(void *ctx, struct rule *rule);

struct rule_ids *rule_ids_create(uint32_t capacity, rule_ids_released_fn released, void *ctx);

/* The memory goes when the last id that is being cleared is released. No call of `released` any more. */
void rule_ids_close(struct rule_ids *ids);

/* An id for the rule, or ID_NONE. */
uint32_t rule_ids_take(struct rule_ids *ids, struct rule *rule);

/* The rule is gone. Takes it out of force where it was; its id is free at once, or as soon as it is released. */
void rule_ids_give(struct rule_ids *ids, struct dataplane *dp, uint32_t id, bool in_force);

/* The rule that has the id, or NULL. */
struct rule *rule_ids_find(const struct rule_ids *ids, uint32_t id);

/* Takes the id's rule out of force. Until it is released the id must not be set again (rule_ids_clearing). */
void rule_ids_clear(struct rule_ids *ids, struct dataplane *dp, uint32_t id);
bool rule_ids_clearing(const struct rule_ids *ids, uint32_t id);

/* Whether ids wait for their release: dataplane_settle gives them back. */
bool rule_ids_leaving(const struct rule_ids *ids);

/* Whether another id could be taken. */
bool rule_ids_room(const struct rule_ids *ids);

#endif
