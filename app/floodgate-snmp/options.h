/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line. */
#ifndef FLOODGATE_SNMP_OPTIONS_H
#define FLOODGATE_SNMP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_OID_MOST 28 /* arcs of the root: 128 of an OID, without those of the longest index below it */

struct options {
    const char *socket;     /* of the router */
    const char *agentx;     /* of snmpd; NULL: net-snmp's own default */
    const char *state_file; /* NULL: none */
    uint32_t root[OPTIONS_OID_MOST];
    size_t root_len;
    uint32_t rules_most; /* rows of the table of rules */
    uint32_t burst, per_s;
};

enum options_said { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* OPTIONS_DONE after --help and --version, OPTIONS_WRONG after a line on stderr. */
enum options_said options_read(int argc, char **argv, struct options *out);

#endif
