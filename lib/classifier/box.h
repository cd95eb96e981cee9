/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule as a box: what a packet's fields must lie between, in one cache line that one or two vector instructions
 * compare with a packet.
 *
 * Each field of a packet is a lane of 16 bits. A box keeps the lowest value of each lane and the complement of the
 * highest; a packet keeps each lane's value and the complement of it. So one relation serves both ends: a packet is in
 * a box when all of its 32 numbers are at least those of the box, and the box around many boxes is the minimum of each
 * number. A box never leaves out a packet that its rule matches; where it may hold more than the rule does, it names
 * the components that must be judged exactly.
 */
#ifndef CLASSIFIER_BOX_H
#define CLASSIFIER_BOX_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/key.h"

enum box_lane {
    BOX_PROTOCOL,
    BOX_PORT, /* "port": a key is compared twice, once with each port here */
    BOX_DESTINATION_PORT,
    BOX_SOURCE_PORT,
    BOX_ICMP_TYPE,
    BOX_ICMP_CODE,
    BOX_TCP_FLAGS,
    BOX_LENGTH, /* 65535: that or longer */
    BOX_DSCP,
    BOX_FRAGMENT,
    BOX_FLOW_LABEL, /* its upper 16 bits */
    BOX_HAS_PORTS,  /* 1 where the packet has ports, else 0; the same for the next two */
    BOX_HAS_ICMP,
    BOX_HAS_TCP_FLAGS,
    BOX_LANES,
};

#define BOX_FLOW_LABEL_SHIFT 4
#define BOX_NUMBERS          32

#define BOX_EITHER_PORT 0x01 /* flag: the rule asks for "port" */

struct box {
    union {
        struct {
            alignas(64) uint16_t low[BOX_LANES];
            uint32_t id; /* the rule's; 0 in the box around many */
            uint16_t high_not[BOX_LANES];
            uint16_t inexact; /* bit t: component type t must be judged exactly */
            uint16_t flags;
        };
        uint16_t numbers[BOX_NUMBERS];
    };
};

_Static_assert(sizeof(struct box) == 64, "a box is one cache line");
_Static_assert(BOX_LANES == 14, "the id, inexact and flags lie where a key has 0xffff");

/*
 * The box in short, of a rule that asks for nothing but protocol and ports, as most do: for destinations and sources to
 * keep beside their own key, where it comes with the line that a reader is waiting for anyway.
 */
enum brief_lane { BRIEF_PROTOCOL, BRIEF_DESTINATION_PORT, BRIEF_SOURCE_PORT, BRIEF_HAS_PORTS, BRIEF_LANES };

/* There is no upper end of the last lane: 1 is the most. */
struct brief {
    alignas(16) uint16_t low[BRIEF_LANES];
    uint16_t high_not[BRIEF_LANES - 1];
    uint16_t beside; /* whoever has a brief may keep something here: it is compared with 0xffff */
};

#define BRIEF_OCTETS 14 /* but for that */

_Static_assert(sizeof(struct brief) == 16 && offsetof(struct brief, beside) == BRIEF_OCTETS, "half a vector");

/* A packet's lanes and their complements; 0xffff beside a box's id, inexact and flags, whatever these are. */
struct box_key {
    alignas(64) uint16_t numbers[BOX_NUMBERS];
};

static inline void box_key_set(struct box_key *box, const struct pkt_key *key, uint16_t port)
{
    uint32_t label = key->flow_label >> BOX_FLOW_LABEL_SHIFT;
    const uint16_t lanes[BOX_NUMBERS / 2] = {
        [BOX_PROTOCOL] = key->protocol,
        [BOX_PORT] = port,
        [BOX_DESTINATION_PORT] = key->dst_port,
        [BOX_SOURCE_PORT] = key->src_port,
        [BOX_ICMP_TYPE] = key->icmp_type,
        [BOX_ICMP_CODE] = key->icmp_code,
        [BOX_TCP_FLAGS] = key->tcp_flags,
        [BOX_LENGTH] = key->length < UINT16_MAX ? (uint16_t)key->length : UINT16_MAX,
        [BOX_DSCP] = key->dscp,
        [BOX_FRAGMENT] = key->fragment,
        [BOX_FLOW_LABEL] = label < UINT16_MAX ? (uint16_t)label : UINT16_MAX,
        [BOX_HAS_PORTS] = (key->has & PKT_HAS_PORTS) != 0,
        [BOX_HAS_ICMP] = (key->has & PKT_HAS_ICMP) != 0,
        [BOX_HAS_TCP_FLAGS] = (key->has & PKT_HAS_TCP_FLAGS) != 0,
        [BOX_LANES] = 0,
        [BOX_LANES + 1] = 0,
    };

    for (unsigned i = 0; i < BOX_NUMBERS / 2; i++) {
        box->numbers[i] = i < BOX_LANES ? lanes[i] : UINT16_MAX;
        box->numbers[i + BOX_NUMBERS / 2] = (uint16_t)~lanes[i];
    }
}

/* The box that no packet is in; as the start of a union it is neutral. */
static inline void box_set_empty(struct box *box)
{
    for (unsigned i = 0; i < BOX_LANES; i++)
        box->low[i] = box->high_not[i] = UINT16_MAX;
    box->id = 0;
    box->inexact = 0;
    box->flags = 0;
}

static inline void box_add(struct box *around, const struct box *box)
{
    for (unsigned i = 0; i < BOX_LANES; i++) {
        around->low[i] = box->low[i] < around->low[i] ? box->low[i] : around->low[i];
        around->high_not[i] = box->high_not[i] < around->high_not[i] ? box->high_not[i] : around->high_not[i];
    }
    around->flags |= box->flags;
}

/* False: the box asks for more than a brief can say, or is to be judged exactly. */
static inline bool brief_set(struct brief *brief, const struct box *box)
{
    static const uint8_t lanes[BRIEF_LANES] = {
        [BRIEF_PROTOCOL] = BOX_PROTOCOL,
        [BRIEF_DESTINATION_PORT] = BOX_DESTINATION_PORT,
        [BRIEF_SOURCE_PORT] = BOX_SOURCE_PORT,
        [BRIEF_HAS_PORTS] = BOX_HAS_PORTS,
    };
    struct box others = *box;
    unsigned more = box->inexact | box->flags;

    for (unsigned i = 0; i < BRIEF_LANES; i++) {
        brief->low[i] = box->low[lanes[i]];
        others.low[lanes[i]] = 0;
    }
    for (unsigned i = 0; i < BRIEF_LANES - 1; i++) {
        brief->high_not[i] = box->high_not[lanes[i]];
        others.high_not[lanes[i]] = 0;
    }
    for (unsigned i = 0; i < BOX_LANES; i++)
        more |= others.low[i] | others.high_not[i];
    return more == 0;
}

static inline uint16_t box_high(const struct box *box, unsigned lane)
{
    return (uint16_t)~box->high_not[lane];
}

#endif
