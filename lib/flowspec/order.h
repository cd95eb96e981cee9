/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order in which rules are evaluated: RFC 8955 section 5.1 (IPv4), RFC 8956 section 4 (IPv6).
 */
#ifndef FLOWSPEC_ORDER_H
#define FLOWSPEC_ORDER_H

#include "flowspec/rule.h"

/*
 * Three-way compare: below 0 when `a` is evaluated before `b`, above 0 when after, 0 when they are the same rule.
 * Rules of different families never meet on a packet; IPv4 sorts first so that the order is total. Rules of different
 * route distinguishers sort by the RFC order first, then by route distinguisher.
 */
int fs_rule_compare(const struct fs_rule *a, const struct fs_rule *b);

#endif
