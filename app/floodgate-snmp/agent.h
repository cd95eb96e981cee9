/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The side of snmpd: a session with it (RFC 2741), attached again when it was lost, in which the objects of mib.h are
 * served and events leave as notifications. One thread, that of main().
 */
#ifndef FLOODGATE_SNMP_AGENT_H
#define FLOODGATE_SNMP_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct agent_conf {
    struct board *board;
    const char *agentx; /* NULL: net-snmp's default */
    const uint32_t *root;
    size_t root_len;
    const char *state_file; /* NULL: none */
};

struct agent;

/* Attaches, or keeps trying. NULL after a line on stderr. One at a time: net-snmp has one agent a process. */
struct agent *agent_start(const struct agent_conf *conf);

/* Waits for snmpd, news on the board, or a signal, and serves what came. */
void agent_turn(struct agent *agent);

/* Tells snmpd that it goes. */
void agent_stop(struct agent *agent);

#endif
