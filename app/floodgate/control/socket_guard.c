/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/socket_guard.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "control/transport.h"

#define TTL_MAX 255

#ifndef IPV6_MINHOPCOUNT /* Linux has it since 2.6.35, not every libc names it */
#define IPV6_MINHOPCOUNT 73
#endif

void socket_guard_ttl(evutil_socket_t fd, unsigned family)
{
    const int ttl = TTL_MAX;

    if (family == IP_V6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl);
    else
        setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
}

/* RFC 5082 3: ours leave with 255, and of the peer's only those with 255 are taken: it is one hop away, or nobody. */
static int ttl_secure(evutil_socket_t fd, unsigned family)
{
    const int ttl = TTL_MAX;

    socket_guard_ttl(fd, family);
    if (family == IP_V6)
        return setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &ttl, sizeof ttl);
    return setsockopt(fd, IPPROTO_IP, IP_MINTTL, &ttl, sizeof ttl);
}

void socket_guard_listen(evutil_socket_t fd, unsigned family)
{
    const int on = 1;

    socket_guard_ttl(fd, family);
    setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof on);
}

/*
 * What came before the socket was secured is in its buffer by now. The SYN says how far away its sender is: who sent
 * that with 255 sent the rest, too. True where the system does not keep it, but not where it was too busy to (SYN
 * cookies): the peer comes again.
 */
static bool syn_was_near(evutil_socket_t fd)
{
    uint8_t syn[256];
    socklen_t len = sizeof syn;

    if (getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len) != 0)
        return true;
    return len >= 20 && syn[syn[0] >> 4 == 6 ? 7 : 8] == TTL_MAX; /* the hop limit of IPv6, the TTL of IPv4 */
}

static int device_bind(evutil_socket_t fd, const char *device)
{
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1);
}

int socket_guard_password(evutil_socket_t fd, const struct ip_addr *peer, const char *password)
{
    struct tcp_md5sig md5;

    memset(&md5, 0, sizeof md5);
    transport_sockaddr(peer, 0, &md5.tcpm_addr);
    if (password != NULL) {
        md5.tcpm_keylen = (uint16_t)strnlen(password, TCP_MD5SIG_MAXKEYLEN);
        memcpy(md5.tcpm_key, password, md5.tcpm_keylen);
    }
    if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &md5, sizeof md5) == 0)
        return 0;
    return password == NULL && errno == ENOENT ? 0 : -1;
}

int socket_guard_range_password(evutil_socket_t fd, const struct ip_prefix *range, const char *password)
{
    struct ip_addr first = {.family = range->family};
    struct tcp_md5sig md5;

    memset(&md5, 0, sizeof md5);
    memcpy(first.octets, range->octets, sizeof first.octets);
    transport_sockaddr(&first, 0, &md5.tcpm_addr);
    md5.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
    md5.tcpm_prefixlen = range->length;
    if (password != NULL) {
        md5.tcpm_keylen = (uint16_t)strnlen(password, TCP_MD5SIG_MAXKEYLEN);
        memcpy(md5.tcpm_key, password, md5.tcpm_keylen);
    }
    if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &md5, sizeof md5) == 0)
        return 0;
    return password == NULL && errno == ENOENT ? 0 : -1;
}

int socket_guard_connect(evutil_socket_t fd, const struct ip_addr *to, const struct socket_guard *guard)
{
    if (guard->device != NULL && device_bind(fd, guard->device) < 0)
        return -1;
    if (guard->ttl_security && ttl_secure(fd, to->family) < 0)
        return -1;
    return guard->password != NULL ? socket_guard_password(fd, to, guard->password) : 0;
}

/* A socket accepted in a VRF is bound to it; any other is bound here, so that no other interface can speak on it. */
static int device_keep(evutil_socket_t fd, const char *device)
{
    char bound[IFNAMSIZ] = "";
    socklen_t len = sizeof bound;

    if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bound, &len) == 0 && len > 0 && bound[0] != '\0') {
        if (strncmp(bound, device, sizeof bound) == 0)
            return 0;
        errno = EXDEV;
        return -1;
    }
    return device_bind(fd, device);
}

int socket_guard_accept(evutil_socket_t fd, unsigned family, const struct socket_guard *guard)
{
    if (guard->device != NULL && device_keep(fd, guard->device) < 0)
        return -1;
    if (guard->ttl_security && !syn_was_near(fd)) {
        errno = EHOSTUNREACH;
        return -1;
    }
    return guard->ttl_security ? ttl_secure(fd, family) : 0;
}
