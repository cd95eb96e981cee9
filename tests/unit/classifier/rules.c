/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules.h"

#include "../cm.h"

#include <stdio.h>
#include <string.h>

#include "flowspec/text.h"

struct fs_rule *rule_of(const char *text)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;
    char line[8192];

    snprintf(line, sizeof line, "match %s", text);
    if (!fs_text_parse(line, &rule, &actions, &error))
        fail_msg("%s: column %zu: %s", line, error.column, error.text);
    return rule;
}

struct pkt_key udp4_key(void)
{
    struct pkt_key key = {
        .family = IP_V4,
        .src = {192, 0, 2, 1},
        .dst = {203, 0, 113, 7},
        .length = 468,
        .src_port = 123,
        .dst_port = 4000,
        .has = PKT_HAS_PORTS,
        .protocol = 17,
        .dscp = 46,
    };

    return key;
}

struct pkt_key tcp6_key(void)
{
    struct pkt_key key = {
        .family = IP_V6,
        .src = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
        .dst = {0x20, 0x01, 0x0d, 0xb8, 0, 7, [15] = 9},
        .flow_label = 0x12345,
        .length = 60,
        .src_port = 1234,
        .dst_port = 80,
        .tcp_flags = 0x002,
        .has = PKT_HAS_PORTS | PKT_HAS_TCP_FLAGS,
        .protocol = 6,
    };

    return key;
}
