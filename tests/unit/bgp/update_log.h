/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bgp_update_parse with everything it says written down as lines of text:
 *   reach FAMILY NLRI | unreach FAMILY NLRI | bad FAMILY WORD NLRI | attribute TEXT | end-of-rib FAMILY |
 *   reset CODE/SUBCODE DATA
 */
#ifndef UNIT_BGP_UPDATE_LOG_H
#define UNIT_BGP_UPDATE_LOG_H

#include "../cm.h"

#include "bgp/update.h"

struct update_log {
    struct bgp_update_conf conf;
    char text[8192];
    struct bgp_attrs attrs; /* of the last reach, bgp_attrs_dup */
};

/* From the octets of the attributes, withdrawn routes and NLRI, in hex; NULL: none. The body is in a block of its own.
 */
void update_log_parse(struct update_log *log, const char *attributes, const char *withdrawn, const char *nlri);
void update_log_parse_body(struct update_log *log, const uint8_t *body, size_t len);
void update_log_free(struct update_log *log);

#endif
