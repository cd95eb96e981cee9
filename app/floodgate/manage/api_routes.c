/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's command `routes`. */
#include <stdio.h>

#include "control/control.h"
#include "manage/api_commands.h"
#include "manage/json_routes.h"

#define LIMIT_DEFAULT 1000  /* prefixes; a full table is a million */
#define LIMIT_MAX     10000 /* an answer is made in one go, and must not hold the loop */

void api_run_routes(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const char *text = request_string(args, "prefix");
    uint64_t limit = request_uint(args, "limit", LIMIT_DEFAULT);
    struct ip_prefix prefix;

    if (text != NULL && !ip_prefix_parse(text, &prefix))
        snprintf(answer->error, sizeof answer->error, "'%.64s' is no prefix such as 203.0.113.0/24, and no address",
                 text);
    else if (limit == 0 || limit > LIMIT_MAX)
        snprintf(answer->error, sizeof answer->error, "limit is 1 to %u", LIMIT_MAX);
    else
        answer->result = json_routes(control_routes(state->control), text != NULL ? &prefix : NULL, limit);
}
