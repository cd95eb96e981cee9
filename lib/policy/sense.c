/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does the rule make sense: can any packet match it? A rule that no packet matches is harmless in theory; in 2013 such
 * a rule, of a packet length that no packet has, took a whole network down, because each router spent its memory on
 * compiling it. So it never gets to the data plane. Exact, and the reason names as few components as say why.
 */
#include <string.h>

#include "flowspec/text.h"
#include "policy/claims.h"
#include "policy/existing.h"
#include "policy/steps.h"

static bool is_upper_layer(unsigned type)
{
    return type >= FS_PORT && type <= FS_TCP_FLAGS;
}

/* Takes away every component without which there is still no packet: what stays is a smallest contradiction. */
static void reduce(struct pol_claims *claims)
{
    struct pol_packet packet;

    for (unsigned i = claims->count; i-- > 0;) {
        struct pol_claims fewer = *claims;
        fewer.count--;
        memmove(&fewer.at[i], &fewer.at[i + 1], (fewer.count - i) * sizeof fewer.at[0]);
        if (!pol_claims_meet(&fewer, &packet))
            *claims = fewer;
    }
}

/* One component as rule text. */
static void format_claim(const struct pol_claim *claim, struct strbuf *out)
{
    struct fs_rule alone = *claim->rule;

    alone.components = claim->component;
    alone.component_count = 1;
    fs_match_format(&alone, out);
}

/* What every packet obeys, in words, for each component type. */
static void format_fact(const struct pol_claims *claims, unsigned type, struct strbuf *out)
{
    bool six = claims->family == IP_V6;

    switch (type) {
    case FS_PORT:
    case FS_DESTINATION_PORT:
    case FS_SOURCE_PORT:
        sb_text(out, "only TCP and UDP have ports, from 0 to 65535");
        break;
    case FS_ICMP_TYPE:
    case FS_ICMP_CODE:
        sb_text(out, six ? "only ICMPv6 (protocol 58) has types and codes, from 0 to 255, in IPv6"
                         : "only ICMP (protocol 1) has types and codes, from 0 to 255, in IPv4");
        break;
    case FS_TCP_FLAGS:
        sb_text(out, "only TCP has flags");
        break;
    case FS_PACKET_LENGTH:
        sb_printf(out, "an %s packet has %u to %u octets", six ? "IPv6" : "IPv4", six ? 40 : 20,
                  pol_length_most(claims->family));
        break;
    case FS_PROTOCOL:
        sb_text(out, six ? "a protocol is 0 to 255, and extension headers are passed over" : "a protocol is 0 to 255");
        break;
    case FS_DSCP:
        sb_text(out, "a DSCP is 0 to 63");
        break;
    case FS_FRAGMENT:
        sb_text(out, "a packet is whole, or a first fragment, or a later one, of which one is the last");
        break;
    default:
        sb_text(out, "a flow label is 0 to 1048575");
        break;
    }
}

/* Why the components that are left contradict each other. */
static void format_facts(const struct pol_claims *claims, struct strbuf *out)
{
    bool upper = false, told = false;

    if (claims->count == 1) {
        format_fact(claims, claims->at[0].component->type, out);
        return;
    }
    for (unsigned i = 0; i < claims->count; i++)
        upper = upper || is_upper_layer(claims->at[i].component->type);
    for (unsigned i = 0; i < claims->count; i++) {
        unsigned type = claims->at[i].component->type;
        bool ports = type >= FS_PORT && type <= FS_SOURCE_PORT;
        if (type == FS_PROTOCOL || (type == FS_FRAGMENT && !upper))
            continue;
        if (i > 0 && ((ports && claims->at[i - 1].component->type >= FS_PORT) ||
                      (type == FS_ICMP_CODE && claims->at[i - 1].component->type == FS_ICMP_TYPE)))
            continue; /* said already */
        if (type == FS_PACKET_LENGTH) {
            sb_printf(out, "%sheaders take octets, too", told ? "; " : "");
        } else if (type == FS_FRAGMENT) {
            sb_printf(out, "%sno fragment but the first has an upper-layer header", told ? "; " : "");
        } else {
            sb_text(out, told ? "; " : "");
            format_fact(claims, type, out);
        }
        told = true;
    }
    if (!told)
        sb_text(out, "they exclude each other");
}

void pol_step_sense(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    char claims_text[256], facts_text[256];
    struct strbuf said = sb_init(claims_text, sizeof claims_text), facts = sb_init(facts_text, sizeof facts_text);
    struct pol_claims claims = {.count = 0};
    struct pol_packet packet;

    pol_claims_add(&claims, candidate->rule);
    if (pol_claims_meet(&claims, &packet))
        return;
    reduce(&claims);
    for (unsigned i = 0; i < claims.count; i++) {
        sb_text(&said, i > 0 ? "' and '" : "");
        format_claim(&claims.at[i], &said);
    }
    if (sb_truncated(&said))
        strcpy(&claims_text[sizeof claims_text - 4], "...");
    format_facts(&claims, &facts);
    bool passes = candidate->senseless_passes;
    pol_refuse(verdict, passes ? POL_ACTIVE : POL_NEVER_MATCHES, "%s: no packet has '%s'%s: %s%s",
               passes ? "senseless" : "never-matches", claims_text, claims.count > 1 ? " at once" : "", facts_text,
               passes ? "; it takes memory and time all the same, for `sense` is off" : "");
    verdict->warning = passes;
}
