/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/table.h"
#include "control/control.h"
#include "dataplane/dataplane.h"
#include "flowspec/text.h"
#include "manage/json_punts.h"
#include "manage/json_rules.h"
#include "manage/json_state.h"

#define MATCH_SHOWN    512  /* octets of a rule's text in the table */
#define ROWS_AT_A_TIME 4096 /* rules held before they are printed */

static void totals_row(struct table *table, const char *what, uint64_t packets, const char *bytes, const char *note)
{
    table_cell(table, what);
    table_number(table, packets);
    table_cell(table, bytes);
    table_cell(table, note);
}

static void print_totals(FILE *out, const struct cnt_port_sum *sum, const struct table_form *form)
{
    static const struct table_column COLUMNS[] = {
        {.title = "TOTALS"}, {.title = "PACKETS", .right = true}, {.title = "BYTES", .right = true}, {.title = ""}};
    struct table *table = table_create(COLUMNS, 4);
    char bytes[NUMBER_TEXT_SIZE], name[64];

    if (table == NULL)
        return;
    totals_row(table, "received", sum->rx_packets, number_group(sum->rx_bytes, bytes), "");
    if (sum->originated_packets > 0)
        totals_row(table, "originated", sum->originated_packets, "", "");
    totals_row(table, "sent", sum->tx_packets, number_group(sum->tx_bytes, bytes), "");
    if (sum->punted_packets > 0)
        totals_row(table, "punted", sum->punted_packets, "", "to the router itself");
    for (unsigned reason = 0; reason < CNT_DROP_COUNT; reason++) {
        if (sum->drops[reason] == 0)
            continue;
        snprintf(name, sizeof name, "dropped: %s", cnt_drop_name(reason));
        totals_row(table, name, sum->drops[reason], "", cnt_drop_help(reason));
    }
    table_print(table, out, form);
    table_free(table);
    if (!cnt_port_sum_balanced(sum))
        fprintf(out,
                "These totals do not add up (received + originated = sent + punted + dropped): please report it.\n");
}

/* The table of rules under way, and how many rules there were in all. */
struct rules_print {
    const struct dataplane *dp;
    struct table *table;
    FILE *out;
    const struct table_form *form;
    uint64_t rules, hit, idle, asleep; /* in all, hit, in force and not hit, not in force */
};

static void print_rule(void *ctx, const struct rule *rule, uint32_t rank)
{
    struct rules_print *print = ctx;
    struct cnt_rule_sum sum;
    char match[MATCH_SHOWN], actions[256];
    struct strbuf match_sb = sb_init(match, sizeof match), actions_sb = sb_init(actions, sizeof actions);

    (void)rank;
    print->rules++;
    dataplane_rule_counters(print->dp, rule->id, &sum);
    if (sum.packets == 0) {
        *(rule->in_force ? &print->idle : &print->asleep) += 1;
        return;
    }
    print->hit++;
    fs_match_format(rule->match, &match_sb);
    if (sb_truncated(&match_sb))
        strcpy(match + sizeof match - 4, "...");
    fs_actions_format(&rule->actions, &actions_sb);
    table_cellf(print->table, "%u", rule->id);
    table_cell(print->table, match);
    table_cell(print->table, actions);
    table_number(print->table, sum.packets);
    table_number(print->table, sum.bytes);
    table_number(print->table, sum.dropped_packets);
    if (table_rows(print->table) == ROWS_AT_A_TIME)
        table_print(print->table, print->out, print->form);
}

static void walk_rules(const struct control *control, void (*emit)(void *, const struct rule *, uint32_t), void *ctx)
{
    struct rule_filter all = {.family = IP_NONE, .state = -1, .limit = UINT64_MAX};
    struct rule_walk *walk = rule_walk_create(control_rules(control), &all);

    if (walk != NULL)
        while (rule_walk_slice(walk, ROWS_AT_A_TIME, emit, ctx))
            ;
    rule_walk_free(walk);
}

static void print_rules(FILE *out, const struct dataplane *dp, const struct control *control,
                        const struct table_form *form)
{
    static const struct table_column COLUMNS[] = {
        {.title = "RULE", .right = true},    {.title = "MATCH", .wrap = true},  {.title = "ACTIONS"},
        {.title = "PACKETS", .right = true}, {.title = "BYTES", .right = true}, {.title = "DROPPED", .right = true}};
    struct rules_print print = {.dp = dp, .table = table_create(COLUMNS, 6), .out = out, .form = form};
    char count[NUMBER_TEXT_SIZE];

    if (print.table == NULL)
        return;
    fputc('\n', out);
    walk_rules(control, print_rule, &print);
    if (table_rows(print.table) > 0)
        table_print(print.table, out, form);
    if (print.rules == 0)
        fprintf(out, "no rules\n");
    if (print.idle > 0)
        fprintf(out, "%s %s%s matched nothing\n", number_group(print.idle, count), print.hit > 0 ? "more " : "",
                print.idle == 1 ? "rule" : "rules");
    if (print.asleep > 0)
        fprintf(out, "%s %s not enforced\n", number_group(print.asleep, count),
                print.asleep == 1 ? "rule was" : "rules were");
    table_free(print.table);
}

void stats_print(FILE *out, const struct dataplane *dp, const struct control *control)
{
    struct table_form form = table_form_of(out);
    struct cnt_port_sum sum;

    dataplane_counters(dp, &sum);
    print_totals(out, &sum, &form);
    print_rules(out, dp, control, &form);
    fflush(out);
}

struct rules_write {
    const struct dataplane *dp;
    FILE *out;
    bool first;
    int error; /* -errno of the first write that failed */
};

static void write_rule(void *ctx, const struct rule *rule, uint32_t rank)
{
    struct rules_write *to = ctx;
    json_t *json = json_rule(rule, rank, to->dp);

    errno = 0;
    fputs(to->first ? "\n" : ",\n", to->out);
    to->first = false;
    if (json_dumpf(json, to->out, JSON_COMPACT) < 0 && to->error == 0)
        to->error = errno != 0 ? -errno : -ENOMEM;
    json_decref(json);
}

/* The counters' object is opened up again, so that the rules need not be held in memory at once. */
static int write_all(FILE *out, const struct dataplane *dp, const struct control *control)
{
    struct rules_write to = {.dp = dp, .out = out, .first = true};
    struct cnt_port_sum sum;

    dataplane_counters(dp, &sum);
    json_t *counters = json_counters(&sum);
    json_punts_add(counters, dp);
    char *text = json_dumps(counters, JSON_COMPACT);
    json_decref(counters);
    if (text == NULL)
        return -ENOMEM;
    fprintf(out, "%.*s,\n\"rules\":[", (int)strlen(text) - 1, text);
    free(text);
    walk_rules(control, write_rule, &to);
    fputs(to.first ? "]}\n" : "\n]}\n", out);
    return to.error != 0 ? to.error : ferror(out) ? -EIO : 0;
}

int stats_check(const char *file)
{
    FILE *out = fopen(file, "a");

    if (out == NULL)
        return -errno;
    fclose(out);
    return 0;
}

int stats_write(const char *file, const struct dataplane *dp, const struct control *control)
{
    FILE *out = fopen(file, "w");

    if (out == NULL)
        return -errno;
    int error = write_all(out, dp, control);
    if (fclose(out) != 0 && error == 0)
        error = -errno;
    return error;
}
