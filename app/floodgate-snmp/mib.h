/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The objects of FLOODGATE-MIB, as a table of groups: scalars, and tables whose rows are in the order of their indices.
 * One walk serves all of them: an OID, and what comes next. Arcs are those below floodgateObjects. Pure.
 */
#ifndef FLOODGATE_SNMP_MIB_H
#define FLOODGATE_SNMP_MIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "view.h"

#define MIB_ARCS_MOST 112 /* group, entry, column, and an index of INDEX_TEXT_MOST */
#define MIB_TEXT_MOST 1024

/* Arcs below the root of the MIB. */
enum { MIB_NOTIFICATIONS = 0, MIB_OBJECTS = 1 };

/* Groups below floodgateObjects that others need to know. */
enum { MIB_GROUP_NOTIFICATION = 10, MIB_GROUP_EVENT = 11 };
enum { MIB_NOTIFICATIONS_SUPPRESSED = 2 }; /* in MIB_GROUP_NOTIFICATION */

/* Objects of MIB_GROUP_EVENT, which are in notifications alone. */
enum mib_event_object {
    MIB_EVENT_RULE = 1,
    MIB_EVENT_MATCH = 2,
    MIB_EVENT_SCOPE = 3,
    MIB_EVENT_SCOPE_VALUE = 4,
    MIB_EVENT_SHARE = 5,
    MIB_EVENT_LIMIT = 6,
    MIB_EVENT_PEER = 7,
    MIB_EVENT_PEER_ADDRESS = 8,
    MIB_EVENT_PEER_SESSIONS = 9,
    MIB_EVENT_SWITCH = 10,
    MIB_EVENT_BY = 11,
    MIB_EVENT_REASON = 12,
    MIB_EVENT_TIME = 13,
};

enum mib_kind { MIB_INTEGER, MIB_GAUGE, MIB_COUNTER32, MIB_COUNTER64, MIB_TICKS, MIB_TEXT };

struct mib_value {
    enum mib_kind kind;
    uint64_t number;
    const char *text; /* of the view, or constant */
};

/* What is walked over. `state` NULL: the router does not answer. `rules` is asked for when a row of theirs is. */
struct mib_source {
    const struct state_view *state;
    struct board_counts counts;
    const struct rule_view *rules;
    const struct rule_view *(*get_rules)(void *ctx); /* asked once; NULL: they could not be read in time */
    void *ctx;
    bool rules_asked;
    bool rules_missed; /* set where an answer lacks them: it is none to give */
};

/* The object of exactly these arcs. False: there is none. */
bool mib_get(struct mib_source *source, const uint32_t *arcs, size_t len, struct mib_value *out);

/* The first object behind these arcs; `next` has room for MIB_ARCS_MOST. False: there is none. */
bool mib_next(struct mib_source *source, const uint32_t *arcs, size_t len, uint32_t *next, size_t *next_len,
              struct mib_value *out);

#endif
