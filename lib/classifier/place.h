/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a rule lies: by its destination, then by its source.
 *
 * RFC order is lexicographic (RFC 8955 5.1, RFC 8956 4): rules with a destination come before those without; lower
 * offsets first (0 in IPv4); of prefixes that cover one packet, the longer first. The shape of a prefix is its offset
 * and length. So a walk over the shapes that are in use, in this order, with one hash probe each, meets the
 * destinations that cover a packet in the order of evaluation; below each of them the same walk goes over the shapes
 * of its sources. Whatever a rule's prefixes are, adding it touches one destination, one source and one group.
 */
#ifndef CLASSIFIER_PLACE_H
#define CLASSIFIER_PLACE_H

#include "classifier/filter.h"
#include "classifier/fine.h"
#include "classifier/group.h"
#include "classifier/sieve.h"

/* Bits [offset, length) of an address as two words in memory order, and the rest masked out. */
struct shape {
    uint64_t mask[2];
    uint64_t salt; /* of its hash; tells shapes apart */
    /* the writer's */
    uint8_t offset;
    uint8_t length;
    uint8_t tag;    /* of sources: see struct shapes_block; of destinations: the slot of the fine grade */
    uint8_t slot;   /* of the filter */
    uint32_t users; /* prefixes of this shape */
};

_Static_assert(sizeof(struct shape) == 32, "two shapes a line");

#define SHAPES_FILTERED_MIN 3  /* shapes of a list with a filter: fewer are probed without one */
#define SHAPES_FILTERED_MAX 60 /* shapes that the filter knows: those behind are always probed for */

/* Shapes in the order of evaluation, behind what says which of them to probe for. Replaced as a whole. */
struct shapes {
    uint16_t count;
    uint16_t first; /* octets from here to the first shape */
    /* without a filter; the writer's: see struct shapes_block */
    uint16_t ports[SHAPES_FILTERED_MIN - 1];
};

#define SHAPES_OF_BLOCK 15

/*
 * What spares a list of sources most of its probes, in one cache line for fifteen shapes: a packet that has a filter's
 * mask and the tags of its own source (of each shape that the mask has) needs no other to know what to probe for. The
 * slot of a shape says which of these to compare with its tag: that of the one source that has this shape,
 * SHAPES_TAG_MANY where there are several, 0 where there is none. Of what its rules ask for there is a bit in `ports`
 * for each protocol and destination port, and SHAPES_PORTS_ANY where one of them asks for more than a few of these.
 * Written by the writer, read by workers.
 */
struct shapes_block {
    alignas(MEM_LINE) uint16_t list[2]; /* in the first: where struct shapes is */
    uint8_t slots[SHAPES_OF_BLOCK];
    uint8_t tags[SHAPES_OF_BLOCK];
    uint16_t ports[SHAPES_OF_BLOCK];
};

_Static_assert(sizeof(struct shapes_block) == MEM_LINE && SHAPES_FILTERED_MAX % SHAPES_OF_BLOCK == 0, "whole blocks");

#define SHAPES_TAG_MANY  UINT8_MAX
#define SHAPES_PORTS_ANY UINT16_MAX

/* The same for destinations, of which each family has one list: the slots of each shape. */
struct shapes_slots {
    alignas(MEM_LINE) struct shapes list;
    alignas(MEM_LINE) uint8_t slots[FILTER_SLOTS]; /* by place in the list. Written by the writer, read by workers */
    alignas(MEM_LINE) uint8_t fine_slots[FILTER_SLOTS]; /* the same, of the fine grade */
};

static inline struct shapes_block *shapes_blocks(const struct shapes *sources)
{
    return (struct shapes_block *)(uintptr_t)sources;
}

static inline struct shapes_slots *shapes_slots(const struct shapes *destinations)
{
    return (struct shapes_slots *)(uintptr_t)destinations;
}

static inline struct shape *shapes_at(const struct shapes *shapes, unsigned at)
{
    return (struct shape *)((uintptr_t)shapes + shapes->first) + at;
}

#define PLACE_BRIEF 48 /* octets from the start of a destination or a source to its brief */

/* What a packet wants to find in the first 32 octets of these: a reader compares all at once. */
struct sought {
    alignas(32) uint64_t hash;
    uint64_t address[2]; /* masked */
    uint64_t beside;     /* of a source, its destination; of a destination, 0: it has no sources */
};

/*
 * One destination, and the rules that have it, in one cache line. Its hash, seeded and of all 64 bits, tells it from
 * one of another shape that has the same address, and is the salt of its sources' hashes.
 *
 * `id` and `brief` are a copy of its first rule, if that has no source and a brief says all of it (`id` is 0 if not),
 * so that readers need not wait for the rule. They are set before the destination is published, and are not changed;
 * `briefed` while that rule is all of `any_source`.
 */
struct destination {
    alignas(MEM_LINE) struct hash_item item;
    uint64_t address[2];                /* masked */
    RCU_POINTER(struct shapes) sources; /* shapes of its sources; NULL: none. Written by the writer, read by workers */
    group_ref any_source;               /* rules without a source: after all others */
    uint32_t id;
    uint16_t ports; /* what all rules here ask for, see struct shapes_block. Written by the writer, read by workers */
    uint8_t slot;   /* the writer's: of the filter */
    _Atomic(bool) briefed; /* written by the writer, read by workers */
    union {
        struct brief brief;
        struct {
            uint8_t numbers[BRIEF_OCTETS];
            uint16_t ranges; /* as `ports`, in ranges of 4096 ports, a bit for each. The same */
        };
    };
};

_Static_assert(sizeof(struct destination) == MEM_LINE, "a reader waits for one line");
_Static_assert(offsetof(struct destination, address) == offsetof(struct sought, address) &&
                   offsetof(struct destination, sources) == offsetof(struct sought, beside) &&
                   offsetof(struct destination, brief) == PLACE_BRIEF,
               "a reader compares all of it at once");

/* One source of a destination, and the copy of its rule, in the same way. */
struct source {
    alignas(MEM_LINE) struct hash_item item;
    uint64_t address[2]; /* masked */
    const struct destination *destination;
    group_ref rules;
    uint32_t id;
    uint8_t slot;          /* the writer's: of the filter */
    _Atomic(bool) briefed; /* written by the writer, read by workers */
    struct brief brief;
};

_Static_assert(sizeof(struct source) == MEM_LINE, "a reader waits for one line");
_Static_assert(offsetof(struct source, address) == offsetof(struct sought, address) &&
                   offsetof(struct source, destination) == offsetof(struct sought, beside) &&
                   offsetof(struct source, brief) == PLACE_BRIEF,
               "a reader compares all of it at once");

/* The rules of one family. */
struct place_family {
    struct filter destinations, sources; /* which shapes there are around an address */
    struct fine fine;                    /* of destinations, the fine grade of the filter */
    struct sieve sieve;                  /* of destinations, behind the coarse grade */
    RCU_POINTER(struct shapes) shapes;   /* of destinations; NULL: none. Written by the writer, read by workers */
    _Atomic(bool) first_most;            /* most destinations have the first shape of `shapes`. The same */
    uint32_t destination_count;          /* the writer's */
    struct destination any;              /* rules without a destination: after all others */
};

struct places {
    uint64_t seed;                   /* drawn at creation, so that no peer can choose prefixes that collide */
    struct place_family families[2]; /* IPv4, IPv6 */
    struct hash_table destinations;  /* of struct destination */
    struct hash_table sources;       /* of struct source */
};

static inline uint64_t place_hash(const uint64_t address[2], uint64_t above, uint64_t shape_salt)
{
    return hash_mix(address[0] ^ shape_salt, address[1] ^ above);
}

/* The bit of a protocol and a destination port. */
static inline uint16_t place_ports_bit(uint8_t protocol, uint16_t port)
{
    uint32_t number = ((uint32_t)protocol << 16 | port) * 0x9e3779b1u;

    return (uint16_t)(1u << (number >> 28 & HASH_TAG_MASK));
}

/* The bit of the range that a destination port is in. */
static inline uint16_t place_ranges_bit(uint16_t port)
{
    return (uint16_t)(1u << (port >> 12));
}

/* Whether some rule here may be for a packet with this protocol and destination port. Reader. */
static inline bool destination_has_ports(const struct destination *d, uint8_t protocol, uint16_t port)
{
    bool pair = (__atomic_load_n(&d->ports, __ATOMIC_ACQUIRE) & place_ports_bit(protocol, port)) != 0;

    return pair & ((__atomic_load_n(&d->ranges, __ATOMIC_ACQUIRE) & place_ranges_bit(port)) != 0);
}

_Static_assert((IP_V6 >> 1 & 1) == 1 && (IP_V4 >> 1 & 1) == 0 && IP_NONE == 0, "a bit tells the families apart");

/* By that bit: a compare would be kept in a register of which only a part is written, and wait for what it held. */
static inline unsigned place_family_index(unsigned family)
{
    return family >> 1 & 1;
}

bool places_init(struct places *places, struct mem *mem);

/* Gives back all memory but the rules. No reader may be online. */
void places_fini(struct places *places, struct mem *mem);

/* False when memory is short: nothing has changed. */
bool places_insert(struct places *places, struct mem *mem, const struct compiled *rule);

/* Takes out a rule that is marked as removed. False as group_remove. */
bool places_remove(struct places *places, struct mem *mem, const struct compiled *rule);

#endif
