/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One packet in the words of the rule grammar:
 *   source 192.0.2.1 destination 203.0.113.7 protocol udp source-port 123 destination-port 40000 packet-length 468
 * What `explain` reads, and what it calls the packet in its answer. Pure functions.
 */
#ifndef FLOODGATE_PACKET_TEXT_H
#define FLOODGATE_PACKET_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "packet/key.h"

/*
 * Reads the words, each at most once, in any order. What is left out is assumed, and named in `assumed` ("" when
 * nothing was). False with one line in `why` when a word is not understood or words contradict each other.
 */
bool packet_text_parse(const char *text, struct pkt_key *key, struct strbuf *assumed, char *why, size_t size);

/* A sound key as words that packet_text_parse reads back. */
void packet_text_format(const struct pkt_key *key, struct strbuf *out);

/* The same at a glance: "udp 192.0.2.1:123 > 203.0.113.7:40000, 468 octets". */
void packet_text_brief(const struct pkt_key *key, struct strbuf *out);

#endif
