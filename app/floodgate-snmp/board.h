/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two threads share. The poller (poller.h) asks the router and puts down here what it said, and events; the
 * agent's thread (agent.h) takes them, and says here when somebody reads the table of rules. Every function may be
 * called by either, unless it says which.
 */
#ifndef FLOODGATE_SNMP_BOARD_H
#define FLOODGATE_SNMP_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "position.h"
#include "view.h"

#define BOARD_EVENTS 256 /* that wait for snmpd to take them; what comes then is left in the router's journal */

/* Counts of notifications. */
struct board_counts {
    uint64_t sent;       /* that snmpd has taken */
    uint64_t suppressed; /* beyond the pace */
    uint64_t lost;       /* gaps in the journal, no answer of snmpd */
    uint64_t waiting;
};

struct board;

/* NULL when memory or descriptors are short. */
struct board *board_create(void);
void board_free(struct board *board);

uint64_t board_now_ms(void); /* since some moment */

/* Poller: the state of the router; NULL: it does not answer. Takes `view`. */
void board_set_state(struct board *board, struct state_view *view);
void board_set_rules(struct board *board, struct rule_view *view, uint64_t took_ms);

/* Held for the caller; NULL: there is none. */
struct state_view *board_state(struct board *board);

/*
 * Agent: the rules, none older than some seconds if somebody reads them steadily (of very many: than ten times what
 * reading them takes); waits some seconds for a reading where there is none of the last minute. Held for the caller;
 * NULL: there is none even so.
 */
struct rule_view *board_rules(struct board *board);

/* Poller: waits until `until_ms`, or until rules are asked for, or the program ends. True: rules are asked for. */
bool board_wait(struct board *board, uint64_t until_ms);

/* How many events find room now. */
size_t board_room(struct board *board);

/* Poller: an event for the managers; and the count of those that were left out for the pace, or are lost. */
void board_push(struct board *board, const struct event *event);
void board_count_suppressed(struct board *board);
void board_count_lost(struct board *board);

/* Agent: the next event, which stays until it is done with. False: there is none. */
bool board_next(struct board *board, struct event *out);
void board_done(struct board *board, bool sent);
void board_drop(struct board *board); /* done with, and counted nowhere */

/*
 * Poller: how far the journal was read. Agent: how far it was sent: all that was read, when no event waits. False: one
 * waits, or nothing was read so far.
 */
void board_set_read(struct board *board, const struct positions *read);
bool board_sent(struct board *board, struct positions *out);

/* A descriptor that is readable when there may be news for the agent; board_read_news before looking. */
int board_news_fd(const struct board *board);
void board_read_news(struct board *board);

struct board_counts board_counts(struct board *board);

/* Ends a wait of the poller for good. */
void board_stop(struct board *board);

#endif
