/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events become notifications (RFC 2741, 6.2.10): one after the other, each kept until snmpd has said that it took it.
 * What a lost session leaves open is sent again in the next one. The agent's thread.
 */
#ifndef FLOODGATE_SNMP_NOTIFY_H
#define FLOODGATE_SNMP_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct notify;
struct snmp_session;

/* `root` must outlive it. NULL when memory is short. */
struct notify *notify_create(struct board *board, const uint32_t *root, size_t root_len, const char *state_file);
void notify_free(struct notify *notify);

/* A session with snmpd began; NULL: it ended. */
void notify_session(struct notify *notify, struct snmp_session *session);

/* While `leave`: events are another subagent's to send, and are dropped. */
void notify_leave(struct notify *notify, bool leave);

/* Whether one was sent that snmpd has not answered. */
bool notify_waits(const struct notify *notify);

/* Sends what waits. */
void notify_run(struct notify *notify);

#endif
