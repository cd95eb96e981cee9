/* SPDX-License-Identifier: BSD-3-Clause */
/* The filters of a family: what first bits they look at, and which of them readers use. The writer's. */
#ifndef CLASSIFIER_FAMILY_H
#define CLASSIFIER_FAMILY_H

#include "classifier/place.h"

/* Family `i` of struct places, which is all zeros. False: no memory. */
bool family_init(struct place_family *family, struct mem *mem, unsigned i);
void family_fini(struct place_family *family, struct mem *mem);

/*
 * Turns readers to what pays. Where the sieve does, and most rules ask for no ports that would tell them apart, the
 * fine grade has more loads and says less.
 */
void family_choose(struct place_family *family);

/* One destination more, or less, in the family's list of shapes, where it is in already. */
void family_count(struct place_family *family, int by);

#endif
