/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Aligned text tables and numbers as people read them.
 *
 * Cells are added row by row; table_print writes the rows added since the last call and remembers the widths, so that
 * a table too large to hold can be printed in pieces. With a width limit the column marked `wrap` is broken at blanks
 * into as many lines as it needs; without one (not a terminal) every row is one line, as grep wants it.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum table_style { TABLE_PLAIN, TABLE_BOLD, TABLE_DIM, TABLE_RED, TABLE_GREEN, TABLE_YELLOW };

struct table_column {
    const char *title;
    bool right; /* numbers: aligned to the right */
    bool wrap;  /* the one column that gives way where the line is too long */
};

struct table_form {
    unsigned indent; /* blanks before each line */
    unsigned width;  /* of a line at the most, indent included; 0: no limit */
    bool colour;     /* styles are written as terminal sequences; else they are not written */
    bool no_header;
};

/*
 * What suits `out`: a width and colours on a terminal (none where NO_COLOR is set). For files and pipes no colours,
 * and the width that COLUMNS asks for, if it does.
 */
struct table_form table_form_of(FILE *out);

struct table;

#define TABLE_COLUMNS_MAX 24

/* `columns`, TABLE_COLUMNS_MAX at the most, must outlive the table. NULL when memory is short. */
struct table *table_create(const struct table_column *columns, size_t count);
void table_free(struct table *table);

/*
 * Adds the next cell, left to right, then the next row. Control characters are replaced by blanks. When memory runs
 * short, the rows from there on are left out.
 */
void table_cell(struct table *table, const char *text);
void table_cell_styled(struct table *table, enum table_style style, const char *text);
void table_number(struct table *table, uint64_t value); /* with thousands separators */
__attribute__((format(printf, 2, 3))) void table_cellf(struct table *table, const char *fmt, ...);

/* Whole rows added and not yet printed. */
size_t table_rows(const struct table *table);

/* Prints and forgets the rows; the header before the first of them only. */
void table_print(struct table *table, FILE *out, const struct table_form *form);

#define NUMBER_TEXT_SIZE 32

/* "1,234,567"; returns `text` (NUMBER_TEXT_SIZE octets). */
char *number_group(uint64_t value, char *text);

/* "950 bit/s", "1.25 Mbit/s": three digits and an SI prefix before `unit`. */
char *number_si(double value, const char *unit, char *text);

/* "45 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
char *number_duration(uint64_t seconds, char *text);

#endif
