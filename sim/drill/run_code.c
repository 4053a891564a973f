/* SPDX-License-Identifier: Apache-2.0 */
/* %{ }%: the fields of the socket under test at this moment. */
#include "call_args.h"

void run_code(struct run *r, const struct d_code *code)
{
    const int fd = r->cur != NULL ? call_fd_of(r, r->cur->fd) : -1;
    uint32_t len = sizeof r->info, meminfo_len = sizeof r->meminfo;

    r->code.info = NULL;
    r->code.meminfo = NULL;
    if (px_getsockopt(r->px, fd, PX_SOL_TCP, PX_TCP_INFO, &r->info, &len) == 0)
        r->code.info = &r->info;
    if (px_getsockopt(r->px, fd, PX_SOL_SOCKET, PX_SO_MEMINFO, r->meminfo, &meminfo_len) == 0)
        r->code.meminfo = r->meminfo;
    if (r->code.info == NULL && code_uses_info(code))
        run_fail(r, (struct d_pos){r->result->line, 1}, "the socket under test has no descriptor that could be asked");
    else if (!code_run(code, &r->code))
        run_fail(r, r->code.error_pos, "%s", r->code.error);
}
