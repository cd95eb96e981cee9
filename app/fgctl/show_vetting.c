/* SPDX-License-Identifier: BSD-3-Clause */
/* fgctl kill-switch, journal: what watches over the rules. */
#include <string.h>

#include "client.h"

static const char KILL_USAGE[] = "kill-switch on|off [PEER]";
static const char JOURNAL_USAGE[] = "journal [--rule ID] [--peer NAME] [--step STEP] [--limit N]";

enum fgctl_status cmd_kill_switch(struct fgctl *ctl, struct args *args)
{
    json_t *answer;

    if (!args_left(args, 1, 2, KILL_USAGE))
        return FGCTL_REFUSED;
    json_t *request = json_pack("{s:s}", "action", args->word[0]);
    if (args->count == 2)
        json_object_set_new(request, "peer", json_string(args->word[1]));
    if (ctl->json)
        return client_pass(ctl, "kill-switch", request);
    enum fgctl_status status = client_call(ctl, "kill-switch", request, &answer);
    if (status == FGCTL_DONE) {
        const char *peer = get_text(answer, "peer");
        bool on = strcmp(get_text(answer, "kill_switch"), "on") == 0;
        printf("kill-switch%s%s %s%s: %s\n", peer[0] ? " of peer " : "", peer,
               json_is_true(json_object_get(answer, "changed")) ? "is " : "was already ", on ? "on" : "off",
               !on       ? "rules are enforced"
               : peer[0] ? "none of its rules is enforced"
                         : "no rule is enforced; forwarding and sessions go on");
    }
    json_decref(answer);
    return status;
}

struct journal_table {
    const struct fgctl *ctl;
    struct table *table;
};

static void add_entry(void *ctx, const json_t *entry)
{
    struct journal_table *t = ctx;
    const char *state = get_text(entry, "state"), *reason = get_text(entry, "reason");
    json_int_t rule = get_int(entry, "rule");
    char text[4096];

    table_cell(t->table, get_text(entry, "time"));
    table_cell(t->table, get_text(entry, "peer")[0] ? get_text(entry, "peer") : "-");
    if (rule != 0)
        table_cellf(t->table, "%" JSON_INTEGER_FORMAT, rule);
    else
        table_cell(t->table, "-");
    table_cell(t->table, get_text(entry, "event"));
    table_cell(t->table, get_text(entry, "step")[0] ? get_text(entry, "step") : "-");
    table_cell(t->table, get_text(entry, "by"));
    table_cell_styled(t->table, state_style(state), state);
    snprintf(text, sizeof text, "%s%s%s", get_text(entry, "text"), reason[0] ? " | " : "", reason);
    table_cell(t->table, text);
}

static enum fgctl_status show_journal(const struct fgctl *ctl, json_t *request)
{
    static const struct table_column COLUMNS[] = {{.title = "TIME"},
                                                  {.title = "PEER"},
                                                  {.title = "RULE", .right = true},
                                                  {.title = "EVENT"},
                                                  {.title = "STEP"},
                                                  {.title = "BY"},
                                                  {.title = "STATE"},
                                                  {.title = "RULE AND REASON", .wrap = true}};
    struct journal_table t = {.ctl = ctl, .table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0])};

    if (t.table == NULL) {
        json_decref(request);
        return fgctl_refuse("memory is short");
    }
    enum fgctl_status status = client_each(ctl, "journal", request, add_entry, &t);
    if (status == FGCTL_DONE && table_rows(t.table) > 0)
        table_print(t.table, stdout, &ctl->form);
    else if (status == FGCTL_DONE)
        printf("no such entries\n");
    table_free(t.table);
    return status;
}

enum fgctl_status cmd_journal(struct fgctl *ctl, struct args *args)
{
    const char *peer = NULL, *step = NULL;
    unsigned long long rule = 0, limit = 0;

    if (!args_number(args, "--rule", 1, &rule) || !args_option(args, "--peer", &peer) ||
        !args_option(args, "--step", &step) || !args_number(args, "--limit", 1, &limit) ||
        !args_left(args, 0, 0, JOURNAL_USAGE))
        return FGCTL_REFUSED;

    json_t *request = json_object();
    if (rule > 0)
        json_object_set_new(request, "rule", json_integer((json_int_t)rule));
    if (peer != NULL)
        json_object_set_new(request, "peer", json_string(peer));
    if (step != NULL)
        json_object_set_new(request, "step", json_string(step));
    if (limit > 0)
        json_object_set_new(request, "limit", json_integer((json_int_t)limit));
    return ctl->json ? client_pass(ctl, "journal", request) : show_journal(ctl, request);
}
