/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UPDATE messages: path attributes and NLRI, decoded with the error handling of RFC 7606, and built again.
 */
#ifndef BGP_UPDATE_H
#define BGP_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/siphash.h"
#include "bgp/types.h"
#include "flowspec/nlri.h"

/*
 * Path attributes as read. Pointers are valid while the callback that got them runs; bgp_attrs_dup makes a copy of its
 * own. A pointer is NULL (and its length 0) when the attribute is absent.
 */
struct bgp_attrs {
    uint8_t origin; /* RFC 4271 5.1.1; meaningful where has_origin */
    bool has_origin, has_med, has_local_pref, has_originator_id, has_aggregator, atomic_aggregate;
    uint64_t partial; /* by 1 << code: known transitive attributes that came with the Partial bit, which stays set */
    uint32_t med, local_pref;
    uint32_t aggregator_as, aggregator_id; /* RFC 4271 5.1.7, the AS by RFC 6793 */
    uint32_t originator_id;                /* host order */
    const uint8_t *as_path;                /* segments in wire form with 4-octet AS numbers, merged by RFC 6793 */
    size_t as_path_len;
    const uint8_t *communities; /* RFC 1997 */
    size_t communities_len;
    const uint8_t *ext_comms; /* RFC 4360, 8 octets each */
    size_t ext_comms_len;
    const uint8_t *ext_comms6; /* RFC 5701, 20 octets each */
    size_t ext_comms6_len;
    const uint8_t *large_comms; /* RFC 8092 */
    size_t large_comms_len;
    const uint8_t *cluster_list;
    size_t cluster_list_len;
    const uint8_t *unknown; /* unknown transitive attributes, whole, Partial set (flags, type, length, value) */
    size_t unknown_len;
    struct ip_addr next_hop; /* of MP_REACH_NLRI, the first address; IP_NONE when its length is 0 or odd */
    uint32_t label;          /* of the unicast RIB alone: of a labelled VPN route, 20 bits; goes with the next hop */
    void *memory;            /* bgp_attrs_dup's; NULL otherwise */
};

/* A route of unicast (SAFI 1) or labelled VPN unicast (SAFI 128): what its NLRI says. */
struct bgp_route {
    uint32_t family; /* one bit of BGP_UNICAST_FAMILIES */
    uint8_t rd[8];   /* SAFI 128; else zero */
    struct ip_prefix prefix;
    uint32_t path_id; /* ADD-PATH (RFC 7911); 0 without it */
    uint32_t label;   /* SAFI 128: the top one, 20 bits; not part of the route's identity */
};

/*
 * What one UPDATE asks for. All must be set but the two of routes, without which routes are checked and passed over.
 * They are called while bgp_update_parse runs: first attribute faults, then withdrawals, then announcements, so that a
 * rule in both is announced (RFC 4271 4.3).
 */
struct bgp_update_ops {
    /* One flowspec rule announced; the callee takes `rule`. `path_id` as in struct bgp_route. */
    void (*reach_flowspec)(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule,
                           const struct bgp_attrs *attrs);
    /* One rule withdrawn (or announced in an UPDATE that RFC 7606 treats as withdraw); the callee takes `rule`. */
    void (*unreach_flowspec)(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule);
    /*
     * One route announced, `attrs->next_hop` being that route's, or withdrawn (or announced in an UPDATE that RFC 7606
     * treats as withdraw). Routes of one attribute in an UPDATE come with the same pointer `attrs`.
     */
    void (*reach_route)(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs);
    void (*unreach_route)(void *ctx, const struct bgp_route *route);
    /* An NLRI that is refused alone, with the octets at fault. */
    void (*bad_nlri)(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len);
    /* An attribute fault that did not reset the session: `what` says which and what was done. */
    void (*bad_attribute)(void *ctx, const char *what);
    void (*end_of_rib)(void *ctx, uint32_t family);
};

struct bgp_update_conf {
    uint32_t families;  /* negotiated: NLRI of others is ignored */
    uint32_t add_path;  /* of them, those whose NLRI have a path id in front (RFC 7911) */
    bool four_octet_as; /* negotiated */
    bool ebgp;
    bool legacy_ipv6_offset;
    /* Loops (RFC 4271 9.1.2, RFC 4456 8): announcements that passed through us are treated as withdrawn. 0: no check.
     */
    uint32_t local_as;
    uint32_t router_id;  /* our ORIGINATOR_ID */
    uint32_t cluster_id; /* ours, where we reflect */
};

/* What must be done with the session afterwards. */
struct bgp_update_result {
    bool reset; /* framing is lost: send NOTIFICATION `code`/`subcode` with this data */
    uint8_t code, subcode;
    const uint8_t *data;
    size_t data_len;
    const char *what; /* in words, where bad_attribute has not said it; else NULL */
};

/* Decodes one UPDATE body. Never reads past `len`; whatever the octets, calls back only with sound rules. */
struct bgp_update_result bgp_update_parse(const uint8_t *body, size_t len, const struct bgp_update_conf *conf,
                                          const struct bgp_update_ops *ops, void *ctx);

/* A copy whose pointers lead into memory of its own. False when memory is short. */
bool bgp_attrs_dup(const struct bgp_attrs *attrs, struct bgp_attrs *out);
void bgp_attrs_free(struct bgp_attrs *attrs);           /* what bgp_attrs_dup made; harmless on others */
size_t bgp_attrs_octets(const struct bgp_attrs *attrs); /* of what bgp_attrs_dup copies beside the struct */
bool bgp_attrs_equal(const struct bgp_attrs *a, const struct bgp_attrs *b);

/* Number of ASes in the path by RFC 4271 9.1.2.2 a (an AS_SET counts 1); first AS of the path (0: empty,
 * or it begins with an AS_SET). */
unsigned bgp_as_path_length(const struct bgp_attrs *attrs);
uint32_t bgp_as_path_first(const struct bgp_attrs *attrs);

/* Attributes to send with flowspec rules. */
struct bgp_update_attrs {
    uint32_t local_as; /* prepended to the AS path on eBGP */
    bool ebgp;
    bool four_octet_as;
    uint32_t local_pref; /* sent on iBGP */
    const uint8_t *ext_comms;
    size_t ext_comms_len;
    const uint8_t *ext_comms6;
    size_t ext_comms6_len;
    struct ip_addr next_hop; /* IP_NONE: length 0, as RFC 8955 4 asks */
};

/*
 * Builds UPDATE bodies from rules that share their attributes, as full as `max` allows and never over it.
 * bgp_builder_add returns false when the rule does not fit any more: take the body with bgp_builder_finish, begin
 * again. A rule that does not even fit alone makes bgp_builder_add return false on an empty builder.
 */
#define BGP_BUILDER_PATH_ID 1u

struct bgp_builder {
    uint32_t family;
    bool withdraw;
    bool legacy_ipv6_offset;
    bool add_path;  /* rules have a path id, always BGP_BUILDER_PATH_ID; set after bgp_builder_begin* */
    unsigned count; /* rules in it */
    size_t max;     /* octets of the body at the most */
    size_t len;
    bool classic;     /* private: IPv4 unicast, which has fields of its own in an UPDATE (RFC 4271 4.3) */
    size_t mp_len_at; /* private: where the MP attribute's length stands */
    size_t tail_len;  /* private: octets at the end of `body` that go behind the MP attribute */
    uint8_t body[BGP_EXTENDED_MESSAGE_MAX];
};

void bgp_builder_begin(struct bgp_builder *builder, uint32_t family, bool withdraw,
                       const struct bgp_update_attrs *attrs, bool legacy_ipv6_offset, size_t max);
/* The same for an attribute set as bgp_attrs_export made it (bgp/export.h); NULL: a withdrawal. */
void bgp_builder_begin_set(struct bgp_builder *builder, uint32_t family, const struct bgp_attrs *attrs,
                           bool four_octet_as, bool legacy_ipv6_offset, size_t max);
bool bgp_builder_add(struct bgp_builder *builder, const struct fs_rule *rule);

#define BGP_ROUTE_NLRI_MAX 32 /* octets */

/*
 * The NLRI of a route into `out` (BGP_ROUTE_NLRI_MAX octets), its path id in front where `add_path` (RFC 7911 3).
 * `withdraw`: the label is the one of RFC 8277 2.4. Returns its length.
 */
size_t bgp_route_encode(const struct bgp_route *route, bool add_path, bool withdraw, uint8_t *out);

/*
 * The same for routes: bgp_builder_begin_routes with a set as bgp_attrs_export_route made it (NULL: a withdrawal), then
 * whole NLRI as bgp_route_encode wrote them.
 */
void bgp_builder_begin_routes(struct bgp_builder *builder, uint32_t family, const struct bgp_attrs *attrs,
                              bool four_octet_as, size_t max);
/* A hash of what the message says of its routes before the first of them was added: equal ones look the same. */
uint64_t bgp_builder_print(const struct bgp_builder *builder, const struct siphash_key *key);
bool bgp_builder_add_nlri(struct bgp_builder *builder, const uint8_t *nlri, size_t len);

/* Completes the body in builder->body and returns its length; 0 when no rule was added. */
size_t bgp_builder_finish(struct bgp_builder *builder);

/* An End-of-RIB marker (RFC 4724 2) as an UPDATE body; returns its length (`out` has room for 16 octets). */
size_t bgp_end_of_rib(uint32_t family, uint8_t *out);

#endif
