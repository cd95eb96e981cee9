/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <stdio.h>

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

void report_peer(const struct options *options, const struct bgp_session_info *info)
{
    const struct bgp_capabilities *caps = &info->received;
    uint32_t id = info->peer_router_id;

    printf("connected to %s: AS %u, router id %u.%u.%u.%u, hold time %u s\n", options->peer_text, info->peer_as,
           id >> 24, id >> 16 & 0xff, id >> 8 & 0xff, id & 0xff, info->hold_time_s);
    printf("peer capabilities:");
    for (unsigned bit = 0; bit < BGP_FAMILY_COUNT; bit++) {
        if (caps->families & 1u << bit)
            printf(" %s", bgp_family_name(1u << bit));
    }
    printf("%s%s%s%s%s", caps->four_octet_as ? " 4-octet-as" : "", caps->extended_message ? " extended-message" : "",
           caps->route_refresh ? " route-refresh" : "", caps->enhanced_route_refresh ? " enhanced-route-refresh" : "",
           caps->graceful_restart ? " graceful-restart" : "");
    for (unsigned i = 0; i < caps->unknown_count; i++)
        printf(" code-%u", caps->unknown[i]);
    printf("\n");
    fflush(stdout);
}

void report_pass(const struct announce *a, double seconds)
{
    printf("%s %zu rule%s in %zu UPDATE%s, %.3f s, %.0f rules/s\n", a->withdraw ? "withdrew" : "sent", a->rules,
           plural(a->rules), a->updates, plural(a->updates), seconds,
           (double)a->rules / (seconds > 1e-6 ? seconds : 1e-6));
    fflush(stdout);
    if (a->too_long > 0)
        fprintf(stderr, "fginject: %zu rule%s not sent: too long for a message to this peer\n", a->too_long,
                plural(a->too_long));
}

size_t report_not_taken(const struct rule_file *file, uint32_t families)
{
    size_t counts[BGP_FAMILY_COUNT] = {0}, total = 0;

    for (size_t i = 0; i < file->count; i++) {
        if ((file->items[i].family & families) == 0)
            counts[__builtin_ctz(file->items[i].family)]++;
    }
    for (unsigned bit = 0; bit < BGP_FAMILY_COUNT; bit++) {
        if (counts[bit] > 0)
            fprintf(stderr, "fginject: %zu %s rule%s not sent: the peer does not take that family\n", counts[bit],
                    bgp_family_name(1u << bit), plural(counts[bit]));
        total += counts[bit];
    }
    return total;
}

void report_log(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    const struct options *options = ctx;

    if (level > (options->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING))
        return;
    fprintf(stderr, "%s: ", log_level_name(level));
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}
