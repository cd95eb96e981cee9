/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration may say, and whoever says it should hear once more. */
#include "conf/conf.h"

void cfg_warn(const struct cfg *cfg, const char *file, cfg_problem_fn warning, void *ctx)
{
    if (!cfg->sense)
        warning(ctx, file, cfg->sense_line,
                "sense is OFF: rules that no packet can match go to the data plane and take its memory, until honest "
                "rules find no room");
}
