/* SPDX-License-Identifier: Apache-2.0 */
/* Names of calls, constants, errno values, members of structures and commands are looked up here; what they are goes back into the tree.
 * After this pass a run cannot meet a word that it does not know. */
#include "check.h"

#include <string.h>

#include "call.h"
#include "code.h"
#include "command.h"
#include "names.h"
#include "posix.h"

/* A structure by the letter of the argument that holds it, and what each member is: a letter as in call.h, or a structure again. */
struct member {
    char of;
    const char *name;
    char is;
};

static const struct member members[] = {
    {'a', "sa_family", 'i'}, {'a', "sin_port", 'i'}, {'a', "sin_addr", 'A'}, {'a', "sin6_port", 'i'}, {'a', "sin6_flowinfo", 'i'},
    {'a', "sin6_addr", 'A'}, {'a', "sin6_scope_id", 'i'},
    {'m', "msg_name", 'a'}, {'m', "msg_namelen", 'l'}, {'m', "msg_iov", 'v'}, {'m', "msg_iovlen", 'i'}, {'m', "msg_control", 'C'},
    {'m', "msg_controllen", 'l'}, {'m', "msg_flags", 'i'},
    {'v', "iov_base", 'b'}, {'v', "iov_len", 'n'},
    {'C', "cmsg_len", 'i'}, {'C', "cmsg_level", 'i'}, {'C', "cmsg_type", 'i'}, {'C', "cmsg_data", 'D'},
    {'D', "ee_errno", 'E'}, {'D', "ee_origin", 'i'}, {'D', "ee_type", 'i'}, {'D', "ee_code", 'i'}, {'D', "ee_info", 'i'},
    {'D', "ee_data", 'i'}, {'D', "scm_sec", 'i'}, {'D', "scm_nsec", 'i'},
    {'p', "fd", 'i'}, {'p', "events", 'i'}, {'p', "revents", 'i'},
    {'e', "events", 'i'}, {'e', "fd", 'i'}, {'e', "ptr", 'i'}, {'e', "u32", 'i'}, {'e', "u64", 'i'},
    {'o', "onoff", 'i'}, {'o', "linger", 'i'}, {'o', "l_onoff", 'i'}, {'o', "l_linger", 'i'}, {'o', "tv_sec", 'i'},
    {'o', "tv_usec", 'i'},
};
enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

static void check_arg(struct lex *x, struct d_expr *e, char is);

/* ------------------------------------------------------------------------------------------------------ numbers */

static void check_word(struct lex *x, struct d_expr *e, char is)
{
    char hint[80];
    int32_t error;

    if (name_constant(e->text.s, &e->num))
        return;
    if (is == 'E' && name_errno(e->text.s, &error)) {
        e->num = error;
        return;
    }
    lex_fail(x, e->pos, "unknown constant %s%s", e->text.s, nearest_hint(e->text.s, constant_names(), hint, sizeof hint));
}

static void check_number(struct lex *x, struct d_expr *e, char is)
{
    static const char *const swaps[] = {"htons", "htonl", "ntohs", "ntohl", NULL};

    if (e->kind == E_WORD) {
        check_word(x, e, is);
    } else if (e->kind == E_OR) {
        for (struct d_expr *part = e->list; part != NULL; part = part->next) {
            check_number(x, part, is);
            e->num |= part->num;
        }
    } else if (e->kind == E_CALL) {
        size_t i = 0;

        while (swaps[i] != NULL && strcmp(swaps[i], e->text.s) != 0)
            i++;
        if (swaps[i] == NULL || e->list == NULL || e->list->next != NULL) {
            lex_fail(x, e->pos, "unknown function %s(); here htons(n) is known", e->text.s);
            return;
        }
        check_number(x, e->list, is);
        e->num = e->list->num;
    } else if (e->kind != E_INT) {
        lex_fail(x, e->pos, "expected a number or a constant");
    }
}

/* sin_addr = inet_addr("192.0.2.1"); sin6_addr the same, or inet_pton(AF_INET6, "::1", &sin6_addr) as a member. */
static void check_address(struct lex *x, struct d_expr *e)
{
    nst_ip ip;

    if (e->kind == E_CALL && strcmp(e->text.s, "inet_addr") == 0 && e->list != NULL && e->list->kind == E_STRING)
        e = e->list;
    if (e->kind != E_STRING) {
        check_number(x, e, 'i');
        return;
    }
    if (nst_ip_parse(e->text.s, &ip) != 0)
        lex_fail(x, e->pos, "\"%.60s\": not an address", e->text.s);
}

/* --------------------------------------------------------------------------------------------------- structures */

static void check_member(struct lex *x, struct d_expr *e, char of)
{
    const char *names[MEMBER_COUNT + 1];
    char hint[80];
    size_t n = 0;

    if (of == 'a' && e->kind == E_CALL && strcmp(e->text.s, "inet_pton") == 0) {
        if (e->list == NULL || e->list->next == NULL || e->list->next->kind != E_STRING)
            lex_fail(x, e->pos, "expected inet_pton(AF_INET6, \"address\", &sin6_addr)");
        else
            check_address(x, e->list->next);
        return;
    }
    if (e->kind != E_MEMBER) {
        lex_fail(x, e->pos, "expected name = value in this structure");
        return;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (members[i].of != of)
            continue;
        if (strcmp(members[i].name, e->text.s) == 0) {
            check_arg(x, e->list, members[i].is);
            return;
        }
        names[n++] = members[i].name;
    }
    names[n] = NULL;
    lex_fail(x, e->pos, "unknown member %s%s", e->text.s, nearest_hint(e->text.s, names, hint, sizeof hint));
}

static void check_struct(struct lex *x, struct d_expr *e, char of)
{
    if (e->kind != E_STRUCT) {
        lex_fail(x, e->pos, "expected a {structure}");
        return;
    }
    if (of == 'v' && e->list != NULL && e->list->kind != E_MEMBER) { /* {buffer, length} */
        check_arg(x, e->list, 'b');
        if (e->list->next == NULL || e->list->next->next != NULL)
            lex_fail(x, e->pos, "expected {buffer, length}");
        else
            check_arg(x, e->list->next, 'n');
        return;
    }
    for (struct d_expr *m = e->list; m != NULL; m = m->next)
        check_member(x, m, of);
}

/* [{...}, {...}], or one structure alone. */
static void check_structs(struct lex *x, struct d_expr *e, char of)
{
    if (e->kind == E_ELLIPSIS || (e->kind == E_WORD && strcmp(e->text.s, "NULL") == 0))
        return;
    if (e->kind != E_ARRAY) {
        check_struct(x, e, of);
        return;
    }
    for (struct d_expr *m = e->list; m != NULL; m = m->next)
        check_struct(x, m, of);
}

static void check_numbers(struct lex *x, struct d_expr *e)
{
    for (; e != NULL; e = e->next)
        check_number(x, e, 'i');
}

/* ----------------------------------------------------------------------------------------------------- arguments */

static void check_buffer(struct lex *x, struct d_expr *e)
{
    if (e->kind != E_ELLIPSIS && e->kind != E_STRING)
        check_number(x, e, 'i');
}

static void check_option_value(struct lex *x, struct d_expr *e)
{
    if (e->kind == E_STRUCT)
        check_struct(x, e, 'o');
    else if (e->kind == E_ARRAY)
        check_numbers(x, e->list);
    else
        check_buffer(x, e);
}

static void check_data(struct lex *x, struct d_expr *e)
{
    if (e->kind == E_STRUCT)
        check_struct(x, e, 'D');
    else if (e->kind == E_ARRAY)
        check_numbers(x, e->list);
    else if (e->kind != E_ELLIPSIS)
        check_number(x, e, 'i');
}

static void check_arg(struct lex *x, struct d_expr *e, char is)
{
    switch (is) {
    case 'a':
        if (e->kind == E_STRUCT)
            check_struct(x, e, 'a');
        else
            check_buffer(x, e);
        break;
    case 'A':
        check_address(x, e);
        break;
    case 'b':
        check_buffer(x, e);
        break;
    case 'l':
    case 'z':
    case 'd':
        if (e->kind == E_ARRAY)
            check_numbers(x, e->list);
        else if (e->kind != E_ELLIPSIS)
            check_number(x, e, 'i');
        break;
    case 'o':
        check_option_value(x, e);
        break;
    case 'D':
        check_data(x, e);
        break;
    case 'm':
    case 'v':
    case 'C':
    case 'p':
    case 'e':
        check_structs(x, e, is);
        break;
    case 't':
        if (e->kind != E_STRING)
            lex_fail(x, e->pos, "expected a \"path\"");
        break;
    default:
        if (e->kind == E_ELLIPSIS && is == 'i')
            break; /* the domain of socket() */
        check_number(x, e, is);
    }
}

static void find_call(struct lex *x, struct d_call *c, struct d_pos pos)
{
    const char *names[64];
    char hint[80];
    size_t i;

    for (i = 0; d_syscalls[i].name != NULL; i++) {
        if (strcmp(d_syscalls[i].name, c->name.s) == 0)
            c->row = &d_syscalls[i];
        names[i] = d_syscalls[i].name;
    }
    names[i] = NULL;
    if (c->row == NULL)
        lex_fail(x, pos, "unsupported: unknown system call %s%s", c->name.s, nearest_hint(c->name.s, names, hint, sizeof hint));
}

/* An option that the socket layer does not know, and that the script expects to work. */
static void check_option(struct lex *x, const struct d_call *c)
{
    const struct d_expr *level = c->args->next, *name = level->next;

    if (c->ret->num != -1 && !px_has_option((int)level->num, (int)name->num))
        lex_fail(x, name->pos, "unsupported: socket option %.*s", (int)name->text.len, name->text.s);
}

static void check_call(struct lex *x, struct d_call *c, struct d_pos pos)
{
    char hint[80];
    size_t i = 0;

    find_call(x, c, pos);
    if (c->row == NULL)
        return;
    if (c->arg_count < c->row->required || c->arg_count > strlen(c->row->args)) {
        lex_fail(x, pos, "%s() takes %zu arguments, not %zu", c->name.s, strlen(c->row->args), c->arg_count);
        return;
    }
    for (struct d_expr *e = c->args; e != NULL; e = e->next)
        check_arg(x, e, c->row->args[i++]);
    if (c->ret->kind != E_ELLIPSIS)
        check_number(x, c->ret, 'i');
    if (!x->failed && (strcmp(c->name.s, "setsockopt") == 0 || strcmp(c->name.s, "getsockopt") == 0))
        check_option(x, c);
    if (c->error != NULL && !name_errno(c->error->text.s, &c->error_num))
        lex_fail(x, c->error->pos, "unknown error %s%s", c->error->text.s,
                 nearest_hint(c->error->text.s, errno_names(), hint, sizeof hint));
    if (c->error != NULL && c->ret->num != -1)
        lex_fail(x, c->error->pos, "an error belongs to the result -1");
}

void check_script(struct lex *x, struct drill_script *s)
{
    struct code_env known = {.var_count = 0};

    if (s->init != NULL)
        command_check(x, s->init, s->init_pos);
    for (struct d_event *ev = s->events; ev != NULL && !x->failed; ev = ev->next) {
        if (ev->kind == EV_CALL)
            check_call(x, ev->u.call, ev->what);
        else if (ev->kind == EV_COMMAND)
            command_check(x, ev->u.command, ev->what);
        else if (ev->kind == EV_CODE)
            code_check(x, ev->u.code, &known);
    }
    if (s->cleanup != NULL)
        command_check(x, s->cleanup, s->cleanup_pos);
}
