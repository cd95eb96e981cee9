/* SPDX-License-Identifier: BSD-3-Clause */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "member.h"

const char *event_name(enum event_kind kind)
{
    static const char *const NAMES[EVENT_KINDS] = {[EVENT_BREAKER_TRIPPED] = "breaker-tripped",
                                                   [EVENT_PEER_DOWN] = "peer-down",
                                                   [EVENT_PEER_UP] = "peer-up",
                                                   [EVENT_KILL_SWITCH] = "kill-switch",
                                                   [EVENT_RULE_HELD] = "rule-held",
                                                   [EVENT_ROUTER_DOWN] = "router-down",
                                                   [EVENT_ROUTER_UP] = "router-up"};

    return NAMES[kind];
}

/* Cut where it is too long, and then it ends with dots. */
static void set_text(char *to, size_t size, const char *from)
{
    static const char DOTS[] = "...";

    if (strlen(from) < size)
        snprintf(to, size, "%s", from);
    else
        snprintf(to, size, "%.*s%s", (int)text_fit(from, size - sizeof DOTS), from, DOTS);
}

/* "12.5 %": in hundredths of a per cent. */
static uint32_t hundredths(const char *text)
{
    double percent = strtod(text, NULL);

    return percent > 0 && percent < 1e6 ? (uint32_t)(100 * percent + 0.5) : 0;
}

static void read_scope(const char *limit, const char *of, struct event *out)
{
    static const struct {
        const char *key, *before; /* of the value, in what is said of the share */
        enum event_scope scope;
    } SCOPES[] = {{"max-drop-share ", NULL, SCOPE_PACKETS},
                  {"max-byte-share ", NULL, SCOPE_OCTETS},
                  {"max-protocol-share ", "of protocol ", SCOPE_PROTOCOL},
                  {"max-destination-share ", "to ", SCOPE_DESTINATION}};

    for (size_t i = 0; i < sizeof SCOPES / sizeof SCOPES[0]; i++) {
        if (strncmp(limit, SCOPES[i].key, strlen(SCOPES[i].key)) != 0)
            continue;
        out->scope = SCOPES[i].scope;
        out->limit = hundredths(limit + strlen(SCOPES[i].key));
        const char *before = SCOPES[i].before;
        if (before != NULL && strncmp(of, before, strlen(before)) == 0)
            snprintf(out->scope_value, sizeof out->scope_value, "%.*s", (int)strcspn(of + strlen(before), " ,;"),
                     of + strlen(before));
    }
}

void event_read_trip(const char *reason, struct event *out)
{
    static const char HEAD[] = "breaker: rules dropped ", LIMIT[] = "more than ";
    const char *of, *limit;

    out->scope = SCOPE_OTHER;
    out->share = out->limit = 0;
    out->scope_value[0] = '\0';
    if (strncmp(reason, HEAD, sizeof HEAD - 1) != 0)
        return;
    reason += sizeof HEAD - 1;
    of = strstr(reason, " % ");
    limit = strstr(reason, LIMIT);
    if (of == NULL || limit == NULL)
        return;
    out->share = hundredths(reason);
    read_scope(limit + sizeof LIMIT - 1, of + strlen(" % "), out);
}

bool event_from_journal(const json_t *entry, struct event *out)
{
    const char *event = member_text(entry, "event"), *step = member_text(entry, "step");

    *out = (struct event){.rule = (uint32_t)member_uint(entry, "rule")};
    if (strcmp(step, "kept") == 0)
        return false; /* no news: written again so that it stays in the file */
    if (strcmp(step, "max-changes") == 0)
        return false; /* held until its turn comes, for no person to decide */
    if (strcmp(event, "breaker") == 0)
        out->kind = EVENT_BREAKER_TRIPPED;
    else if (strcmp(event, "kill-switch") == 0)
        out->kind = EVENT_KILL_SWITCH;
    else if (strcmp(event, "verdict") == 0 && strcmp(member_text(entry, "state"), "held") == 0)
        out->kind = EVENT_RULE_HELD;
    else
        return false;
    set_text(out->match, sizeof out->match, member_text(entry, "text"));
    set_text(out->reason, sizeof out->reason, member_text(entry, "reason"));
    set_text(out->peer, sizeof out->peer, member_text(entry, "peer"));
    set_text(out->by, sizeof out->by, member_text(entry, "by"));
    set_text(out->time, sizeof out->time, member_text(entry, "time"));
    out->on = strcmp(member_text(entry, "state"), "on") == 0;
    if (out->kind == EVENT_BREAKER_TRIPPED)
        event_read_trip(member_text(entry, "reason"), out);
    return true;
}
