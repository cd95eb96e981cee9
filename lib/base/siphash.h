/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a hash of 64 bits by a secret key, so that nobody who chooses the input
 * can make two of them equal.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t word[2];
};

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif
