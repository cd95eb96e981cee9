/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a rule matches a packet, a second time: written from the text of RFC 8955 section 4.2 and RFC 8956 section 3
 * over the octets of the NLRI, bit by bit, and sharing no code with the library.
 */
#ifndef MODEL_NAIVE_MATCH_H
#define MODEL_NAIVE_MATCH_H

#include "flowspec/rule.h"
#include "packet/key.h"

bool naive_match(const struct fs_rule *rule, const struct pkt_key *key);

#endif
