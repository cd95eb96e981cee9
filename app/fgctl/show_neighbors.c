/* SPDX-License-Identifier: BSD-3-Clause */
/* fgctl neighbors: hosts on the networks of the ports. */
#include <string.h>

#include "client.h"

/* Seconds as people read them: "42s", "3m 05s", "2h 07m". */
static void age_cell(struct table *table, const json_t *age)
{
    json_int_t s = json_integer_value(age);

    if (!json_is_integer(age))
        table_cell(table, "-");
    else if (s < 60)
        table_cellf(table, "%" JSON_INTEGER_FORMAT "s", s);
    else if (s < 3600)
        table_cellf(table, "%" JSON_INTEGER_FORMAT "m %02" JSON_INTEGER_FORMAT "s", s / 60, s % 60);
    else
        table_cellf(table, "%" JSON_INTEGER_FORMAT "h %02" JSON_INTEGER_FORMAT "m", s / 3600, s / 60 % 60);
}

static void show(const struct fgctl *ctl, const json_t *neighbors)
{
    static const struct table_column COLUMNS[] = {
        {.title = "ADDRESS"}, {.title = "PORT"}, {.title = "MAC"}, {.title = "STATE"}, {.title = "AGE", .right = true},
    };
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    json_t *neighbor;
    size_t i;

    if (table == NULL)
        return;
    json_array_foreach((json_t *)(uintptr_t)neighbors, i, neighbor)
    {
        const char *mac = get_text(neighbor, "mac");
        bool asked = strcmp(get_text(neighbor, "state"), "asked") == 0;
        table_cell(table, get_text(neighbor, "address"));
        table_cell(table, get_text(neighbor, "port"));
        table_cell(table, mac[0] != '\0' ? mac : "-");
        table_cell_styled(table, asked ? TABLE_YELLOW : TABLE_PLAIN, get_text(neighbor, "state"));
        age_cell(table, json_object_get(neighbor, "age_s"));
    }
    if (table_rows(table) == 0)
        printf("no neighbors\n");
    else
        table_print(table, stdout, &ctl->form);
    table_free(table);
}

enum fgctl_status cmd_neighbors(struct fgctl *ctl, struct args *args)
{
    json_t *neighbors;

    if (!args_left(args, 0, 0, "neighbors"))
        return FGCTL_REFUSED;
    if (ctl->json)
        return client_pass(ctl, "neighbors", NULL);
    enum fgctl_status status = client_call(ctl, "neighbors", NULL, &neighbors);
    if (status == FGCTL_DONE)
        show(ctl, neighbors);
    json_decref(neighbors);
    return status;
}
