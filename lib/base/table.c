/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP      2  /* blanks between columns */
#define WRAP_MIN 24 /* a wrapped column is never made narrower */

struct cell {
    char *text; /* NULL: empty */
    enum table_style style;
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    size_t widths[TABLE_COLUMNS_MAX]; /* widest cell so far, titles included */
    struct cell *cells;
    size_t cell_count, cell_room;
    bool header_printed;
    bool lost; /* memory ran short: cells would land in the wrong column from here on */
};

static const char *const STYLES[] = {
    [TABLE_PLAIN] = "",       [TABLE_BOLD] = "\033[1m",   [TABLE_DIM] = "\033[2m",
    [TABLE_RED] = "\033[31m", [TABLE_GREEN] = "\033[32m", [TABLE_YELLOW] = "\033[33m",
};

/* Columns a text takes: UTF-8 continuation octets take none. */
static size_t text_width(const char *text, size_t len)
{
    size_t width = 0;

    for (size_t i = 0; i < len; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

struct table_form table_form_of(FILE *out)
{
    struct table_form form = {.width = 0};
    const char *no_color = getenv("NO_COLOR");
    struct winsize size;

    if (!isatty(fileno(out))) {
        const char *columns = getenv("COLUMNS");
        form.width = columns != NULL ? (unsigned)strtoul(columns, NULL, 10) : 0;
        return form;
    }
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        form.width = size.ws_col;
    form.colour = no_color == NULL || no_color[0] == '\0';
    return form;
}

struct table *table_create(const struct table_column *columns, size_t count)
{
    struct table *table = count <= TABLE_COLUMNS_MAX ? calloc(1, sizeof *table) : NULL;

    if (table == NULL)
        return NULL;
    table->columns = columns;
    table->column_count = count;
    for (size_t i = 0; i < count; i++)
        table->widths[i] = strlen(columns[i].title);
    return table;
}

static void forget_cells(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i].text);
    table->cell_count = 0;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    forget_cells(table);
    free(table->cells);
    free(table);
}

void table_cell_styled(struct table *table, enum table_style style, const char *text)
{
    if (table->lost)
        return;
    if (table->cell_count == table->cell_room) {
        size_t room = table->cell_room ? table->cell_room * 2 : 64;
        struct cell *cells = realloc(table->cells, room * sizeof *cells);
        table->lost = table->lost || cells == NULL;
        if (table->lost)
            return;
        table->cells = cells;
        table->cell_room = room;
    }
    struct cell *cell = &table->cells[table->cell_count];
    size_t column = table->cell_count % table->column_count;
    *cell = (struct cell){.text = strdup(text), .style = style};
    table->cell_count++;
    if (cell->text == NULL)
        return;
    /* what comes from a peer must not drive the terminal */
    for (char *c = cell->text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    size_t width = text_width(text, strlen(text));
    if (width > table->widths[column])
        table->widths[column] = width;
}

void table_cell(struct table *table, const char *text)
{
    table_cell_styled(table, TABLE_PLAIN, text);
}

void table_number(struct table *table, uint64_t value)
{
    char text[NUMBER_TEXT_SIZE];

    table_cell(table, number_group(value, text));
}

void table_cellf(struct table *table, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    table_cell(table, text);
}

size_t table_rows(const struct table *table)
{
    return table->cell_count / table->column_count;
}

/* Octets of `text` that go on a line of `width` columns: up to a blank or comma where there is one. */
static size_t line_break(const char *text, size_t width)
{
    size_t end = 0, columns = 0, good = 0;

    while (text[end] != '\0' && columns < width) {
        end++;
        while (((unsigned char)text[end] & 0xc0) == 0x80)
            end++;
        columns++;
        if (text[end] == ' ' || text[end - 1] == ',')
            good = end;
    }
    if (text[end] == '\0')
        return end;
    return good > 0 ? good : end;
}

static void put_blanks(FILE *out, size_t count)
{
    for (; count > 0; count--)
        fputc(' ', out);
}

static void put_text(FILE *out, const struct table_form *form, enum table_style style, const char *text, size_t len)
{
    bool styled = form->colour && style != TABLE_PLAIN;

    if (styled)
        fputs(STYLES[style], out);
    fwrite(text, 1, len, out);
    if (styled)
        fputs("\033[0m", out);
}

/* Room for the wrapped column once all others have theirs; its own width where that fits. */
static size_t wrap_width(const struct table *table, const struct table_form *form)
{
    size_t others = form->indent, own = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].wrap)
            own = table->widths[i];
        else
            others += table->widths[i];
        others += i + 1 < table->column_count ? GAP : 0;
    }
    if (form->width == 0 || others + own <= form->width)
        return own;
    size_t least = own < WRAP_MIN ? own : WRAP_MIN;
    return form->width > others + least ? form->width - others : least;
}

/* One line of a row. `wrapped` is what is left of the wrapped cell and is moved on; other cells are on line 0 only. */
static void put_line(const struct table *table, const struct cell *cells, FILE *out, const struct table_form *form,
                     size_t room, const char **wrapped, bool line_0)
{
    size_t blanks = form->indent; /* owed before the next text: a line ends without any */

    for (size_t i = 0; i < table->column_count; i++) {
        const struct table_column *column = &table->columns[i];
        const char *text = line_0 && cells[i].text != NULL ? cells[i].text : "";
        size_t width = table->widths[i], len = strlen(text);
        if (column->wrap) {
            text = *wrapped;
            width = room;
            len = line_break(text, room);
            *wrapped += len;
            *wrapped += strspn(*wrapped, " ");
        }
        size_t taken = text_width(text, len), pad = width > taken ? width - taken : 0;
        if (len > 0) {
            put_blanks(out, blanks + (column->right ? pad : 0));
            put_text(out, form, cells[i].style, text, len);
            blanks = 0;
        }
        blanks += GAP + (len > 0 && column->right ? 0 : pad);
    }
    fputc('\n', out);
}

static void put_row(const struct table *table, const struct cell *cells, FILE *out, const struct table_form *form,
                    size_t room)
{
    const char *wrapped = "";

    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].wrap && cells[i].text != NULL)
            wrapped = cells[i].text;
    put_line(table, cells, out, form, room, &wrapped, true);
    while (*wrapped != '\0')
        put_line(table, cells, out, form, room, &wrapped, false);
}

static void put_header(const struct table *table, FILE *out, const struct table_form *form, size_t room)
{
    struct cell cells[TABLE_COLUMNS_MAX];

    for (size_t i = 0; i < table->column_count; i++)
        cells[i] = (struct cell){.text = (char *)(uintptr_t)table->columns[i].title, .style = TABLE_BOLD};
    put_row(table, cells, out, form, room);
}

void table_print(struct table *table, FILE *out, const struct table_form *form)
{
    size_t room = wrap_width(table, form);

    if (!table->header_printed && !form->no_header)
        put_header(table, out, form, room);
    table->header_printed = true;
    for (size_t row = 0; row < table_rows(table); row++)
        put_row(table, &table->cells[row * table->column_count], out, form, room);
    forget_cells(table);
}
