/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions -> program (RFC 8955 section 7). A rate of 0, in octets or in packets, is discard; the other rate then has
 * nothing left to limit, and a mark nothing to mark. What cannot be carried out is refused by name even beside discard:
 * a controller that asked for a copy of what is dropped would wait for it in vain.
 */
#include "action/build.h"

static bool wants_undefined_rate(const struct fs_actions *actions)
{
    /* NaN or infinity is policy's to reject; it must not pass for "no limit" here either */
    return actions->rate_undefined && !fs_actions_discard(actions);
}

/* What this data plane cannot carry out. */
static const struct {
    const char *name;
    bool (*wanted)(const struct fs_actions *actions);
} unsupported[] = {
    {"rate-limit", wants_undefined_rate},
};

static struct act_source_rate source_rate(const struct fs_per_source *limit)
{
    if (!limit->set)
        return (struct act_source_rate){.rate_per_s = 0};
    return (struct act_source_rate){
        .rate_per_s = limit->rate_per_s, .sources = limit->sources, .length = limit->length};
}

static bool redirects(const struct fs_actions *actions)
{
    return actions->redirect.kind != FS_REDIRECT_NONE || actions->redirect_ip_set;
}

const char *act_build(const struct fs_actions *actions, struct act_program *out)
{
    *out = (struct act_program){.discard = fs_actions_discard(actions),
                                .go_on = actions->go_on,
                                .sample = actions->sample,
                                .copy = actions->redirect_ip_copy};
    if (!out->discard) {
        out->mark = actions->mark_set;
        out->dscp = actions->dscp;
        out->rate_bytes_per_s = actions->rate_bytes_set ? actions->rate_bytes_per_s : 0;
        out->rate_packets_per_s = actions->rate_packets_set ? actions->rate_packets_per_s : 0;
        out->source_bytes = source_rate(&actions->source_bytes);
        out->source_packets = source_rate(&actions->source_packets);
    }
    out->extra = out->mark || redirects(actions) || out->rate_bytes_per_s > 0 || out->rate_packets_per_s > 0 ||
                 out->source_bytes.rate_per_s > 0 || out->source_packets.rate_per_s > 0;
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (unsupported[i].wanted(actions))
            return unsupported[i].name;
    return NULL;
}
