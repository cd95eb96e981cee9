/* SPDX-License-Identifier: BSD-3-Clause */
/* Walks over the YAML files of a folder. Include after cm.h. */
#ifndef UNIT_CONF_YAML_DIR_H
#define UNIT_CONF_YAML_DIR_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Gives each file, by name, to `judge`, which says how much is wrong with it. The sum; *files is how many there were.
 */
static unsigned judge_yaml_files(const char *dir, unsigned (*judge)(const char *path), unsigned *files)
{
    struct dirent **entries;
    unsigned wrong = 0;
    int count = scandir(dir, &entries, NULL, alphasort);

    assert_true(count > 0);
    *files = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t len = strlen(name);
        char path[1024];
        if (len > 5 && strcmp(name + len - 5, ".yaml") == 0) {
            snprintf(path, sizeof path, "%s/%s", dir, name);
            wrong += judge(path);
            ++*files;
        }
        free(entries[i]);
    }
    free(entries);
    return wrong;
}

#endif
