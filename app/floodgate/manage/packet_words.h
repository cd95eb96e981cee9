/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of a packet's text, read but not yet judged together (packet_text.c does that). Private to manage.
 */
#ifndef FLOODGATE_PACKET_WORDS_H
#define FLOODGATE_PACKET_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/strbuf.h"

enum packet_word {
    WORD_SOURCE,
    WORD_DESTINATION,
    WORD_PROTOCOL,
    WORD_SOURCE_PORT,
    WORD_DESTINATION_PORT,
    WORD_LENGTH,
    WORD_TCP_FLAGS,
    WORD_ICMP_TYPE,
    WORD_ICMP_CODE,
    WORD_DSCP,
    WORD_FRAGMENT,
    WORD_FLOW_LABEL,
    WORD_COUNT,
};

struct packet_words {
    bool set[WORD_COUNT];
    uint32_t value[WORD_COUNT]; /* of all but addresses */
    struct ip_addr address[2];  /* WORD_SOURCE, WORD_DESTINATION */
};

/* False with one line in `why`. */
bool packet_words_parse(const char *text, struct packet_words *words, char *why, size_t size);

const char *packet_word_name(enum packet_word word);

/* "udp", or NULL for a protocol without a name in rule text. */
const char *packet_protocol_name(unsigned protocol);

/* "syn+ack", "first-fragment"; bits without a name as a number. */
void packet_flags_format(enum packet_word word, uint32_t bits, struct strbuf *out);

#endif
