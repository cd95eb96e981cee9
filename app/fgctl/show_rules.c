/* SPDX-License-Identifier: BSD-3-Clause */
/* fgctl rules, fgctl rule ... */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "client.h"

#define ROWS_AT_A_TIME 1024
#define WIDE           140 /* columns of a terminal that has room for reasons */
#define NARROW         100 /* of one that has none for bytes and times: `rule show` has them */

static const char RULES_USAGE[] = "rules [--family ipv4|ipv6] [--state STATE] [--peer NAME] [--limit N]";
static const char RULE_USAGE[] =
    "rule show|del|suspend|resume|approve|dry-run|promote ID, or rule add 'TEXT', or rule check "
    "[--peer NAME] 'TEXT'";

struct rules_table {
    const struct fgctl *ctl;
    struct table *table;
    bool any, any_reason;
};

/* "rejected: unsupported-action": the state and, where the line has room, the stable word of its reason. */
static void state_text(const struct fgctl *ctl, const json_t *rule, char *text, size_t size)
{
    bool room = ctl->form.width == 0 || ctl->form.width >= WIDE;
    const char *reason = room ? get_text(rule, "reason") : "";

    int word = (int)strcspn(reason, ":");

    /* never-matches is the word of its own reason */
    if (reason[0] == '\0' || strncmp(reason, get_text(rule, "state"), (size_t)word) == 0)
        snprintf(text, size, "%s", get_text(rule, "state"));
    else
        snprintf(text, size, "%s: %.*s", get_text(rule, "state"), word, reason);
}

/* "rejected: policy: destination ...": the state and the whole reason, without a word twice. */
static void state_and_reason(const json_t *rule, char *text, size_t size)
{
    const char *state = get_text(rule, "state"), *reason = get_text(rule, "reason");
    size_t len = strlen(state);

    if (strncmp(reason, state, len) == 0 && reason[len] == ':')
        snprintf(text, size, "%s", reason);
    else
        snprintf(text, size, "%s%s%s", state, reason[0] ? ": " : "", reason);
}

/* "12 s ago", from a time of the API; "never" for none. */
static void age_text(const char *when, char *text, size_t size)
{
    char duration[NUMBER_TEXT_SIZE];
    struct tm tm = {0};

    if (strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL) {
        snprintf(text, size, "never");
        return;
    }
    time_t then = timegm(&tm), now = time(NULL);
    snprintf(text, size, "%s ago", number_duration(now > then ? (uint64_t)(now - then) : 0, duration));
}

/* The match, behind VRF and route distinguisher where it has one. */
static const char *match_text(const json_t *rule, char *text, size_t size)
{
    const char *vrf = get_text(rule, "vrf"), *rd = get_text(rule, "rd"), *match = get_text(rule, "match");

    if (rd[0] == '\0' || strlen(match) + strlen(vrf) + strlen(rd) + 16 > size)
        return match;
    snprintf(text, size, "%s%s: rd %s %s", vrf[0] != '\0' ? "vrf " : "no vrf", vrf, rd, match);
    return text;
}

static bool narrow(const struct fgctl *ctl)
{
    return ctl->form.width > 0 && ctl->form.width < NARROW;
}

static void add_rule(void *ctx, const json_t *rule)
{
    struct rules_table *t = ctx;
    char text[1024];
    const char *state = get_text(rule, "state");

    table_cellf(t->table, "%" JSON_INTEGER_FORMAT, get_int(rule, "id"));
    table_cell(t->table, strcmp(get_text(rule, "family"), "ipv6") == 0 ? "v6" : "v4");
    table_cell(t->table, match_text(rule, text, sizeof text));
    actions_text(json_object_get(rule, "actions"), text, sizeof text);
    table_cell(t->table, text);
    const json_t *source = json_object_get(rule, "source");
    table_cell(t->table, get_text(source, strcmp(get_text(source, "kind"), "bgp") == 0 ? "peer" : "kind"));
    state_text(t->ctl, rule, text, sizeof text);
    table_cell_styled(t->table, state_style(state), text);
    table_number(t->table, (uint64_t)get_int(rule, "packets"));
    table_number(t->table, (uint64_t)get_int(rule, "dropped_packets"));
    if (!narrow(t->ctl)) {
        table_cell(t->table, number_si((double)get_int(rule, "bytes"), "B", text));
        age_text(get_text(rule, "last_hit"), text, sizeof text);
        table_cell(t->table, text);
    }
    t->any = true;
    t->any_reason = t->any_reason || get_text(rule, "reason")[0] != '\0';
    if (table_rows(t->table) == ROWS_AT_A_TIME)
        table_print(t->table, stdout, &t->ctl->form);
}

static enum fgctl_status show_rules(const struct fgctl *ctl, json_t *request)
{
    static const struct table_column COLUMNS[] = {{.title = "ID", .right = true},
                                                  {.title = "IP"},
                                                  {.title = "MATCH", .wrap = true},
                                                  {.title = "ACTIONS"},
                                                  {.title = "FROM"},
                                                  {.title = "STATE"},
                                                  {.title = "PACKETS", .right = true},
                                                  {.title = "DROPPED", .right = true},
                                                  {.title = "BYTES", .right = true},
                                                  {.title = "LAST HIT", .right = true}};
    size_t columns = sizeof COLUMNS / sizeof COLUMNS[0] - (narrow(ctl) ? 2 : 0);
    struct rules_table t = {.ctl = ctl, .table = table_create(COLUMNS, columns)};
    bool filtered = json_object_size(request) > 0;

    if (t.table == NULL) {
        json_decref(request);
        return fgctl_refuse("memory is short");
    }
    enum fgctl_status status = client_each(ctl, "rules", request, add_rule, &t);
    if (table_rows(t.table) > 0)
        table_print(t.table, stdout, &ctl->form);
    table_free(t.table);
    if (status != FGCTL_DONE)
        return status;
    if (!t.any)
        printf(filtered ? "no such rules\n" : "no rules\n");
    if (t.any_reason)
        printf("\n`fgctl rule show ID` says why a rule is not enforced.\n");
    return status;
}

enum fgctl_status cmd_rules(struct fgctl *ctl, struct args *args)
{
    const char *family = NULL, *state = NULL, *peer = NULL;
    unsigned long long limit = 0;

    if (!args_option(args, "--family", &family) || !args_option(args, "--state", &state) ||
        !args_option(args, "--peer", &peer) || !args_number(args, "--limit", 1, &limit) ||
        !args_left(args, 0, 0, RULES_USAGE))
        return FGCTL_REFUSED;

    json_t *request = json_object();
    if (family != NULL)
        json_object_set_new(request, "family", json_string(family));
    if (state != NULL)
        json_object_set_new(request, "state", json_string(state));
    if (peer != NULL)
        json_object_set_new(request, "peer", json_string(peer));
    if (limit > 0)
        json_object_set_new(request, "limit", json_integer((json_int_t)limit));
    return ctl->json ? client_pass(ctl, "rules", request) : show_rules(ctl, request);
}

/* "room for 1 500 of 1 500 octets, 0 of 1 packets at this moment" */
static void add_limit(struct table *details, const json_t *limit)
{
    static const struct {
        const char *room, *burst, *unit;
    } kinds[] = {{"room_bytes", "burst_bytes", "octets"}, {"room_packets", "burst_packets", "packets"}};
    char text[256], number[2][NUMBER_TEXT_SIZE];
    struct strbuf sb = sb_init(text, sizeof text);
    json_t *source;
    size_t index;

    if (limit == NULL)
        return;
    for (size_t i = 0; i < 2; i++) {
        if (json_object_get(limit, kinds[i].burst) == NULL)
            continue;
        sb_printf(&sb, "%s%s of %s %s", text[0] != '\0' ? ", " : "room for ",
                  number_group((uint64_t)get_int(limit, kinds[i].room), number[0]),
                  number_group((uint64_t)get_int(limit, kinds[i].burst), number[1]), kinds[i].unit);
    }
    if (text[0] != '\0')
        details_add(details, "limit", "%s at this moment", text);
    json_array_foreach(json_object_get(limit, "per_source"), index, source)
        details_add(details, "limit per source", "%s of %s sources are followed (%s)",
                    number_group((uint64_t)get_int(source, "tracked"), number[0]),
                    number_group((uint64_t)get_int(source, "sources"), number[1]), get_text(source, "counts"));
}

static void add_vrf(struct table *details, const json_t *rule)
{
    const char *rd = get_text(rule, "rd"), *vrf = get_text(rule, "vrf");
    char text[512];

    if (rd[0] == '\0')
        return;
    actions_text(json_object_get(rule, "route_targets"), text, sizeof text);
    details_add(details, "route distinguisher", "%s, route targets %s", rd, text[0] != '\0' ? text : "none");
    details_add(details, "in force in", "%s%s", vrf[0] != '\0' ? "VRF " : "no VRF", vrf);
}

static void show_rule(const struct fgctl *ctl, const json_t *rule)
{
    char text[1024], age[64], number[2][NUMBER_TEXT_SIZE];
    struct table *details = details_create();

    if (details == NULL)
        return;
    printf("rule %" JSON_INTEGER_FORMAT "\n", get_int(rule, "id"));
    table_cell(details, "match");
    table_cell(details, get_text(rule, "match")); /* of any length */
    add_vrf(details, rule);
    actions_text(json_object_get(rule, "actions"), text, sizeof text);
    details_add(details, "actions", "%s", text);
    table_cell(details, "state");
    state_and_reason(rule, text, sizeof text);
    table_cell_styled(details, state_style(get_text(rule, "state")), text);
    source_text(json_object_get(rule, "source"), text, sizeof text);
    age_text(get_text(rule, "since"), age, sizeof age);
    details_add(details, "from", "%s, first seen %s", text, age);
    details_add(details, "order", "%s, %" JSON_INTEGER_FORMAT " %s before it", get_text(rule, "family"),
                get_int(rule, "rank"), plural(get_int(rule, "rank"), "rule", "rules"));
    details_add(details, "matched", "%s %s, %s octets", number_group((uint64_t)get_int(rule, "packets"), number[0]),
                plural(get_int(rule, "packets"), "packet", "packets"),
                number_group((uint64_t)get_int(rule, "bytes"), number[1]));
    details_add(details, "dropped", "%s %s, %s octets",
                number_group((uint64_t)get_int(rule, "dropped_packets"), number[0]),
                plural(get_int(rule, "dropped_packets"), "packet", "packets"),
                number_group((uint64_t)get_int(rule, "dropped_bytes"), number[1]));
    add_limit(details, json_object_get(rule, "limit"));
    age_text(get_text(rule, "last_hit"), age, sizeof age);
    details_add(details, "last hit", "%s", age);
    table_cell(details, "nlri");
    table_cell(details, get_text(rule, "nlri"));
    details_print(ctl, details);
}

static void say_added(const struct fgctl *ctl, const json_t *rule)
{
    char text[2048];

    (void)ctl;
    state_and_reason(rule, text, sizeof text);
    printf("rule %" JSON_INTEGER_FORMAT " added, %s\n", get_int(rule, "id"), text);
}

static void say_deleted(const struct fgctl *ctl, const json_t *answer)
{
    (void)ctl;
    printf("rule %" JSON_INTEGER_FORMAT " %s\n", get_int(answer, "id"),
           json_is_true(json_object_get(answer, "remains"))
               ? "is no longer announced here, and stays: it is announced elsewhere, too"
               : "deleted");
}

static void say_state(const struct fgctl *ctl, const json_t *rule)
{
    char text[2048];

    (void)ctl;
    state_and_reason(rule, text, sizeof text);
    printf("rule %" JSON_INTEGER_FORMAT " is %s\n", get_int(rule, "id"), text);
}

static void say_checked(const struct fgctl *ctl, const json_t *answer)
{
    static const struct table_column COLUMNS[] = {
        {.title = "STEP"}, {.title = "VERDICT"}, {.title = "REASON", .wrap = true}};
    struct table *table = table_create(COLUMNS, 3);
    char actions[512], text[2048];
    size_t i;
    json_t *step;

    if (table == NULL)
        return;
    actions_text(json_object_get(answer, "actions"), actions, sizeof actions);
    printf("%s: match %s then %s\n\n", get_text(answer, "family"), get_text(answer, "match"), actions);
    json_array_foreach(json_object_get(answer, "steps"), i, step)
    {
        const char *state = get_text(step, "state");
        table_cell(table, get_text(step, "step"));
        const char *reason = get_text(step, "reason");
        bool ok = strcmp(state, "active") == 0;
        table_cell_styled(table, state_style(state), !ok ? state : reason[0] ? "warning" : "ok");
        table_cell(table, reason);
    }
    table_print(table, stdout, &ctl->form);
    table_free(table);
    state_and_reason(answer, text, sizeof text);
    printf("\nThis rule would be %s.\n", text);
}

/* What `fgctl rule VERB` asks, and how the answer is told. */
static const struct verb {
    const char *name, *command;
    bool text; /* takes rule text, not an id */
    void (*say)(const struct fgctl *ctl, const json_t *answer);
} VERBS[] = {
    {"show", "rule-show", false, show_rule},       {"add", "rule-add", true, say_added},
    {"del", "rule-del", false, say_deleted},       {"check", "rule-check", true, say_checked},
    {"suspend", "rule-suspend", false, say_state}, {"resume", "rule-resume", false, say_state},
    {"approve", "rule-approve", false, say_state}, {"dry-run", "rule-dry-run", false, say_state},
    {"promote", "rule-promote", false, say_state},
};

/* The request's arguments, or NULL after a line on stderr. */
static json_t *verb_request(const struct verb *verb, const struct args *args)
{
    unsigned long long id;

    if (!verb->text && (!number_parse(args->word[1], &id) || id == 0)) {
        fgctl_refuse("'%s' is no rule id: `fgctl rules` lists them", args->word[1]);
        return NULL;
    }
    if (!verb->text)
        return json_pack("{s:I}", "id", (json_int_t)id);
    char *text = args_join(args, 1);
    json_t *request = text != NULL ? json_pack("{s:s}", "rule", text) : NULL;
    free(text);
    if (request == NULL)
        fgctl_refuse("the rule is not UTF-8, or memory is short");
    return request;
}

enum fgctl_status cmd_rule(struct fgctl *ctl, struct args *args)
{
    const struct verb *verb = NULL;
    const char *peer = NULL;

    if (args->count > 0 && strcmp(args->word[0], "check") == 0 && !args_option(args, "--peer", &peer))
        return FGCTL_REFUSED;
    for (size_t i = 0; args->count > 0 && i < sizeof VERBS / sizeof VERBS[0]; i++)
        if (strcmp(VERBS[i].name, args->word[0]) == 0)
            verb = &VERBS[i];
    if (args->count > 0 && verb == NULL)
        return fgctl_refuse("rule has no '%s'; usage: fgctl %s", args->word[0], RULE_USAGE);
    if (!args_left(args, 2, verb != NULL && verb->text ? args->count : 2, RULE_USAGE))
        return FGCTL_REFUSED;
    json_t *request = verb_request(verb, args), *answer;
    if (request == NULL)
        return FGCTL_REFUSED;
    if (peer != NULL)
        json_object_set_new(request, "peer", json_string(peer));
    if (ctl->json)
        return client_pass(ctl, verb->command, request);
    enum fgctl_status status = client_call(ctl, verb->command, request, &answer);
    if (status == FGCTL_DONE)
        verb->say(ctl, answer);
    json_decref(answer);
    return status;
}
