/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protected traffic: a rule that takes traffic away must not meet a protected match. Whether the two meet is decided
 * exactly, and the refusal names a packet that both match, so that nobody has to believe it.
 */
#include "flowspec/text.h"
#include "policy/packet.h"
#include "policy/steps.h"

bool pol_takes_away(const struct fs_actions *actions)
{
    return actions->rate_bytes_set || actions->rate_packets_set || actions->source_bytes.set ||
           actions->source_packets.set || actions->redirect.kind != FS_REDIRECT_NONE ||
           (actions->redirect_ip_set && !actions->redirect_ip_copy);
}

/* An IPv6 pattern that starts further on (RFC 8956 3.1) says nothing of how many networks it covers. */
static bool longer_than(const struct fs_component *prefix, unsigned bits)
{
    return prefix != NULL && prefix->offset == 0 && prefix->length > bits;
}

static bool spares(const struct pol_protect *protect, const struct pol_candidate *candidate)
{
    if (protect->whole && candidate->from_configuration)
        return true;
    return protect->unless_longer_than > 0 &&
           (longer_than(fs_rule_component(candidate->rule, FS_DESTINATION), protect->unless_longer_than) ||
            longer_than(fs_rule_component(candidate->rule, FS_SOURCE), protect->unless_longer_than));
}

static bool meets(const struct pol_protect *protect, const struct fs_rule *rule, struct pol_packet *packet)
{
    return protect->whole ? pol_packet_covered(rule, protect->match, packet)
                          : pol_packet_of_both(rule, protect->match, packet);
}

static void refuse_meeting(const struct pol_protect *protect, const struct pol_packet *packet,
                           struct pol_verdict *verdict)
{
    char match_text[192], packet_text[320];
    struct strbuf match = sb_init(match_text, sizeof match_text), words = sb_init(packet_text, sizeof packet_text);

    fs_match_format(protect->match, &match);
    pol_packet_format(packet, &words);
    if (!protect->whole)
        pol_refuse(verdict, POL_REJECTED, "protected: meets 'match %s%s' (line %u), for example: %s", match_text,
                   sb_truncated(&match) ? "..." : "", protect->line, packet_text);
    else
        pol_refuse(verdict, POL_REJECTED, "protected: takes all of 'match %s' (protect-bgp), for example: %s",
                   match_text, packet_text);
}

void pol_step_protect(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    struct pol_packet packet;

    if (!pol_takes_away(candidate->actions))
        return;
    for (size_t i = 0; i < candidate->protect_count; i++) {
        const struct pol_protect *protect = &candidate->protects[i];
        if (!spares(protect, candidate) && meets(protect, candidate->rule, &packet)) {
            refuse_meeting(protect, &packet, verdict);
            return;
        }
    }
}
