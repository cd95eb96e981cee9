/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How old the paths of one source in one family are, so that all of them can be marked at once in no time, however many
 * they are: RFC 4724 and 9494 (stale), 7313 (a refresh has begun), and the end of a session.
 *
 * What is announced bears the age of its moment. A mark is a line through the ages: it is on each path from before the
 * line, and on none that is announced, or announced again, behind it. So a session may come back, and be lost again,
 * while what the former one left is still being taken out a slice at a time. Numbers of paths and of octets on either
 * side of a line are kept exactly. Owner thread only; all zeros is a family without paths.
 */
#ifndef BGP_AGES_H
#define BGP_AGES_H

#include <stddef.h>
#include <stdint.h>

#define BGP_AGE_BITS 15 /* of an age, in whatever holds it: ages wrap */

/* What becomes of a path whose source lost its session, or is about to announce everything again. */
enum bgp_path_mark {
    BGP_PATH_STALE = 1 << 0,       /* RFC 4724: kept from a former session */
    BGP_PATH_LONG_LIVED = 1 << 1,  /* RFC 9494: and that for so long that any other path is preferred */
    BGP_PATH_UNREFRESHED = 1 << 2, /* RFC 7313: not announced again since the refresh began */
    BGP_PATH_GONE = 1 << 3,        /* about to be taken out */
};
#define BGP_PATH_MARK_COUNT 4

/* Paths, and octets of their attributes. */
struct bgp_age_sum {
    size_t paths;
    uint64_t octets;
};

struct bgp_ages {
    uint16_t now;              /* the age of what is announced now */
    uint16_t span;             /* ages since all paths had the same one, at the most */
    struct bgp_age_sum all;    /* paths that are here, those that are about to go included */
    struct bgp_age_sum newest; /* of the age `now` */
    struct {
        uint16_t before;          /* the line: the first age behind it; meaningless without paths */
        struct bgp_age_sum sum;   /* from before it */
    } lines[BGP_PATH_MARK_COUNT]; /* by the number of the mark's bit */
};

/* A path comes: returns the age it is to bear. A path goes. */
uint16_t bgp_ages_add(struct bgp_ages *ages, uint64_t octets);
void bgp_ages_remove(struct bgp_ages *ages, uint16_t age, uint64_t octets);

/* Marks all that is here: draws the mark's line. */
void bgp_ages_mark(struct bgp_ages *ages, enum bgp_path_mark mark);
/* What bears the mark is gone, too. */
void bgp_ages_end(struct bgp_ages *ages, enum bgp_path_mark mark);

/* The marks of a path of this age: enum bgp_path_mark. */
uint8_t bgp_ages_marks(const struct bgp_ages *ages, uint16_t age);

/* Without those that are about to go. */
struct bgp_age_sum bgp_ages_staying(const struct bgp_ages *ages);

#endif
