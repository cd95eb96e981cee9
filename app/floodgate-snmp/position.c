/* SPDX-License-Identifier: BSD-3-Clause */
#include "position.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

bool positions_load(const char *path, struct positions *out)
{
    FILE *file = fopen(path, "re");
    char line[128] = "";
    struct positions read;
    int end = 0;

    if (file == NULL && errno != ENOENT)
        say("%s: %s", path, strerror(errno));
    if (file == NULL)
        return false;
    bool any = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    if (any &&
        sscanf(line, "floodgate-snmp positions %" SCNu64 " %" SCNu64 " end%n", &read.decisions, &read.verdicts, &end) ==
            2 &&
        end > 0) {
        *out = read;
        return true;
    }
    say("%s: this is no file of positions; it is written anew", path);
    return false;
}

int positions_save(const char *path, const struct positions *positions)
{
    char temporary[PATH_MAX];
    int error = 0;

    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    FILE *file = fopen(temporary, "we");
    if (file == NULL)
        return -errno;
    if (fprintf(file, "floodgate-snmp positions %" PRIu64 " %" PRIu64 " end\n", positions->decisions,
                positions->verdicts) < 0)
        error = -EIO;
    if (fclose(file) != 0 && error == 0)
        error = -errno;
    if (error == 0 && rename(temporary, path) < 0)
        error = -errno;
    if (error < 0)
        unlink(temporary);
    return error;
}
