/* SPDX-License-Identifier: BSD-3-Clause */
/* An Ethernet frame written in hex, as `explain` takes it: digits in pairs, blanks and colons between them allowed. */
#ifndef FLOODGATE_FRAME_HEX_H
#define FLOODGATE_FRAME_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/key.h"

/* Whether the text can only be meant as a frame: hex digits, blanks and colons, at least an Ethernet header of them. */
bool frame_hex_looks_like(const char *text);

/* The start of a frame, as far as anything but the parser looks at it, and the length of all of it. */
struct frame_head {
    uint8_t octets[64];
    uint32_t len;
    bool checksum_wrong; /* of its IPv4 header, where it has one */
};

/*
 * Reads the frame as a worker would. False with one line in `why` when it is not hex; a malformed packet is read fine.
 */
bool frame_hex_parse(const char *text, struct pkt_key *key, struct frame_head *head, char *why, size_t size);

#endif
