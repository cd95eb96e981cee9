/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/frame_hex.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "packet/parse.h"

#define FRAME_MAX       65535u /* what one mbuf segment can hold */
#define ETHERNET_DIGITS 28     /* of an Ethernet header */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ':';
}

bool frame_hex_looks_like(const char *text)
{
    size_t digits = 0;

    for (; *text != '\0'; text++) {
        if (hex_digit(*text) >= 0)
            digits++;
        else if (!is_separator(*text))
            return false;
    }
    return digits >= ETHERNET_DIGITS;
}

/* Octets written to `frame`, or -1 after filling `why`. */
static long read_octets(const char *text, uint8_t *frame, char *why, size_t size)
{
    size_t digits = 0;

    for (const char *at = text; *at != '\0'; at++) {
        int digit = hex_digit(*at);
        if (digit < 0 && is_separator(*at))
            continue;
        if (digit < 0) {
            snprintf(why, size, "a frame is written in hex digits, and character %zu is none", (size_t)(at - text) + 1);
            return -1;
        }
        if (digits / 2 == FRAME_MAX) {
            snprintf(why, size, "the frame has more than %u octets", FRAME_MAX);
            return -1;
        }
        frame[digits / 2] = (uint8_t)(digits % 2 == 0 ? digit << 4 : frame[digits / 2] | digit);
        digits++;
    }
    if (digits == 0 || digits % 2 != 0) {
        snprintf(why, size, digits == 0 ? "the frame is empty" : "the frame ends in the middle of an octet");
        return -1;
    }
    return (long)(digits / 2);
}

bool frame_hex_parse(const char *text, struct pkt_key *key, struct frame_head *head, char *why, size_t size)
{
    uint8_t *frame = malloc(FRAME_MAX + 1);

    if (frame == NULL) {
        snprintf(why, size, "memory is short");
        return false;
    }
    long len = read_octets(text, frame, why, size);
    if (len > 0) {
        /* an mbuf around our own octets: the parser only reads */
        struct rte_mbuf mbuf = {
            .buf_addr = frame, .buf_len = FRAME_MAX, .data_len = (uint16_t)len, .pkt_len = (uint32_t)len, .nb_segs = 1};
        rte_mbuf_refcnt_set(&mbuf, 1);
        pkt_parse(&mbuf, key);
        bool right = key->malformed != PKT_SOUND || pkt_checksum_right(&mbuf, key);
        *head = (struct frame_head){.len = (uint32_t)len, .checksum_wrong = !right};
        memcpy(head->octets, frame, (size_t)len < sizeof head->octets ? (size_t)len : sizeof head->octets);
    }
    free(frame);
    return len > 0;
}
