/* SPDX-License-Identifier: BSD-3-Clause */
/* fgctl explain: what would happen to a packet, told as a story. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "explain_pcap.h"

static const char USAGE[] = "explain [--in PORT] 'PACKET', or explain --pcap FILE [--nth N] [--in PORT]";

static void say_port(const json_t *answer)
{
    const char *vrf = get_text(answer, "vrf");

    printf("Comes in by port %s%s", get_text(answer, "port"),
           json_is_true(json_object_get(answer, "port_chosen")) ? " (the first with Flowspec on; --in names another)"
                                                                : "");
    if (vrf[0] != '\0' && strcmp(vrf, "default") != 0)
        printf(", in VRF %s", vrf);
    printf(".\n");
}

static void say_packet(const json_t *answer)
{
    const char *brief = get_text(answer, "brief"), *assumed = get_text(answer, "assumed");
    json_int_t vlan = get_int(answer, "vlan");

    printf("Packet: %s", brief[0] ? brief : "a frame that is not IP");
    if (vlan != 0)
        printf(", VLAN %" JSON_INTEGER_FORMAT, vlan);
    printf("\n");
    if (assumed[0] != '\0')
        printf("        assumed: %s\n", assumed);
    say_port(answer);
}

/* What a rule that is reached does to the packet, and to the search. */
static const char *consequence(const json_t *match, bool drops)
{
    if (!json_is_true(json_object_get(match, "reached")))
        return "not reached: the search has ended";
    if (drops)
        return "the packet is dropped here";
    return json_is_true(json_object_get(match, "ends_search")) ? "the search ends here, the packet passes"
                                                               : "the search goes on";
}

static void say_room(const json_t *limit, const char *room, const char *burst, const char *unit)
{
    if (json_object_get(limit, burst) != NULL)
        printf("     limit: room for %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " %s at this moment\n",
               get_int(limit, room), get_int(limit, burst), unit);
}

static void say_limit(const json_t *match)
{
    const json_t *limit = json_object_get(match, "limit");
    json_t *source;
    size_t i;

    if (limit == NULL)
        return;
    say_room(limit, "room_bytes", "burst_bytes", "octets");
    say_room(limit, "room_packets", "burst_packets", "packets");
    json_array_foreach(json_object_get(limit, "per_source"), i, source)
        printf("     limit of its source: room for %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
               " %s at this moment; %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " sources are followed\n",
               get_int(source, "room"), get_int(source, "burst"), get_text(source, "counts"),
               get_int(source, "tracked"), get_int(source, "sources"));
}

static void say_rule(const char *lead, const json_t *rule, const char *what)
{
    char actions[512], source[256];

    actions_text(json_object_get(rule, "actions"), actions, sizeof actions);
    source_text(json_object_get(rule, "source"), source, sizeof source);
    printf("  %srule %" JSON_INTEGER_FORMAT ": %s\n", lead, get_int(rule, "id"), get_text(rule, "match"));
    printf("  %*saction: %s (from %s) -> %s\n", (int)strlen(lead), "", actions, source, what);
}

static void say_matches(const json_t *answer)
{
    const json_t *matches = json_object_get(answer, "matches"), *verdict = json_object_get(answer, "verdict");
    json_int_t dropped_by = get_int(verdict, "rule");
    size_t i, count = json_array_size(matches);
    json_t *match;
    char lead[24];

    if (!json_is_true(json_object_get(answer, "flowspec"))) {
        printf("Flowspec is off on this port: no rule is asked.\n");
        return;
    }
    if (json_is_true(json_object_get(answer, "kill_switch"))) {
        printf("The kill-switch is ON: no rule is asked.\n");
        return;
    }
    if (count == 0) {
        printf("No rule in force matches it.\n");
        return;
    }
    printf("%zu %s in force %s it, in this order:\n", count, count == 1 ? "rule" : "rules",
           count == 1 ? "matches" : "match");
    json_array_foreach((json_t *)(uintptr_t)matches, i, match)
    {
        snprintf(lead, sizeof lead, "%zu. ", i + 1);
        say_rule(lead, match, consequence(match, get_int(match, "id") == dropped_by));
        say_limit(match);
        if (get_text(match, "note")[0] != '\0')
            printf("     note: %s\n", get_text(match, "note"));
    }
    if (json_is_true(json_object_get(answer, "more_matches")))
        printf("  ... and more that are not shown\n");
}

static void say_not_enforced(const json_t *answer)
{
    const json_t *rules = json_object_get(answer, "not_enforced");
    size_t i;
    json_t *rule;
    char what[512];

    if (json_array_size(rules) == 0)
        return;
    printf("It would also match, but is not enforced:\n");
    json_array_foreach((json_t *)(uintptr_t)rules, i, rule)
    {
        const char *reason = get_text(rule, "reason");
        snprintf(what, sizeof what, "%s%s%s", get_text(rule, "state"), reason[0] ? ": " : "", reason);
        say_rule("- ", rule, what);
    }
}

/* Whether it is for the router itself, or for nobody here: then no rule is asked. False: neither. */
static bool say_local(const json_t *answer)
{
    const char *local = get_text(answer, "local");

    if (local[0] == '\0' || strcmp(local, "transit") == 0)
        return false;
    if (strcmp(local, "foreign") == 0)
        printf("It is for no station of this port: no rule is asked.\n");
    else
        printf("It is for the router itself (%s): taken out before any rule is asked.\n", local);
    return true;
}

static void say_hop(const char *lead, const json_t *hop)
{
    const char *address = get_text(hop, "address"), *mac = get_text(hop, "mac"), *neighbor = get_text(hop, "neighbor");

    printf("%s%s", lead, get_text(hop, "kind"));
    if (get_text(hop, "port")[0] != '\0')
        printf(", out of %s", get_text(hop, "port"));
    if (address[0] != '\0')
        printf(" to %s", address);
    if (neighbor[0] != '\0')
        printf(" (%s%s%s)", mac, mac[0] != '\0' ? ", " : "", neighbor);
    printf("\n");
}

static void say_redirect(const json_t *redirect)
{
    const char *vrf = get_text(redirect, "vrf"), *address = get_text(redirect, "address");

    if (vrf[0] != '\0')
        printf("Redirected to VRF %s.\n", vrf);
    if (json_is_true(json_object_get(redirect, "taken")))
        printf("Redirected to %s.\n", address);
    else if (address[0] != '\0')
        printf("A redirect to %s is as if it were absent: no way leads there.\n", address);
}

static void say_route(const json_t *answer)
{
    const json_t *route = json_object_get(answer, "route"), *copy = json_object_get(answer, "copy");
    size_t i;
    json_t *via;

    say_redirect(json_object_get(answer, "redirect"));
    if (json_is_object(route)) {
        printf("Route: %s in VRF %s (%s)", get_text(route, "prefix"), get_text(route, "vrf"),
               get_text(route, "source"));
        json_array_foreach(json_object_get(route, "via"), i, via)
            printf("%s%s%s", i == 0 ? " via " : ", ", get_text(via, "address"),
                   json_is_true(json_object_get(via, "resolved")) ? "" : " (cannot be reached)");
        printf("\n");
    } else if (json_is_null(route)) {
        printf("Route: none covers it\n");
    }
    if (json_is_object(json_object_get(answer, "next_hop")))
        say_hop("Next hop: ", json_object_get(answer, "next_hop"));
    if (copy != NULL) {
        say_hop("A copy goes by: ", json_object_get(copy, "next_hop"));
        printf("  which is: %s %s\n", get_text(json_object_get(copy, "verdict"), "verdict"),
               get_text(json_object_get(copy, "verdict"), "reason"));
    }
}

/* What becomes of it where it is not dropped. */
static void say_passes(const json_t *verdict, const char *on, const char *off)
{
    const char *word = get_text(verdict, "verdict");

    if (strcmp(word, "punt") == 0) {
        printf("Verdict: %shanded to the router itself%s, as %s.\n", on, off, get_text(verdict, "reason"));
        return;
    }
    printf("Verdict: %s%s%s out of port %s", on, strcmp(word, "hold") == 0 ? "held, to be sent" : "sent", off,
           get_text(verdict, "egress"));
    if (json_is_true(json_object_get(verdict, "fragmented")))
        printf(", in fragments");
    if (json_object_get(verdict, "dscp") != NULL)
        printf(", marked with DSCP %" JSON_INTEGER_FORMAT, get_int(verdict, "dscp"));
    if (strcmp(word, "hold") == 0)
        printf(": %s", get_text(verdict, "detail"));
    printf(".\n");
}

static void say_verdict(const struct fgctl *ctl, const json_t *answer)
{
    const json_t *verdict = json_object_get(answer, "verdict");
    bool drop = strcmp(get_text(verdict, "verdict"), "drop") == 0;
    const char *reason = get_text(verdict, "reason"), *detail = get_text(verdict, "detail");
    const char *on = !ctl->form.colour ? ""
                     : drop            ? "\033[1;31m"
                                       : "\033[1;32m",
               *off = ctl->form.colour ? "\033[0m" : "";

    if (!drop)
        say_passes(verdict, on, off);
    else if (detail[0] != '\0')
        printf("Verdict: %sdropped%s, counted as %s: %s.\n", on, off, reason, detail);
    else
        printf("Verdict: %sdropped%s by rule %" JSON_INTEGER_FORMAT ", counted as %s.\n", on, off,
               get_int(verdict, "rule"), reason);
    if (json_object_get(answer, "sampled_by") != NULL)
        printf("A sample of it is due by rule %" JSON_INTEGER_FORMAT ".\n", get_int(answer, "sampled_by"));
    if (json_is_false(json_object_get(answer, "polling")))
        printf("But ports are not polled now: `fgctl dataplane start` starts that.\n");
}

static void show_explanation(const struct fgctl *ctl, const json_t *answer)
{
    const json_t *verdict = json_object_get(answer, "verdict");
    bool malformed = strcmp(get_text(verdict, "reason"), "malformed") == 0;

    if (malformed) {
        printf("Packet: malformed, before any rule is asked.\n");
        say_port(answer);
    } else {
        say_packet(answer);
    }
    if (!malformed && say_local(answer)) {
        say_verdict(ctl, answer);
        return;
    }
    if (!malformed && json_is_string(json_object_get(answer, "family"))) {
        say_matches(answer);
        say_not_enforced(answer);
    } else if (!malformed) {
        printf("Rules match IP only.\n");
    }
    say_route(answer);
    say_verdict(ctl, answer);
}

/* The request's arguments, or NULL after a line on stderr. */
static json_t *build_request(struct args *args)
{
    const char *in = NULL, *file = NULL;
    unsigned long long nth = 0;

    if (!args_option(args, "--in", &in) || !args_option(args, "--pcap", &file) || !args_number(args, "--nth", 1, &nth))
        return NULL;
    if (file == NULL && nth != 0) {
        fgctl_refuse("--nth goes with --pcap; usage: fgctl %s", USAGE);
        return NULL;
    }
    if (!args_left(args, file == NULL, file == NULL ? args->count : 0, USAGE))
        return NULL;
    char *text = file != NULL ? pcap_frame_hex(file, nth ? nth : 1) : args_join(args, 0);
    if (text == NULL)
        return NULL;
    json_t *request = json_pack("{s:s}", file != NULL ? "frame" : "packet", text);
    free(text);
    if (request == NULL || (in != NULL && json_object_set_new(request, "in", json_string(in)) < 0)) {
        fgctl_refuse("the words are not UTF-8");
        json_decref(request);
        return NULL;
    }
    return request;
}

enum fgctl_status cmd_explain(struct fgctl *ctl, struct args *args)
{
    json_t *request = build_request(args), *answer;

    if (request == NULL)
        return FGCTL_REFUSED;
    if (ctl->json)
        return client_pass(ctl, "explain", request);
    enum fgctl_status status = client_call(ctl, "explain", request, &answer);
    if (status == FGCTL_DONE)
        show_explanation(ctl, answer);
    json_decref(answer);
    return status;
}
