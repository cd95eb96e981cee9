/* SPDX-License-Identifier: BSD-3-Clause */
/* The prefixes of a FIB by their bits, with what each source says of them. Inside of the FIB; control thread. */
#ifndef FORWARD_PREFIXES_H
#define FORWARD_PREFIXES_H

#include "forward/fib.h"

struct fwd_prefix {
    uint8_t octets[16];
    uint8_t length;
    bool used;
    uint32_t values[FWD_SOURCE_COUNT];
};

/* Open addressing with linear probing; at most two thirds full. */
struct fwd_prefixes {
    struct fwd_prefix *slots;
    size_t room; /* a power of two, or 0 */
    size_t count;
    size_t of_length[129]; /* how many there are of each length: lengths that nobody has are not looked for */
};

struct fwd_prefix *fwd_prefixes_find(const struct fwd_prefixes *set, const uint8_t *octets, uint8_t length);

/* The prefix's entry, made with no values where it is new; NULL when memory is short. Moves other entries. */
struct fwd_prefix *fwd_prefixes_add(struct fwd_prefixes *set, const struct ip_prefix *prefix);
void fwd_prefixes_remove(struct fwd_prefixes *set, struct fwd_prefix *entry);

/* The value that counts, and through `source` whose it is. */
uint32_t fwd_prefix_best(const struct fwd_prefix *entry, enum fwd_source *source);

/* The longest prefix of at most `max_length` bits that covers the address. */
struct fwd_prefix *fwd_prefixes_cover(const struct fwd_prefixes *set, const uint8_t *octets, int max_length);

#endif
