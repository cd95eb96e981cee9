/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules from text and packet keys from a few words, for the tests of this folder. */
#ifndef UNIT_CLASSIFIER_RULES_H
#define UNIT_CLASSIFIER_RULES_H

#include "flowspec/rule.h"
#include "packet/key.h"

/* The rule of that text (COMPONENT EXPR ..., without `match`); fails the test when it does not parse. */
struct fs_rule *rule_of(const char *text);

/* UDP from 192.0.2.1 port 123 to 203.0.113.7 port 4000, 468 octets, DSCP 46. */
struct pkt_key udp4_key(void);

/* TCP SYN from 2001:db8::1 port 1234 to 2001:db8:7::9 port 80, 60 octets, flow label 0x12345. */
struct pkt_key tcp6_key(void);

#endif
