/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TCP_TCP_VERIFY_H
#define CORE_TCP_TCP_VERIFY_H

#include <tcp/tcp.h>

/* NULL = all invariants hold; else the one that does not. */
const char *tcp_verify(const struct tcp *t);

#endif
