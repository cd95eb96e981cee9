/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a file to struct cfg, in three passes: text to tree (yaml.c), tree to struct along the schema (schema.c and the
 * sections' tables), and what the sections say about one another (check.c). A later pass runs although an earlier one
 * found something, so that one run shows every problem.
 */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/schema.h"
#include "conf/tree.h"

static void read_tree(struct cfg_reader *reader, const struct cfg_tree *tree)
{
    static const struct cfg_key WHOLE = {.name = "the file",
                                         .set = cfg_set_map,
                                         .wants = "a map of sections (router, ports, ...)",
                                         .map = &cfg_root_map};

    if (!tree->root || cfg_node_empty(tree->root)) {
        cfg_problem_add(&reader->problems, 0, "the file is empty; it needs at least the sections router and ports");
        return;
    }
    tree->root->line = 1; /* what is missing is missing from the top */
    cfg_set_map(reader, &WHOLE, tree->root, reader->cfg);
    if (tree->root->kind == CFG_NODE_MAP)
        cfg_check(reader);
}

struct cfg *cfg_parse(const char *text, size_t len, const char *file, cfg_problem_fn problem, void *ctx)
{
    struct cfg_reader reader = {.cfg = calloc(1, sizeof *reader.cfg)};
    struct cfg_tree tree = {0};

    if (!reader.cfg)
        cfg_problem_add(&reader.problems, 0, "out of memory");
    else if (len > CFG_FILE_MAX)
        cfg_problem_add(&reader.problems, 0, "larger than %u MiB", CFG_FILE_MAX >> 20);
    else if (cfg_yaml_parse(text, len, &tree, &reader.problems))
        read_tree(&reader, &tree);
    cfg_tree_free(&tree);
    free(reader.fields);
    if (reader.problems.reported > 0) {
        cfg_problems_flush(&reader.problems, file, problem, ctx);
        cfg_free(reader.cfg);
        return NULL;
    }
    return reader.cfg;
}

/* All of a file, up to one octet more than is allowed. 0 or -errno; the caller frees *text. */
static int read_all(int fd, char **text, size_t *len)
{
    size_t room = 0;

    for (;;) {
        if (*len == room) {
            room = room ? room * 2 : 16384;
            char *more = realloc(*text, room);
            if (!more)
                return -ENOMEM;
            *text = more;
        }
        ssize_t n = read(fd, *text + *len, room - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        *len += (size_t)n;
        if (n == 0 || *len > CFG_FILE_MAX)
            return 0;
    }
}

struct cfg *cfg_load(const char *file, cfg_problem_fn problem, void *ctx)
{
    struct cfg_problems problems = {0};
    struct cfg *cfg = NULL;
    struct stat status;
    char *text = NULL;
    size_t len = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, &status) < 0 ? -errno : 0;

    if (error == 0 && S_ISDIR(status.st_mode))
        error = -EISDIR;
    if (error == 0)
        error = read_all(fd, &text, &len);
    if (fd >= 0)
        close(fd);
    if (error == -EISDIR)
        cfg_problem_add(&problems, 0, "is a directory; name the configuration file in it");
    else if (error)
        cfg_problem_add(&problems, 0, "cannot be read: %s", strerror(-error));
    if (error)
        cfg_problems_flush(&problems, file, problem, ctx);
    else
        cfg = cfg_parse(text, len, file, problem, ctx);
    free(text);
    return cfg;
}
