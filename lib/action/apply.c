/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits and marks. Within a rule the rates per source come first: what they drop costs the rule's own rate nothing.
 * Actions of several rules (`continue`) are collected and all applied, as RFC 8955 7.3 asks: each
 * limit must admit the packet, and it counts against those that did even when a later one drops it. Of several marks
 * the first counts (RFC 8955 7.7 leaves that to us): the more specific rule has the word, as everywhere in Flowspec.
 */
#include "action/action.h"

enum act_verdict act_apply_extra(const struct act_program *program, struct act_packet *packet, struct act_meter *meter,
                                 uint64_t now_ns)
{
    for (unsigned i = 0; i < 2; i++)
        if (program->by_source[i] != NULL && !act_sources_admit(program->by_source[i], packet->key, now_ns))
            return ACT_DROP_RATE_LIMIT;
    if (program->limit != NULL && !act_meter_admit(meter, program->limit, now_ns, packet->bytes))
        return ACT_DROP_RATE_LIMIT;
    if (program->mark)
        act_collect_mark(packet, program);
    act_collect_redirect(packet, program);
    return act_apply(program);
}
