/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/withdrawn_list.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/update.h"

#define ROOM_FIRST 1024 /* octets: more than one NLRI has */

bool withdrawn_add(struct withdrawn_list *list, const uint8_t *nlri, size_t len)
{
    if (list->len + len > list->room) {
        size_t room = list->room > 0 ? 2 * list->room : ROOM_FIRST;
        uint8_t *bigger = realloc(list->octets, room);
        if (bigger == NULL)
            return false;
        list->octets = bigger;
        list->room = room;
    }
    memcpy(list->octets + list->len, nlri, len);
    list->len += len;
    return true;
}

/* The length of an encoded NLRI, of which there is enough. */
static size_t nlri_len(const uint8_t *nlri, bool add_path)
{
    size_t before = add_path ? 4 : 0;

    return before + 1 + (nlri[before] + 7u) / 8;
}

void withdrawn_pull(struct withdrawn_list *list, bool add_path, struct bgp_builder *builder)
{
    while (list->at < list->len) {
        size_t len = nlri_len(list->octets + list->at, add_path);
        if (!bgp_builder_add_nlri(builder, list->octets + list->at, len))
            return;
        list->at += len;
    }
    free(list->octets);
    *list = (struct withdrawn_list){0};
}
