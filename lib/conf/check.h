/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cross-references, once every section is read. The checks live with what they check; they must bear names and
 * addresses that are not set, because a file with problems is checked, too.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/schema.h"

/* Things of which there may be one each, by some measure. */
struct cfg_unique {
    const void *items;
    size_t count;
    size_t size;
    bool (*present)(const void *item); /* whether it has what is compared */
    int (*compare)(const void *a, const void *b);
    void (*report)(struct cfg_reader *reader, const void *first, const void *again);
};

/* Reports each item that equals an earlier one. */
void cfg_check_unique(struct cfg_reader *reader, const struct cfg_unique *unique);

/* The port of that name, or NULL. */
const struct cfg_port *cfg_find_port(const struct cfg *cfg, const char *name);

/* Reports that `key` names a port that does not exist. */
void cfg_no_such_port(struct cfg_reader *reader, const char *key, const char *name, unsigned line);

int cfg_addr_compare(const struct ip_addr *a, const struct ip_addr *b);

void cfg_check_dataplane(struct cfg_reader *reader);
void cfg_check_ports(struct cfg_reader *reader);
void cfg_check_routing(struct cfg_reader *reader);
void cfg_check_bgp(struct cfg_reader *reader);
void cfg_check_sampling(struct cfg_reader *reader);
void cfg_check_rules(struct cfg_reader *reader);

#endif
