/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path attributes of one UPDATE, read by a table of what each must look like: RFC 4271 5, RFC 7606.
 */
#ifndef BGP_ATTRS_H
#define BGP_ATTRS_H

#include "bgp/update.h"

#define BGP_ATTR_OPTIONAL   0x80
#define BGP_ATTR_TRANSITIVE 0x40
#define BGP_ATTR_PARTIAL    0x20
#define BGP_ATTR_EXTENDED   0x10 /* length in two octets */

enum bgp_attr_code {
    BGP_ATTR_ORIGIN = 1,
    BGP_ATTR_AS_PATH = 2,
    BGP_ATTR_NEXT_HOP = 3,
    BGP_ATTR_MED = 4,
    BGP_ATTR_LOCAL_PREF = 5,
    BGP_ATTR_ATOMIC_AGGREGATE = 6,
    BGP_ATTR_AGGREGATOR = 7,
    BGP_ATTR_COMMUNITIES = 8,
    BGP_ATTR_ORIGINATOR_ID = 9,
    BGP_ATTR_CLUSTER_LIST = 10,
    BGP_ATTR_MP_REACH = 14,
    BGP_ATTR_MP_UNREACH = 15,
    BGP_ATTR_EXT_COMMUNITIES = 16,
    BGP_ATTR_AS4_PATH = 17,
    BGP_ATTR_AS4_AGGREGATOR = 18,
    BGP_ATTR_EXT_COMMUNITIES_V6 = 25,
    BGP_ATTR_LARGE_COMMUNITIES = 32,
};

#define BGP_ATTR_ROWS 64 /* known codes are below; cleared for each UPDATE, so no more than that */

/* An attribute where it stands in the message. `whole` NULL: absent. */
struct bgp_raw_attr {
    const uint8_t *whole; /* flags, type, length, value */
    size_t whole_len;
    const uint8_t *value;
    size_t len;
};

/* RFC 7606 2, weakest first. */
enum bgp_attr_action { BGP_ATTR_DISCARD, BGP_ATTR_WITHDRAW, BGP_ATTR_RESET };

struct bgp_attr_reader {
    const struct bgp_update_conf *conf;
    const struct bgp_update_ops *ops;
    void *ctx;
    struct bgp_attrs attrs;
    struct bgp_raw_attr raw[BGP_ATTR_ROWS]; /* of the known codes the first that was well-formed */
    bool withdraw;                          /* treat announcements as withdrawals */
    bool faulty;                            /* some fault was worse than "attribute discard" */
    bool others;                            /* there are attributes besides MP_UNREACH_NLRI */
    struct bgp_update_result fault;         /* the first of the worst; `reset` where that is what it asks for */
    uint8_t *scratch; /* for what cannot point into the message: widened paths, unknown attributes */
    size_t scratch_size;
};

/* Reads all attributes. bgp_attr_reader_end releases what it holds. */
void bgp_attr_reader_run(struct bgp_attr_reader *reader, const uint8_t *attributes, size_t len);
void bgp_attr_reader_end(struct bgp_attr_reader *reader);

/* Notes that `code` is missing though it is mandatory here (RFC 7606 3 d). */
void bgp_attr_missing(struct bgp_attr_reader *reader, uint8_t code);

/* Says what is wrong and what was done about it, and keeps account. `raw` may be NULL. */
void bgp_attr_fault(struct bgp_attr_reader *reader, enum bgp_attr_action action, uint8_t subcode,
                    const struct bgp_raw_attr *raw, const char *what);

#endif
