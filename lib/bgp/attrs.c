/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path attributes: one row for each says which flags and lengths it has, how its value is read and what RFC 7606
 * asks for when it is wrong. RFC 4271 4.3 and 5, 1997, 4360, 4456, 4760, 5701, 6793, 7606, 7607, 8092.
 */
#include "bgp/attrs.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"
#include "bgp/as_path.h"
#include "bgp/notification.h"

/* Reads a value whose flags and length are right. Returns 0, or the UPDATE error subcode of what is wrong with it. */
typedef uint8_t (*attr_read)(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw);

struct attr_row {
    const char *name;
    uint8_t flags;    /* Optional and Transitive, as they must be */
    uint8_t len_min;  /* octets */
    uint8_t len_step; /* 0: exactly len_min; else any number of steps more */
    bool internal;    /* from an external neighbour: discarded, whatever it holds */
    enum bgp_attr_action action;
    attr_read read;
};

static uint32_t value_u32(const struct bgp_raw_attr *raw)
{
    struct byte_reader r = br_init(raw->value, raw->len);

    return br_u32(&r);
}

static uint8_t read_origin(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    if (raw->value[0] > 2)
        return BGP_UPDATE_ORIGIN;
    reader->attrs.origin = raw->value[0];
    reader->attrs.has_origin = true;
    return 0;
}

static uint8_t read_as_path(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    const struct bgp_update_conf *conf = reader->conf;

    /* RFC 5065 5: confederation segments never come from outside */
    if (!bgp_as_path_valid(raw->value, raw->len, conf->four_octet_as ? 4 : 2, !conf->ebgp))
        return BGP_UPDATE_AS_PATH;
    reader->attrs.as_path = raw->value; /* of 2 octets: widened at the end, when AS4_PATH is known */
    reader->attrs.as_path_len = raw->len;
    return 0;
}

static uint8_t read_med(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.med = value_u32(raw);
    reader->attrs.has_med = true;
    return 0;
}

static uint8_t read_local_pref(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.local_pref = value_u32(raw);
    reader->attrs.has_local_pref = true;
    return 0;
}

static uint8_t read_atomic_aggregate(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    (void)raw;
    reader->attrs.atomic_aggregate = true;
    return 0;
}

/* RFC 7606 7.7, RFC 7607 2. Nothing here depends on who aggregated: it is kept to be passed on. */
static uint8_t read_aggregator(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    struct byte_reader r = br_init(raw->value, raw->len);

    if (raw->len != (reader->conf->four_octet_as ? 8 : 6))
        return BGP_UPDATE_ATTRIBUTE_LENGTH;
    uint32_t as = raw->len == 8 ? br_u32(&r) : br_u16(&r);
    if (as == 0)
        return BGP_UPDATE_OPTIONAL_ATTRIBUTE;
    reader->attrs.has_aggregator = true;
    reader->attrs.aggregator_as = as;
    reader->attrs.aggregator_id = br_u32(&r);
    return 0;
}

static uint8_t read_communities(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.communities = raw->value;
    reader->attrs.communities_len = raw->len;
    return 0;
}

static uint8_t read_originator_id(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.originator_id = value_u32(raw);
    reader->attrs.has_originator_id = true;
    return 0;
}

static uint8_t read_cluster_list(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.cluster_list = raw->value;
    reader->attrs.cluster_list_len = raw->len;
    return 0;
}

static uint8_t read_ext_communities(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.ext_comms = raw->value;
    reader->attrs.ext_comms_len = raw->len;
    return 0;
}

static uint8_t read_ext_communities_v6(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.ext_comms6 = raw->value;
    reader->attrs.ext_comms6_len = raw->len;
    return 0;
}

static uint8_t read_large_communities(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    reader->attrs.large_comms = raw->value;
    reader->attrs.large_comms_len = raw->len;
    return 0;
}

/* RFC 6793 6. From a speaker that has 4-octet numbers it must not come at all (4.1). */
static uint8_t read_as4_path(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    if (reader->conf->four_octet_as || !bgp_as_path_valid(raw->value, raw->len, 4, true))
        return BGP_UPDATE_OPTIONAL_ATTRIBUTE;
    if (!bgp_as_path_valid(raw->value, raw->len, 4, false))
        reader->ops->bad_attribute(reader->ctx, "AS4_PATH: confederation segments in it; they are left out");
    return 0;
}

static uint8_t read_as4_aggregator(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    return reader->conf->four_octet_as || value_u32(raw) == 0 ? BGP_UPDATE_OPTIONAL_ATTRIBUTE : 0;
}

/* The MP attributes are taken apart in update.c, once it is known what to do with their NLRI. */
static uint8_t read_nothing(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    (void)reader;
    (void)raw;
    return 0;
}

#define WELL_KNOWN BGP_ATTR_TRANSITIVE
#define OPT        BGP_ATTR_OPTIONAL
#define OPT_TRANS  (BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE)

static const struct attr_row rows[] = {
    /* name, flags, length: least and step, internal only, when wrong (RFC 7606 7.x), value */
    [BGP_ATTR_ORIGIN] = {"ORIGIN", WELL_KNOWN, 1, 0, false, BGP_ATTR_WITHDRAW, read_origin},
    [BGP_ATTR_AS_PATH] = {"AS_PATH", WELL_KNOWN, 0, 1, false, BGP_ATTR_WITHDRAW, read_as_path},
    [BGP_ATTR_NEXT_HOP] = {"NEXT_HOP", WELL_KNOWN, 4, 0, false, BGP_ATTR_WITHDRAW, read_nothing},
    [BGP_ATTR_MED] = {"MULTI_EXIT_DISC", OPT, 4, 0, false, BGP_ATTR_WITHDRAW, read_med},
    [BGP_ATTR_LOCAL_PREF] = {"LOCAL_PREF", WELL_KNOWN, 4, 0, true, BGP_ATTR_WITHDRAW, read_local_pref},
    [BGP_ATTR_ATOMIC_AGGREGATE] = {"ATOMIC_AGGREGATE", WELL_KNOWN, 0, 0, false, BGP_ATTR_DISCARD,
                                   read_atomic_aggregate},
    [BGP_ATTR_AGGREGATOR] = {"AGGREGATOR", OPT_TRANS, 6, 2, false, BGP_ATTR_DISCARD, read_aggregator},
    [BGP_ATTR_COMMUNITIES] = {"COMMUNITIES", OPT_TRANS, 4, 4, false, BGP_ATTR_WITHDRAW, read_communities},
    [BGP_ATTR_ORIGINATOR_ID] = {"ORIGINATOR_ID", OPT, 4, 0, true, BGP_ATTR_WITHDRAW, read_originator_id},
    [BGP_ATTR_CLUSTER_LIST] = {"CLUSTER_LIST", OPT, 4, 4, true, BGP_ATTR_WITHDRAW, read_cluster_list},
    [BGP_ATTR_MP_REACH] = {"MP_REACH_NLRI", OPT, 5, 1, false, BGP_ATTR_RESET, read_nothing},
    [BGP_ATTR_MP_UNREACH] = {"MP_UNREACH_NLRI", OPT, 3, 1, false, BGP_ATTR_RESET, read_nothing},
    [BGP_ATTR_EXT_COMMUNITIES] = {"EXTENDED_COMMUNITIES", OPT_TRANS, 8, 8, false, BGP_ATTR_WITHDRAW,
                                  read_ext_communities},
    [BGP_ATTR_AS4_PATH] = {"AS4_PATH", OPT_TRANS, 6, 2, false, BGP_ATTR_DISCARD, read_as4_path},
    [BGP_ATTR_AS4_AGGREGATOR] = {"AS4_AGGREGATOR", OPT_TRANS, 8, 0, false, BGP_ATTR_DISCARD, read_as4_aggregator},
    [BGP_ATTR_EXT_COMMUNITIES_V6] = {"IPV6_EXTENDED_COMMUNITIES", OPT_TRANS, 20, 20, false, BGP_ATTR_WITHDRAW,
                                     read_ext_communities_v6},
    [BGP_ATTR_LARGE_COMMUNITIES] = {"LARGE_COMMUNITIES", OPT_TRANS, 12, 12, false, BGP_ATTR_WITHDRAW,
                                    read_large_communities},
};

static const struct attr_row *row_of(unsigned code)
{
    return code < sizeof rows / sizeof rows[0] && rows[code].name != NULL ? &rows[code] : NULL;
}

void bgp_attr_fault(struct bgp_attr_reader *reader, enum bgp_attr_action action, uint8_t subcode,
                    const struct bgp_raw_attr *raw, const char *what)
{
    static const char *const done[] = {"attribute discarded", "treated as withdrawal", "session reset"};
    struct bgp_update_result *fault = &reader->fault;
    char text[160];
    struct strbuf sb = sb_init(text, sizeof text);

    if (raw != NULL) {
        const struct attr_row *row = row_of(raw->whole[1]);
        if (row != NULL)
            sb_printf(&sb, "%s: ", row->name);
        else
            sb_printf(&sb, "attribute %u: ", raw->whole[1]);
    }
    sb_printf(&sb, "%s; %s", what, done[action]);
    reader->ops->bad_attribute(reader->ctx, text);
    if (action == BGP_ATTR_DISCARD)
        return;
    /* RFC 7606 3 h: the strongest action counts; of equal ones the first is reported */
    if (!reader->faulty || (action == BGP_ATTR_RESET && !fault->reset)) {
        *fault = (struct bgp_update_result){.reset = action == BGP_ATTR_RESET,
                                            .code = BGP_ERR_UPDATE,
                                            .subcode = subcode,
                                            .data = raw != NULL ? raw->whole : NULL,
                                            .data_len = raw != NULL ? raw->whole_len : 0};
    }
    reader->faulty = true;
    reader->withdraw = true;
}

void bgp_attr_missing(struct bgp_attr_reader *reader, uint8_t code)
{
    char text[64];
    struct strbuf sb = sb_init(text, sizeof text);

    sb_printf(&sb, "%s is missing", rows[code].name);
    bgp_attr_fault(reader, BGP_ATTR_WITHDRAW, BGP_UPDATE_MISSING_WELL_KNOWN, NULL, text);
}

/* Room that lives until bgp_attr_reader_end; NULL when memory is short. All that can be asked for is laid out at once.
 */
static uint8_t *scratch_at(struct bgp_attr_reader *reader, size_t offset)
{
    if (reader->scratch == NULL)
        reader->scratch = malloc(reader->scratch_size);
    return reader->scratch != NULL ? reader->scratch + offset : NULL;
}

static void no_memory(struct bgp_attr_reader *reader)
{
    bgp_attr_fault(reader, BGP_ATTR_WITHDRAW, BGP_UPDATE_ATTRIBUTE_LIST, NULL, "out of memory");
}

/* RFC 4271 5: an unknown transitive attribute is kept, with the Partial bit; an unknown well-known one is an error. */
static void keep_unknown(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw)
{
    uint8_t flags = raw->whole[0];
    struct bgp_attrs *attrs = &reader->attrs;

    if ((flags & BGP_ATTR_OPTIONAL) == 0) {
        bgp_attr_fault(reader, BGP_ATTR_RESET, BGP_UPDATE_UNKNOWN_WELL_KNOWN, raw, "unknown well-known attribute");
        return;
    }
    if ((flags & BGP_ATTR_TRANSITIVE) == 0)
        return;
    uint8_t *start = scratch_at(reader, 0);
    if (start == NULL) {
        no_memory(reader);
        return;
    }
    memcpy(start + attrs->unknown_len, raw->whole, raw->whole_len);
    start[attrs->unknown_len] |= BGP_ATTR_PARTIAL;
    attrs->unknown = start;
    attrs->unknown_len += raw->whole_len;
}

static bool length_fits(const struct attr_row *row, size_t len)
{
    return len == row->len_min ||
           (row->len_step > 0 && len > row->len_min && (len - row->len_min) % row->len_step == 0);
}

static void read_known(struct bgp_attr_reader *reader, const struct attr_row *row, const struct bgp_raw_attr *raw)
{
    /* RFC 7606 7.5, 7.9, 7.10: not for external neighbours to say */
    if (row->internal && reader->conf->ebgp) {
        bgp_attr_fault(reader, BGP_ATTR_DISCARD, 0, raw, "from an external neighbour");
        return;
    }
    /* RFC 7606 3 c, 5.3: wrong flags are a withdrawal even where a wrong value is only discarded */
    if ((raw->whole[0] & OPT_TRANS) != row->flags) {
        bgp_attr_fault(reader, row->action == BGP_ATTR_DISCARD ? BGP_ATTR_WITHDRAW : row->action,
                       BGP_UPDATE_ATTRIBUTE_FLAGS, raw, "wrong flags");
        return;
    }
    if (!length_fits(row, raw->len)) {
        uint8_t subcode = row->action == BGP_ATTR_RESET ? BGP_UPDATE_OPTIONAL_ATTRIBUTE : BGP_UPDATE_ATTRIBUTE_LENGTH;
        bgp_attr_fault(reader, row->action, subcode, raw, "wrong length");
        return;
    }
    uint8_t subcode = row->read(reader, raw);
    if (subcode != 0) {
        bgp_attr_fault(reader, row->action, subcode, raw, "malformed value");
        return;
    }
    reader->raw[raw->whole[1]] = *raw;
    if (row->flags == OPT_TRANS && (raw->whole[0] & BGP_ATTR_PARTIAL) != 0)
        reader->attrs.partial |= UINT64_C(1) << raw->whole[1];
}

/* Takes the next attribute off `r`; false when it is cut short. */
static bool next_attr(struct byte_reader *r, struct bgp_raw_attr *raw)
{
    const uint8_t *start = r->at;
    uint8_t flags = br_u8(r);

    br_u8(r);
    raw->len = flags & BGP_ATTR_EXTENDED ? br_u16(r) : br_u8(r);
    raw->value = br_bytes(r, raw->len);
    raw->whole = start;
    raw->whole_len = (size_t)(r->at - start);
    return !r->failed;
}

static void read_all(struct bgp_attr_reader *reader, struct byte_reader r)
{
    uint32_t seen[256 / 32] = {0};

    while (br_left(&r) > 0 && !reader->fault.reset) {
        struct bgp_raw_attr raw;
        if (!next_attr(&r, &raw)) {
            /* RFC 7606 4: the NLRI can still be found by the lengths around */
            reader->others = true;
            bgp_attr_fault(reader, BGP_ATTR_WITHDRAW, BGP_UPDATE_ATTRIBUTE_LIST, NULL,
                           "an attribute runs past the end of the list");
            return;
        }
        unsigned code = raw.whole[1];
        const struct attr_row *row = row_of(code);
        reader->others |= code != BGP_ATTR_MP_UNREACH;
        if (seen[code / 32] & 1u << code % 32) {
            /* RFC 7606 3 g */
            bool mp = code == BGP_ATTR_MP_REACH || code == BGP_ATTR_MP_UNREACH;
            bgp_attr_fault(reader, mp ? BGP_ATTR_RESET : BGP_ATTR_DISCARD, BGP_UPDATE_ATTRIBUTE_LIST, &raw,
                           "present more than once");
            continue;
        }
        seen[code / 32] |= 1u << code % 32;
        if (row != NULL)
            read_known(reader, row, &raw);
        else
            keep_unknown(reader, &raw);
    }
}

/* RFC 6793 4.2.3: what a speaker of 2-octet numbers says, and what came around it in AS4_PATH, make one path. */
static void widen_as_path(struct bgp_attr_reader *reader, size_t offset)
{
    struct bgp_raw_attr as4 = reader->raw[BGP_ATTR_AS4_PATH], aggregator = reader->raw[BGP_ATTR_AGGREGATOR];
    struct bgp_raw_attr as4_aggregator = reader->raw[BGP_ATTR_AS4_AGGREGATOR];
    struct bgp_attrs *attrs = &reader->attrs;

    if (reader->conf->four_octet_as)
        return;
    bool trans = aggregator.whole == NULL || attrs->aggregator_as == BGP_AS_TRANS;
    if (as4_aggregator.whole != NULL && !trans)
        as4.len = 0;
    else if (as4_aggregator.whole != NULL && attrs->has_aggregator)
        attrs->aggregator_as = value_u32(&as4_aggregator);
    if (attrs->as_path_len == 0)
        return;
    uint8_t *out = scratch_at(reader, offset);
    if (out == NULL) {
        attrs->as_path = NULL;
        attrs->as_path_len = 0;
        no_memory(reader);
        return;
    }
    attrs->as_path_len = bgp_as_path_merge(attrs->as_path, attrs->as_path_len, as4.value, as4.len, out);
    attrs->as_path = out;
}

static bool cluster_list_has(const struct bgp_attrs *attrs, uint32_t id)
{
    struct byte_reader r = br_init(attrs->cluster_list, attrs->cluster_list_len);

    while (br_left(&r) > 0) {
        if (br_u32(&r) == id)
            return true;
    }
    return false;
}

/* Not errors of anybody: a path that came back to us is simply not usable (RFC 4271 9.1.2, RFC 4456 8). */
static void find_loops(struct bgp_attr_reader *reader)
{
    const struct bgp_attrs *attrs = &reader->attrs;
    const struct bgp_update_conf *conf = reader->conf;
    const char *what = NULL;

    if (conf->local_as != 0 && bgp_as_path_contains(attrs->as_path, attrs->as_path_len, conf->local_as))
        what = "AS_PATH: our own AS is in it; treated as withdrawal";
    else if (conf->router_id != 0 && attrs->has_originator_id && attrs->originator_id == conf->router_id)
        what = "ORIGINATOR_ID: is our own; treated as withdrawal";
    else if (conf->cluster_id != 0 && cluster_list_has(attrs, conf->cluster_id))
        what = "CLUSTER_LIST: our own cluster is in it; treated as withdrawal";
    if (what == NULL)
        return;
    reader->withdraw = true;
    reader->ops->bad_attribute(reader->ctx, what);
}

void bgp_attr_reader_run(struct bgp_attr_reader *reader, const uint8_t *attributes, size_t len)
{
    /* unknown attributes take at most `len`, a widened path and the AS4_PATH in it at most twice that */
    reader->scratch_size = 3 * len;
    read_all(reader, br_init(attributes, len));
    widen_as_path(reader, len);
    find_loops(reader);
}

void bgp_attr_reader_end(struct bgp_attr_reader *reader)
{
    free(reader->scratch);
    reader->scratch = NULL;
}
