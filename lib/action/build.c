/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions -> program (RFC 8955 section 7). A rate of 0, in octets or in packets, is discard; the other rate then has
 * nothing left to limit. Every other action is refused by name even beside discard: a controller that asked for a
 * sample or a copy of what is dropped would wait for it in vain.
 */
#include "action/build.h"

static bool wants_rate_limit(const struct fs_actions *actions)
{
    /* an undefined rate (NaN, infinity) is policy's to reject; it must not pass for "no limit" here either */
    return (actions->rate_bytes_set || actions->rate_packets_set || actions->rate_undefined) &&
           !fs_actions_discard(actions);
}

static bool wants_mark(const struct fs_actions *actions)
{
    return actions->mark_set;
}

static bool wants_redirect(const struct fs_actions *actions)
{
    return actions->redirect.kind != FS_REDIRECT_NONE;
}

static bool wants_redirect_ip(const struct fs_actions *actions)
{
    return actions->redirect_ip_set;
}

static bool wants_sample(const struct fs_actions *actions)
{
    return actions->sample;
}

/* What this data plane cannot carry out. */
static const struct {
    const char *name;
    bool (*wanted)(const struct fs_actions *actions);
} unsupported[] = {
    {"rate-limit", wants_rate_limit},   {"mark", wants_mark},     {"redirect", wants_redirect},
    {"redirect-ip", wants_redirect_ip}, {"sample", wants_sample},
};

const char *act_build(const struct fs_actions *actions, struct act_program *out)
{
    *out = (struct act_program){.discard = fs_actions_discard(actions), .go_on = actions->go_on};
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (unsupported[i].wanted(actions))
            return unsupported[i].name;
    return NULL;
}
