/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as people read them: the second half of base/table.h. */
#include <inttypes.h>
#include <string.h>

#include "base/table.h"

char *number_group(uint64_t value, char *text)
{
    char digits[NUMBER_TEXT_SIZE];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, value);
    char *to = text;

    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

char *number_si(double value, const char *unit, char *text)
{
    static const char *const PREFIXES[] = {"", "k", "M", "G", "T", "P"};
    size_t prefix = 0;

    /* 999.5 would be rounded to "1000" */
    while (value >= 999.5 && prefix + 1 < sizeof PREFIXES / sizeof PREFIXES[0]) {
        value /= 1000;
        prefix++;
    }
    int decimals = prefix == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, NUMBER_TEXT_SIZE, "%.*f %s%s", decimals, value, PREFIXES[prefix], unit);
    return text;
}

char *number_duration(uint64_t seconds, char *text)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } UNITS[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t unit = 0;

    while (unit < 3 && seconds < UNITS[unit].seconds)
        unit++;
    uint64_t large = seconds / UNITS[unit].seconds;
    uint64_t small = unit < 3 ? seconds % UNITS[unit].seconds / UNITS[unit + 1].seconds : 0;
    if (small == 0)
        snprintf(text, NUMBER_TEXT_SIZE, "%" PRIu64 " %s", large, UNITS[unit].name);
    else
        snprintf(text, NUMBER_TEXT_SIZE, "%" PRIu64 " %s %" PRIu64 " %s", large, UNITS[unit].name, small,
                 UNITS[unit + 1].name);
    return text;
}
