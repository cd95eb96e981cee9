/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/packet_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/key.h"

#define WORD_MAX 64 /* octets of one word, terminator included: an IPv6 address fits */

struct named {
    const char *name;
    uint32_t value;
};

static const struct named PROTOCOLS[] = {
    {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"gre", 47}, {"esp", 50}, {"ah", 51}, {"icmp6", 58}, {"sctp", 132}, {NULL, 0},
};
static const struct named TCP_FLAGS[] = {
    {"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10},
    {"urg", 0x20}, {"ece", 0x40}, {"cwr", 0x80}, {NULL, 0},
};
static const struct named FRAGMENTS[] = {
    {"dont-fragment", PKT_FRAGMENT_DF},
    {"is-fragment", PKT_FRAGMENT_IS},
    {"first-fragment", PKT_FRAGMENT_FIRST},
    {"last-fragment", PKT_FRAGMENT_LAST},
    {NULL, 0},
};

/* What each word takes. `flags`: names may be joined by `+`. */
static const struct word {
    const char *name, *alias;
    uint32_t max;
    const struct named *names;
    bool flags;
    const char *takes;
} WORDS[WORD_COUNT] = {
    [WORD_SOURCE] = {"source", "src", 0, NULL, false, "an IPv4 or IPv6 address"},
    [WORD_DESTINATION] = {"destination", "dst", 0, NULL, false, "an IPv4 or IPv6 address"},
    [WORD_PROTOCOL] = {"protocol", "proto", 255, PROTOCOLS, false,
                       "tcp, udp, icmp, icmp6, gre, esp, ah, sctp or 0 to 255"},
    [WORD_SOURCE_PORT] = {"source-port", "sport", 65535, NULL, false, "0 to 65535"},
    [WORD_DESTINATION_PORT] = {"destination-port", "dport", 65535, NULL, false, "0 to 65535"},
    [WORD_LENGTH] = {"packet-length", "length", 65575, NULL, false, "the octets of the IP packet, its header included"},
    [WORD_TCP_FLAGS] = {"tcp-flags", "flags", 0xfff, TCP_FLAGS, true,
                        "names of fin, syn, rst, psh, ack, urg, ece, cwr joined by `+`, or 0 to 0xfff"},
    [WORD_ICMP_TYPE] = {"icmp-type", "type", 255, NULL, false, "0 to 255"},
    [WORD_ICMP_CODE] = {"icmp-code", "code", 255, NULL, false, "0 to 255"},
    [WORD_DSCP] = {"dscp", "dscp", 63, NULL, false, "0 to 63"},
    [WORD_FRAGMENT] = {"fragment", "frag", 15, FRAGMENTS, true,
                       "dont-fragment, is-fragment, first-fragment, last-fragment, joined by `+`"},
    [WORD_FLOW_LABEL] = {"flow-label", "label", 0xfffff, NULL, false, "0 to 1048575"},
};

const char *packet_word_name(enum packet_word word)
{
    return WORDS[word].name;
}

const char *packet_protocol_name(unsigned protocol)
{
    for (const struct named *n = PROTOCOLS; n->name != NULL; n++)
        if (n->value == protocol)
            return n->name;
    return NULL;
}

void packet_flags_format(enum packet_word word, uint32_t bits, struct strbuf *out)
{
    const char *joint = "";

    for (const struct named *n = WORDS[word].names; n->name != NULL; n++) {
        if (bits & n->value) {
            sb_printf(out, "%s%s", joint, n->name);
            joint = "+";
            bits &= ~n->value;
        }
    }
    if (bits != 0 || *joint == '\0')
        sb_printf(out, "%s0x%x", joint, bits);
}

/* Copies the next word of `text` and moves on; false at the end. A word too long for any meaning is cut. */
static bool next_word(const char **text, char *word)
{
    *text += strspn(*text, " \t\r\n");
    size_t len = strcspn(*text, " \t\r\n");
    size_t kept = len < WORD_MAX ? len : WORD_MAX - 1;

    memcpy(word, *text, kept);
    word[kept] = '\0';
    *text += len;
    return len > 0;
}

static bool parse_number(const char *text, uint32_t max, uint32_t *out)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long value = strtoul(text, &end, 0);
    if (errno != 0 || *end != '\0' || value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool parse_name(const struct word *word, const char *text, uint32_t *out)
{
    for (const struct named *n = word->names; n != NULL && n->name != NULL; n++) {
        if (strcmp(n->name, text) == 0) {
            *out = n->value;
            return true;
        }
    }
    return parse_number(text, word->max, out);
}

static bool parse_value(const struct word *word, char *text, uint32_t *out)
{
    char *rest = NULL;
    uint32_t bits = 0, bit;

    if (!word->flags)
        return parse_name(word, text, out);
    for (char *part = strtok_r(text, "+", &rest); part != NULL; part = strtok_r(NULL, "+", &rest)) {
        if (!parse_name(word, part, &bit))
            return false;
        bits |= bit;
    }
    *out = bits;
    return true;
}

/* An address; `203.0.113.7/32`, as rules write it, is one, too. */
static bool parse_address(const char *text, struct ip_addr *out)
{
    struct ip_prefix prefix;

    if (!ip_prefix_parse(text, &prefix) || prefix.length != ip_family_bits(prefix.family))
        return false;
    out->family = prefix.family;
    memcpy(out->octets, prefix.octets, sizeof out->octets);
    return true;
}

static int find_word(const char *text)
{
    for (int i = 0; i < WORD_COUNT; i++)
        if (strcmp(WORDS[i].name, text) == 0 || strcmp(WORDS[i].alias, text) == 0)
            return i;
    return -1;
}

static bool parse_argument(struct packet_words *words, int index, const char *text, char *why, size_t size)
{
    char value[WORD_MAX];

    if (*text == '=')
        text++; /* as rules write it */
    snprintf(value, sizeof value, "%s", text);
    if (index <= WORD_DESTINATION ? parse_address(value, &words->address[index])
                                  : parse_value(&WORDS[index], value, &words->value[index]))
        return true;
    snprintf(why, size, "%s takes %s, not '%s'", WORDS[index].name, WORDS[index].takes, text);
    return false;
}

bool packet_words_parse(const char *text, struct packet_words *words, char *why, size_t size)
{
    char name[WORD_MAX], value[WORD_MAX];

    *words = (struct packet_words){.set = {false}};
    while (next_word(&text, name)) {
        int index = find_word(name);
        if (index < 0) {
            snprintf(why, size,
                     "'%s' is no word of a packet; use source, destination, protocol, source-port, destination-port, "
                     "packet-length, tcp-flags, icmp-type, icmp-code, dscp, fragment, flow-label, or a frame in hex",
                     name);
            return false;
        }
        if (words->set[index]) {
            snprintf(why, size, "%s is given twice", WORDS[index].name);
            return false;
        }
        if (!next_word(&text, value)) {
            snprintf(why, size, "%s lacks its value: %s", WORDS[index].name, WORDS[index].takes);
            return false;
        }
        if (!parse_argument(words, index, value, why, size))
            return false;
        words->set[index] = true;
    }
    return true;
}
