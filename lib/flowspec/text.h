/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as people write them:
 *   match [family ipv4|ipv6] [rd RD] [COMPONENT EXPR]... [then ACTION [ACTION]...]
 * The grammar is in floodgate-rules(5). The family follows from prefixes and from flow-label; without either it is
 * IPv4 unless `family ipv6` says otherwise. Output is canonical and parses back to the same NLRI and actions.
 */
#ifndef FLOWSPEC_TEXT_H
#define FLOWSPEC_TEXT_H

#include "base/strbuf.h"
#include "flowspec/actions.h"
#include "flowspec/rule.h"

struct fs_text_error {
    size_t column;  /* 1-based, of the word that is wrong */
    char text[256]; /* what is wrong and what would be right, one line */
};

/*
 * Reads one rule. On success `*rule` is the caller's to free and `*actions` is set (all zero: accept).
 * False on bad text, with `error` filled.
 */
bool fs_text_parse(const char *text, struct fs_rule **rule, struct fs_actions *actions, struct fs_text_error *error);

/* The components alone: "destination 203.0.113.7/32 protocol =udp", without family and route distinguisher. */
void fs_match_format(const struct fs_rule *rule, struct strbuf *out);

/* The whole rule: "match ... then ...", with `family ipv6` or `rd` where the components do not imply them. */
void fs_rule_format(const struct fs_rule *rule, const struct fs_actions *actions, struct strbuf *out);

/* The type's name in rule text: "destination", "tcp-flags", ...; NULL for no such type. */
const char *fs_type_name(unsigned type);

/* "65000:100", "192.0.2.1:100", "4200000000L:100", "[2001:db8::1]:100". */
void fs_route_target_format(const struct fs_route_target *target, struct strbuf *out);

/* Reads any of those forms; false when it is none. An AS number above 65535 needs no L. */
bool fs_route_target_parse(const char *text, struct fs_route_target *out);

/* A route distinguisher: the first three of those forms (RFC 4364 4.2), or 0x and 16 digits for any other type. */
void fs_rd_format(uint64_t rd, struct strbuf *out);
bool fs_rd_parse(const char *text, uint64_t *out);

#endif
