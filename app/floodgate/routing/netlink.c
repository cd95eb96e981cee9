/* SPDX-License-Identifier: BSD-3-Clause */
#include "routing/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define RULE_PRIORITY 10000u /* before the table `main`, which is at 32766 */
#define RULE_PROTOCOL 70u    /* marks a rule as ours: nobody's in rt_protos */
#define ATTRS_SIZE    128u   /* octets of a request's attributes */

union body {
    struct ifaddrmsg address;
    struct rtmsg route;
    struct fib_rule_hdr rule;
};

struct request {
    struct nlmsghdr head;
    char rest[NLMSG_ALIGN(sizeof(union body)) + ATTRS_SIZE];
};

int netlink_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    return fd < 0 ? -errno : fd;
}

static struct request request_of(uint16_t type, uint16_t flags, const void *body, size_t size)
{
    struct request request = {.head = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
                                       .nlmsg_type = type,
                                       .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)}};

    memcpy(request.rest, body, size);
    return request;
}

static void attr_add(struct request *request, uint16_t type, const void *value, size_t size)
{
    struct rtattr attr = {.rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = type};
    char *at = (char *)request + NLMSG_ALIGN(request->head.nlmsg_len);

    memcpy(at, &attr, sizeof attr);
    memcpy(at + RTA_LENGTH(0), value, size);
    request->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->head.nlmsg_len) + RTA_ALIGN(attr.rta_len));
}

static int request_send(int netlink, const struct request *request)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char quoted[sizeof(struct request)];
    } answer;

    if (send(netlink, request, request->head.nlmsg_len, 0) < 0)
        return -errno;
    ssize_t len = recv(netlink, &answer, sizeof answer, 0);
    if (len < 0)
        return -errno;
    if ((size_t)len < NLMSG_LENGTH(sizeof answer.error) || answer.head.nlmsg_type != NLMSG_ERROR)
        return -EPROTO;
    return answer.error.error;
}

static uint8_t family_of(unsigned family)
{
    return family == IP_V6 ? AF_INET6 : AF_INET;
}

static size_t size_of(unsigned family)
{
    return family == IP_V6 ? 16 : 4;
}

int netlink_address_add(int netlink, unsigned ifindex, const struct ip_prefix *address, bool route)
{
    const struct ifaddrmsg body = {
        .ifa_family = family_of(address->family), .ifa_prefixlen = address->length, .ifa_index = ifindex};
    struct request request = request_of(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    uint32_t flags = IFA_F_NODAD | (route ? 0 : IFA_F_NOPREFIXROUTE);

    attr_add(&request, IFA_LOCAL, address->octets, size_of(address->family));
    attr_add(&request, IFA_ADDRESS, address->octets, size_of(address->family));
    attr_add(&request, IFA_FLAGS, &flags, sizeof flags);
    return request_send(netlink, &request);
}

int netlink_default_add(int netlink, unsigned ifindex, unsigned family, uint32_t table)
{
    const struct rtmsg body = {.rtm_family = family_of(family),
                               .rtm_table = RT_TABLE_UNSPEC,
                               .rtm_protocol = RTPROT_STATIC,
                               .rtm_scope = RT_SCOPE_LINK,
                               .rtm_type = RTN_UNICAST};
    struct request request = request_of(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof body);

    attr_add(&request, RTA_TABLE, &table, sizeof table);
    attr_add(&request, RTA_OIF, &ifindex, sizeof ifindex);
    return request_send(netlink, &request);
}

static struct request rule_request(uint16_t type, uint16_t flags, const struct ip_addr *from)
{
    const uint32_t priority = RULE_PRIORITY;
    const uint8_t protocol = RULE_PROTOCOL;
    const struct fib_rule_hdr body = {
        .family = family_of(from->family), .src_len = (uint8_t)(size_of(from->family) * 8), .action = FR_ACT_TO_TBL};
    struct request request = request_of(type, flags, &body, sizeof body);

    attr_add(&request, FRA_SRC, from->octets, size_of(from->family));
    attr_add(&request, FRA_PRIORITY, &priority, sizeof priority);
    attr_add(&request, FRA_PROTOCOL, &protocol, sizeof protocol);
    return request;
}

int netlink_rule_add(int netlink, const struct ip_addr *from, uint32_t table)
{
    struct request request = rule_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, from);

    attr_add(&request, FRA_TABLE, &table, sizeof table);
    return request_send(netlink, &request);
}

int netlink_rule_delete(int netlink, const struct ip_addr *from)
{
    struct request request = rule_request(RTM_DELRULE, 0, from);

    return request_send(netlink, &request);
}
