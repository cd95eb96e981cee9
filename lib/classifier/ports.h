/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rule asks for of protocol and destination port, for what spares packets a look at it. The writer's. */
#ifndef CLASSIFIER_PORTS_H
#define CLASSIFIER_PORTS_H

#include "classifier/place.h"

/* The bits of its pairs of protocol and port, see struct shapes_block. */
uint16_t ports_of(const struct compiled *rule);

/* The bits of the ranges that its ports are in, see struct destination. */
uint16_t ports_ranges_of(const struct compiled *rule);

/* Its pair for the fine grade; 0: it asks for more than one. */
uint32_t ports_pair_of(const struct compiled *rule);

#endif
