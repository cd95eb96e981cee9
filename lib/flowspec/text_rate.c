/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates as text. On the wire they are single-precision floats (RFC 8955 7.1, 7.2); text must come back as the same one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "flowspec/text_action.h"

#define DIGITS_MAX 80 /* the largest float has 39 digits */

struct unit {
    const char *name;
    double scale; /* bytes or packets per second in one of it */
    bool packets;
};

/* Largest first within each kind. A name that ends another one comes after it. */
static const struct unit UNITS[] = {
    {"gbps", 1e9 / 8, false}, {"mbps", 1e6 / 8, false}, {"kbps", 1e3 / 8, false}, {"bps", 1.0 / 8, false},
    {"Bps", 1, false},        {"mpps", 1e6, true},      {"kpps", 1e3, true},      {"pps", 1, true},
};

#define UNIT_COUNT (sizeof UNITS / sizeof UNITS[0])

/* Units of 1000 and up only where they give whole numbers; the plain unit takes whatever is left. */
static void rate_format(float rate, bool packets, struct strbuf *out)
{
    const struct unit *unit = NULL;

    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (UNITS[i].packets != packets)
            continue;
        if (UNITS[i].scale == 1) {
            unit = &UNITS[i];
            break;
        }
        if (UNITS[i].scale > 1 && rate > 0 && fmod((double)rate, UNITS[i].scale) == 0) {
            unit = &UNITS[i];
            break;
        }
    }
    double count = (double)rate / unit->scale;
    sb_printf(out, fmod(count, 1) == 0 ? "%.0f%s" : "%.9g%s", count, unit->name);
}

void fs_rate_bytes_format(float rate_bytes_per_s, struct strbuf *out)
{
    rate_format(rate_bytes_per_s, false, out);
}

void fs_rate_packets_format(float rate_packets_per_s, struct strbuf *out)
{
    rate_format(rate_packets_per_s, true, out);
}

/* Length of a plain decimal number, with a fraction and an exponent if it likes. */
static size_t number_length(struct fs_word word)
{
    size_t i = 0;

    while (i < word.len && word.at[i] >= '0' && word.at[i] <= '9')
        i++;
    if (i == 0)
        return 0;
    if (i + 1 < word.len && word.at[i] == '.' && word.at[i + 1] >= '0' && word.at[i + 1] <= '9')
        for (i++; i < word.len && word.at[i] >= '0' && word.at[i] <= '9';)
            i++;
    if (i < word.len && word.at[i] == 'e') {
        size_t exponent = i + 1;

        if (exponent < word.len && (word.at[exponent] == '+' || word.at[exponent] == '-'))
            exponent++;
        if (exponent < word.len && word.at[exponent] >= '0' && word.at[exponent] <= '9')
            for (i = exponent; i < word.len && word.at[i] >= '0' && word.at[i] <= '9';)
                i++;
    }
    return i;
}

const char *fs_rate_parse(struct fs_word word, float *rate, bool *is_packets)
{
    struct fs_word number = {.at = word.at, .len = number_length(word)};
    struct fs_word name = {.at = word.at + number.len, .len = word.len - number.len};
    const struct unit *unit = NULL;
    char digits[DIGITS_MAX];

    for (size_t i = 0; i < UNIT_COUNT && !unit; i++)
        if (fs_word_is(name, UNITS[i].name))
            unit = &UNITS[i];
    if (!unit || !fs_word_copy(number, digits, sizeof digits) || number.len == 0)
        return "write a number and one of kbps mbps gbps (bits/s), Bps (bytes/s), pps kpps mpps (packets/s)";

    double value = strtod(digits, NULL) * unit->scale;
    *rate = (float)value;
    *is_packets = unit->packets;
    if (!isfinite(*rate))
        return "the rate is too high for BGP, which carries up to 3.4e38";
    if (value > 0 && *rate == 0)
        return "the rate is too low for BGP; discard drops everything";
    return NULL;
}
