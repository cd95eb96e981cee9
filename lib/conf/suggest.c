/* SPDX-License-Identifier: BSD-3-Clause */
/* Did you mean: edits between two words, a swap of neighbours being one (optimal string alignment). */
#include <string.h>

#include "conf/schema.h"

#define WORD_MAX 40 /* longer ones are no typing errors of ours */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

static unsigned edits(const char *a, const char *b)
{
    unsigned cost[WORD_MAX + 1][WORD_MAX + 1];
    size_t m = strlen(a);
    size_t n = strlen(b);

    if (m > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    for (size_t i = 0; i <= m; i++)
        cost[i][0] = (unsigned)i;
    for (size_t j = 0; j <= n; j++)
        cost[0][j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        for (size_t j = 1; j <= n; j++) {
            cost[i][j] = min3(cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && cost[i - 2][j - 2] + 1 < cost[i][j])
                cost[i][j] = cost[i - 2][j - 2] + 1;
        }
    }
    return cost[m][n];
}

const char *cfg_suggest(const char *word, cfg_word_fn get, const void *words)
{
    const char *best = NULL;
    unsigned best_edits = (unsigned)(strlen(word) / 3) + 1;

    for (size_t i = 0;; i++) {
        const char *candidate = get(words, i);
        if (!candidate)
            return best;
        unsigned n = edits(word, candidate);
        if (n <= best_edits && n < strlen(candidate)) {
            /* a strictly better one, or the first of equals */
            if (!best || n < best_edits)
                best = candidate;
            best_edits = n;
        }
    }
}
