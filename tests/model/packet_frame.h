/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame that the parser should read as a given key: proof that such a packet exists.
 */
#ifndef MODEL_PACKET_FRAME_H
#define MODEL_PACKET_FRAME_H

#include "packet/key.h"

/*
 * Builds an Ethernet frame for the key, which is of a packet that can exist, and parses it: `parsed` equals the key if
 * that is so. Frames longer than an mbuf's segment (65535 octets) are not built: `parsed` is then the key itself.
 */
void frame_round_trip(const struct pkt_key *key, struct pkt_key *parsed);

#endif
