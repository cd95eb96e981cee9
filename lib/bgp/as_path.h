/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AS_PATH values: RFC 4271 4.3 and 9.1.2.2, RFC 5065 (confederations), RFC 6793 (4-octet numbers), RFC 7607 (AS 0).
 */
#ifndef BGP_AS_PATH_H
#define BGP_AS_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bgp_as_segment {
    BGP_AS_SET = 1,
    BGP_AS_SEQUENCE = 2,
    BGP_AS_CONFED_SEQUENCE = 3,
    BGP_AS_CONFED_SET = 4,
};

/* Whether a value is well-formed (RFC 7606 7.2) with AS numbers of `width` octets, none of them 0. */
bool bgp_as_path_valid(const uint8_t *path, size_t len, unsigned width, bool allow_confed);

/* ASes in a well-formed path with 4-octet numbers, as RFC 4271 9.1.2.2 a counts: a set is 1, confederations 0. */
unsigned bgp_as_path_count(const uint8_t *path, size_t len);

/* Whether `as` is anywhere in a well-formed path with 4-octet numbers. */
bool bgp_as_path_contains(const uint8_t *path, size_t len, uint32_t as);

/*
 * Makes a path with 4-octet numbers from a well-formed one with 2-octet numbers and a well-formed AS4_PATH (may be
 * empty), by RFC 6793 4.2.3. `out` has room for 2 * len + as4_len octets. Returns the length.
 */
size_t bgp_as_path_merge(const uint8_t *path, size_t len, const uint8_t *as4, size_t as4_len, uint8_t *out);

/*
 * What is said to an external neighbour of a well-formed path with 4-octet numbers: our own AS in front (RFC 4271 5.1.2
 * b), without confederation segments (RFC 5065 4). `out` has room for len + 6 octets. Returns the length.
 */
size_t bgp_as_path_prepend(const uint8_t *path, size_t len, uint32_t as, uint8_t *out);

/*
 * A well-formed path with 4-octet numbers for a speaker of 2-octet ones (RFC 6793 4.2.2): AS_TRANS stands for what does
 * not fit. `out` has room for `len` octets. Returns the length; `*needs_as4` says that AS4_PATH must carry the truth.
 */
size_t bgp_as_path_narrow(const uint8_t *path, size_t len, uint8_t *out, bool *needs_as4);

/* The AS4_PATH of a path: the same without confederation segments (RFC 6793 4.2.2). `out` has room for `len` octets. */
size_t bgp_as4_path(const uint8_t *path, size_t len, uint8_t *out);

#endif
