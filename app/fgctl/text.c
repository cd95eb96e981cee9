/* SPDX-License-Identifier: BSD-3-Clause */
/* What several commands say alike. */
#include <stdarg.h>
#include <string.h>

#include "base/strbuf.h"
#include "fgctl.h"

enum fgctl_status fgctl_refuse(const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    /* one line, and nothing that drives the terminal */
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    fflush(stdout);
    fprintf(stderr, "fgctl: %s\n", text);
    return FGCTL_REFUSED;
}

const char *plural(json_int_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

json_int_t get_int(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

double get_real(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

const char *get_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

json_int_t sum_of(const json_t *object)
{
    const char *name;
    json_t *value;
    json_int_t sum = 0;

    json_object_foreach((json_t *)(uintptr_t)object, name, value) sum += json_integer_value(value);
    return sum;
}

void source_text(const json_t *source, char *text, size_t size)
{
    const char *kind = get_text(source, "kind");

    if (strcmp(kind, "bgp") == 0)
        snprintf(text, size, "peer %s", get_text(source, "peer"));
    else
        snprintf(text, size, "%s", strcmp(kind, "config") == 0 ? "configuration" : "operator");
}

void actions_text(const json_t *actions, char *text, size_t size)
{
    struct strbuf sb = sb_init(text, size);
    size_t i;
    json_t *action;

    json_array_foreach((json_t *)(uintptr_t)actions, i, action)
        sb_printf(&sb, "%s%s", i > 0 ? " " : "", json_string_value(action));
}

struct table *details_create(void)
{
    static const struct table_column COLUMNS[] = {{.title = ""}, {.title = "", .wrap = true}};

    return table_create(COLUMNS, 2);
}

void details_add(struct table *details, const char *name, const char *fmt, ...)
{
    char text[4096];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    table_cell(details, name);
    table_cell(details, text);
}

void details_print(const struct fgctl *ctl, struct table *details)
{
    struct table_form form = ctl->form;

    form.indent = 2;
    form.no_header = true;
    table_print(details, stdout, &form);
    table_free(details);
}

enum table_style state_style(const char *state)
{
    if (strcmp(state, "active") == 0)
        return TABLE_GREEN;
    return strcmp(state, "rejected") == 0 ? TABLE_RED : TABLE_YELLOW;
}
