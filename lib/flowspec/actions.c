/* SPDX-License-Identifier: BSD-3-Clause */
#include "flowspec/actions.h"

#include <string.h>

bool fs_actions_discard(const struct fs_actions *actions)
{
    return (actions->rate_bytes_set && actions->rate_bytes_per_s <= 0) ||
           (actions->rate_packets_set && actions->rate_packets_per_s <= 0) ||
           (actions->source_bytes.set && actions->source_bytes.rate_per_s <= 0) ||
           (actions->source_packets.set && actions->source_packets.rate_per_s <= 0);
}

bool fs_actions_accept(const struct fs_actions *actions)
{
    return !actions->rate_bytes_set && !actions->rate_packets_set && !actions->rate_undefined && !actions->mark_set &&
           !actions->sample && !actions->go_on && !actions->redirect_ip_set &&
           actions->redirect.kind == FS_REDIRECT_NONE && !actions->source_bytes.set && !actions->source_packets.set;
}

static bool per_source_equal(const struct fs_per_source *a, const struct fs_per_source *b)
{
    return a->set == b->set &&
           (!a->set || (a->length == b->length && a->rate_per_s == b->rate_per_s && a->sources == b->sources));
}

static bool rates_equal(const struct fs_actions *a, const struct fs_actions *b)
{
    return a->rate_undefined == b->rate_undefined && a->rate_bytes_set == b->rate_bytes_set &&
           a->rate_packets_set == b->rate_packets_set &&
           (!a->rate_bytes_set || a->rate_bytes_per_s == b->rate_bytes_per_s) &&
           (!a->rate_packets_set || a->rate_packets_per_s == b->rate_packets_per_s) &&
           per_source_equal(&a->source_bytes, &b->source_bytes) &&
           per_source_equal(&a->source_packets, &b->source_packets);
}

static bool targets_equal(const struct fs_route_target *a, const struct fs_route_target *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == FS_REDIRECT_NONE)
        return true;
    if (a->value != b->value)
        return false;
    if (a->kind == FS_REDIRECT_RT_IPV6)
        return memcmp(a->admin_v6, b->admin_v6, sizeof a->admin_v6) == 0;
    return a->admin == b->admin;
}

static bool redirect_ips_equal(const struct fs_actions *a, const struct fs_actions *b)
{
    if (a->redirect_ip_set != b->redirect_ip_set)
        return false;
    return !a->redirect_ip_set ||
           (a->redirect_ip_copy == b->redirect_ip_copy && ip_addr_equal(&a->redirect_ip, &b->redirect_ip));
}

bool fs_actions_equal(const struct fs_actions *a, const struct fs_actions *b)
{
    return rates_equal(a, b) && a->mark_set == b->mark_set && (!a->mark_set || a->dscp == b->dscp) &&
           a->sample == b->sample && a->go_on == b->go_on && targets_equal(&a->redirect, &b->redirect) &&
           redirect_ips_equal(a, b);
}
