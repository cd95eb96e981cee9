/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What waits to be withdrawn of one family: NLRI as they are sent, for the prefix may be gone from the RIB by the time
 * they leave. Private to lib/bgp.
 */
#ifndef BGP_WITHDRAWN_LIST_H
#define BGP_WITHDRAWN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bgp_builder;

struct withdrawn_list {
    uint8_t *octets;
    size_t len, room, at;
};

bool withdrawn_add(struct withdrawn_list *list, const uint8_t *nlri, size_t len); /* false when memory is short */
/* As many as there is room for into a message that was begun; those of ADD-PATH have a path id in front. */
void withdrawn_pull(struct withdrawn_list *list, bool add_path, struct bgp_builder *builder);

#endif
