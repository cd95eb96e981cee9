/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The step "blast-radius": a rule that would take more of the live traffic than the guard allows is held for a person,
 * rejected, or let through with a warning. The reason says how much, of what, and where that was going to.
 */
#include "policy/blast.h"

#include "base/strbuf.h"
#include "policy/steps.h"

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static const char *protocol_text(unsigned protocol, char *text, size_t size)
{
    struct strbuf out = sb_init(text, size);

    if (protocol == 6 || protocol == 17)
        sb_text(&out, protocol == 6 ? "tcp" : "udp");
    else if (protocol == 1 || protocol == 58)
        sb_text(&out, protocol == 1 ? "icmp" : "icmp6");
    else
        sb_printf(&out, "protocol %u", protocol);
    return text;
}

/* The first limit that the rule breaks, in words; `where`: of which traffic, "" for the default VRF's; false when it
 * breaks none. */
static bool breach(const struct pol_guard *guard, const struct pol_blast *blast, const char *where, struct strbuf *out)
{
    double packets = percent(blast->packets.taken, blast->packets.seen);
    double bytes = percent((double)blast->bytes_taken, (double)blast->bytes_seen);
    double protocol = percent(blast->protocol.taken, blast->protocol.seen);
    double destination = percent(blast->destination.taken, blast->destination.seen);
    char text[IP_TEXT_SIZE];

    if (guard->max_packets > 0 && packets > guard->max_packets)
        sb_printf(out, "would take %.1f %% of all packets%s, more than max-drop-share %g %%", packets, where,
                  guard->max_packets);
    else if (guard->max_bytes > 0 && bytes > guard->max_bytes)
        sb_printf(out, "would take %.1f %% of all octets%s, more than max-byte-share %g %%", bytes, where,
                  guard->max_bytes);
    else if (guard->max_protocol > 0 && protocol > guard->max_protocol)
        sb_printf(out, "would take %.1f %% of all %s packets%s, more than max-protocol-share %g %%", protocol,
                  protocol_text(blast->protocol_number, text, sizeof text), where, guard->max_protocol);
    else if (guard->max_destination > 0 && destination > guard->max_destination)
        sb_printf(out, "would take %.1f %% of all packets to %s%s, more than max-destination-share %g %%", destination,
                  ip_addr_format(&blast->destination_address, text), where, guard->max_destination);
    else
        return false;
    return true;
}

/* Where the packets that it takes were going to: "to 203.0.113.7 (40 %), ...; tcp 443 (90 %), ...". */
static void format_tops(const struct pol_blast *blast, struct strbuf *out)
{
    double whole = blast->packets.taken;
    char text[IP_TEXT_SIZE];

    for (unsigned i = 0; i < POL_BLAST_TOP && blast->top_destinations[i].taken > 0; i++)
        sb_printf(out, "%s%s (%.0f %%)", i == 0 ? "; it takes packets to " : ", ",
                  ip_addr_format(&blast->top_destinations[i].address, text),
                  percent(blast->top_destinations[i].taken, whole));
    for (unsigned i = 0; i < POL_BLAST_TOP && blast->top_ports[i].taken > 0; i++)
        sb_printf(out, "%s%s %u (%.0f %%)", i == 0 ? "; " : ", ",
                  protocol_text(blast->top_ports[i].protocol, text, sizeof text), blast->top_ports[i].port,
                  percent(blast->top_ports[i].taken, whole));
}

static enum pol_breach decision(const struct pol_candidate *candidate)
{
    if (candidate->policy != NULL && candidate->policy->on_breach != POL_BREACH_DEFAULT)
        return candidate->policy->on_breach;
    return candidate->guard->on_breach;
}

void pol_step_blast_radius(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    const struct pol_guard *guard = candidate->guard;
    char broken[192], tops[320];
    struct strbuf broken_out = sb_init(broken, sizeof broken), tops_out = sb_init(tops, sizeof tops);
    const char *where = candidate->rule->has_rd ? " of its VRFs" : "";
    struct pol_blast blast;

    if (guard == NULL || candidate->measure == NULL || candidate->approved || !pol_takes_away(candidate->actions))
        return;
    enum pol_breach on_breach = decision(candidate);
    if (on_breach == POL_BREACH_IGNORE)
        return;
    candidate->measure(candidate->measure_ctx, candidate->rule, &blast);
    if (blast.packets.seen < guard->min_samples || !breach(guard, &blast, where, &broken_out))
        return;
    format_tops(&blast, &tops_out);
    pol_refuse(verdict,
               on_breach == POL_BREACH_WARN     ? POL_ACTIVE
               : on_breach == POL_BREACH_REJECT ? POL_REJECTED
                                                : POL_HELD,
               "blast-radius: %s (%u of %u packets sampled in the last %u s)%s", broken, blast.packets.taken,
               blast.packets.seen, guard->window_s, tops);
    verdict->warning = on_breach == POL_BREACH_WARN;
}
