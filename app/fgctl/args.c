/* SPDX-License-Identifier: BSD-3-Clause */
#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fgctl.h"

static void remove_words(struct args *args, int at, int count)
{
    memmove(&args->word[at], &args->word[at + count], (size_t)(args->count - at - count) * sizeof args->word[0]);
    args->count -= count;
}

bool args_option(struct args *args, const char *name, const char **value)
{
    size_t len = strlen(name);
    bool taken = false;

    for (int i = 0; i < args->count;) {
        const char *word = args->word[i];
        bool apart = strcmp(word, name) == 0;
        if (!apart && !(strncmp(word, name, len) == 0 && word[len] == '=')) {
            i++;
            continue;
        }
        if (taken) {
            fgctl_refuse("%s is given twice", name);
            return false;
        }
        if (apart && i + 1 == args->count) {
            fgctl_refuse("%s needs a value", name);
            return false;
        }
        *value = apart ? args->word[i + 1] : word + len + 1;
        remove_words(args, i, apart ? 2 : 1);
        taken = true;
    }
    return true;
}

bool number_parse(const char *text, unsigned long long *value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value <= INT64_MAX;
}

bool args_number(struct args *args, const char *name, unsigned long long least, unsigned long long *value)
{
    const char *text = NULL;
    unsigned long long number;

    if (!args_option(args, name, &text))
        return false;
    if (text == NULL)
        return true;
    if (!number_parse(text, &number) || number < least) {
        fgctl_refuse("%s takes a whole number, %llu or above, not '%s'", name, least, text);
        return false;
    }
    *value = number;
    return true;
}

bool args_left(const struct args *args, int least, int most, const char *usage)
{
    for (int i = 0; i < args->count; i++) {
        if (strncmp(args->word[i], "--", 2) == 0) {
            fgctl_refuse("%s has no option %s; usage: fgctl %s", args->command, args->word[i], usage);
            return false;
        }
    }
    if (args->count >= least && args->count <= most)
        return true;
    if (args->count > most)
        fgctl_refuse("unexpected word '%s'; usage: fgctl %s", args->word[most], usage);
    else
        fgctl_refuse("usage: fgctl %s", usage);
    return false;
}

char *args_join(const struct args *args, int first)
{
    size_t size = 1;

    for (int i = first; i < args->count; i++)
        size += strlen(args->word[i]) + 1;
    char *text = malloc(size), *to = text;
    if (text == NULL)
        return NULL;
    *to = '\0';
    for (int i = first; i < args->count; i++) {
        if (i > first)
            *to++ = ' ';
        to = stpcpy(to, args->word[i]);
    }
    return text;
}
