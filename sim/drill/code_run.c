/* SPDX-License-Identifier: Apache-2.0 */
/* Names and values of code. A name is, in this order: a variable of the script, a field of tcp_info, a value of SO_MEMINFO, a constant. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "code_impl.h"
#include "names.h"
#include "posix_abi.h"

struct field {
    const char *name;
    uint16_t offset;
    uint8_t size;
};

#define FIELD(f) {#f, offsetof(struct px_tcp_info, f), sizeof(((struct px_tcp_info *)0)->f)},
static const struct field fields[] = {
    FIELD(tcpi_state) FIELD(tcpi_ca_state) FIELD(tcpi_retransmits) FIELD(tcpi_probes) FIELD(tcpi_backoff) FIELD(tcpi_options)
    FIELD(tcpi_rto) FIELD(tcpi_ato) FIELD(tcpi_snd_mss) FIELD(tcpi_rcv_mss) FIELD(tcpi_unacked) FIELD(tcpi_sacked)
    FIELD(tcpi_lost) FIELD(tcpi_retrans) FIELD(tcpi_fackets) FIELD(tcpi_last_data_sent) FIELD(tcpi_last_ack_sent)
    FIELD(tcpi_last_data_recv) FIELD(tcpi_last_ack_recv) FIELD(tcpi_pmtu) FIELD(tcpi_rcv_ssthresh) FIELD(tcpi_rtt)
    FIELD(tcpi_rttvar) FIELD(tcpi_snd_ssthresh) FIELD(tcpi_snd_cwnd) FIELD(tcpi_advmss) FIELD(tcpi_reordering)
    FIELD(tcpi_rcv_rtt) FIELD(tcpi_rcv_space) FIELD(tcpi_total_retrans) FIELD(tcpi_pacing_rate) FIELD(tcpi_max_pacing_rate)
    FIELD(tcpi_bytes_acked) FIELD(tcpi_bytes_received) FIELD(tcpi_segs_out) FIELD(tcpi_segs_in) FIELD(tcpi_notsent_bytes)
    FIELD(tcpi_min_rtt) FIELD(tcpi_data_segs_in) FIELD(tcpi_data_segs_out) FIELD(tcpi_delivery_rate) FIELD(tcpi_busy_time)
    FIELD(tcpi_rwnd_limited) FIELD(tcpi_sndbuf_limited) FIELD(tcpi_delivered) FIELD(tcpi_delivered_ce) FIELD(tcpi_bytes_sent)
    FIELD(tcpi_bytes_retrans) FIELD(tcpi_dsack_dups) FIELD(tcpi_reord_seen) FIELD(tcpi_rcv_ooopack) FIELD(tcpi_snd_wnd)
    FIELD(tcpi_rcv_wnd) FIELD(tcpi_rehash) FIELD(tcpi_total_rto) FIELD(tcpi_total_rto_recoveries) FIELD(tcpi_total_rto_time)
    FIELD(tcpi_received_ce) FIELD(tcpi_delivered_e1_bytes) FIELD(tcpi_delivered_e0_bytes) FIELD(tcpi_delivered_ce_bytes)
    FIELD(tcpi_received_e1_bytes) FIELD(tcpi_received_e0_bytes) FIELD(tcpi_received_ce_bytes) FIELD(tcpi_accecn_fail_mode)
    FIELD(tcpi_accecn_opt_seen)
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static const struct named bits[] = { /* parts of bytes: shift << 8 | bits of the value */
    {"tcpi_snd_wscale", 0 << 8 | 4}, {"tcpi_rcv_wscale", 4 << 8 | 4}, {"tcpi_delivery_rate_app_limited", 0 << 8 | 1},
    {"tcpi_fastopen_client_fail", 1 << 8 | 2}};
enum { BITS_COUNT = sizeof bits / sizeof bits[0] };

static const char *const meminfo_names[] = {
    "SK_MEMINFO_RMEM_ALLOC", "SK_MEMINFO_RCVBUF", "SK_MEMINFO_WMEM_ALLOC", "SK_MEMINFO_SNDBUF", "SK_MEMINFO_FWD_ALLOC",
    "SK_MEMINFO_WMEM_QUEUED", "SK_MEMINFO_OPTMEM", "SK_MEMINFO_BACKLOG", "SK_MEMINFO_DROPS"};
enum { MEMINFO_COUNT = sizeof meminfo_names / sizeof meminfo_names[0] };

const char *const *code_field_names(void)
{
    static const char *names[FIELD_COUNT + 1]; /* the same at every call */

    for (size_t i = 0; i < FIELD_COUNT; i++)
        names[i] = fields[i].name;
    return names;
}

static int64_t field_value(const struct px_tcp_info *info, const struct field *f)
{
    const uint8_t *at = (const uint8_t *)info + f->offset;
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;

    switch (f->size) {
    case 1:
        return *at;
    case 2:
        memcpy(&v16, at, 2);
        return v16;
    case 4:
        memcpy(&v32, at, 4);
        return v32;
    default:
        memcpy(&v64, at, 8);
        return (int64_t)v64;
    }
}

static bool find_info(const struct px_tcp_info *info, const char *name, int64_t *out)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            *out = info != NULL ? field_value(info, &fields[i]) : 0;
            return true;
        }
    }
    for (size_t i = 0; i < BITS_COUNT; i++) {
        if (strcmp(bits[i].name, name) == 0) {
            const unsigned byte = info == NULL ? 0 : i < 2 ? info->tcpi_wscale : info->tcpi_delivery_rate_app_limited;

            *out = (byte >> (bits[i].value >> 8)) & ((1u << (bits[i].value & 255)) - 1);
            return true;
        }
    }
    return false;
}

enum name_source code_name(const struct code_env *env, const char *name, int64_t *out)
{
    for (size_t i = 0; i < env->var_count; i++) {
        if (strcmp(env->vars[i].name, name) == 0) {
            *out = env->vars[i].value;
            return FROM_VAR;
        }
    }
    if (find_info(env->info, name, out))
        return FROM_INFO;
    for (size_t i = 0; i < MEMINFO_COUNT; i++) {
        if (strcmp(meminfo_names[i], name) == 0) {
            *out = env->meminfo != NULL ? env->meminfo[i] : 0;
            return FROM_MEMINFO;
        }
    }
    return name_code_constant(name, out) ? FROM_CONSTANT : FROM_NOWHERE;
}

static bool set_var(struct code_env *env, const char *name, int64_t value)
{
    for (size_t i = 0; i < env->var_count; i++) {
        if (strcmp(env->vars[i].name, name) == 0) {
            env->vars[i].value = value;
            return true;
        }
    }
    if (env->var_count == CODE_VARS_MAX)
        return false;
    env->vars[env->var_count++] = (struct code_var){name, value};
    return true;
}

/* ------------------------------------------------------------------------------------------------------- check */

static const char *const functions[] = {"abs", "min", "max", "int", NULL};

static void check_name(struct lex *x, const struct node *n, const struct code_env *env)
{
    char hint[80], other[80];
    int64_t value;

    if (code_name(env, n->text.s, &value) != FROM_NOWHERE)
        return;
    nearest_hint(n->text.s, code_field_names(), hint, sizeof hint);
    nearest_hint(n->text.s, code_constant_names(), other, sizeof other);
    lex_fail(x, n->pos, "unsupported in code: unknown name %s%s", n->text.s, hint[0] != '\0' ? hint : other);
}

static void check_node(struct lex *x, const struct node *n, const struct code_env *env, bool is_message)
{
    for (; n != NULL && !x->failed; n = n->next) {
        size_t args = 0, f = 0;

        if (n->kind == N_NAME)
            check_name(x, n, env);
        if (n->kind == N_CALL) {
            while (functions[f] != NULL && strcmp(functions[f], n->text.s) != 0)
                f++;
            for (const struct node *a = n->left; a != NULL; a = a->next)
                args++;
            if (functions[f] == NULL || args == 0)
                lex_fail(x, n->pos, "unsupported in code: the function %s()", n->text.s);
        }
        if ((n->kind == N_TEXT || n->kind == N_TUPLE) && !is_message)
            lex_fail(x, n->pos, "unsupported in code: %s outside of a message", n->kind == N_TEXT ? "texts" : "tuples");
        check_node(x, n->left, env, is_message);
        check_node(x, n->right, env, is_message);
    }
}

void code_check(struct lex *x, const struct d_code *code, struct code_env *known)
{
    for (const struct stmt *st = code->first; st != NULL; st = st->next) {
        check_node(x, st->value, known, st->kind == S_PRINT || st->kind == S_EXPR);
        check_node(x, st->message, known, true);
        if (st->name.len > 0 && st->kind != S_SET)
            check_name(x, &(struct node){.text = st->name, .pos = st->pos}, known);
        if (st->name.len > 0 && !set_var(known, st->name.s, 0))
            lex_fail(x, st->pos, "more than %d variables", CODE_VARS_MAX);
    }
}

static bool node_uses_info(const struct node *n, const struct code_env *none)
{
    int64_t value;

    for (; n != NULL; n = n->next) {
        const enum name_source from = n->kind == N_NAME ? code_name(none, n->text.s, &value) : FROM_NOWHERE;

        if (from == FROM_INFO || from == FROM_MEMINFO || node_uses_info(n->left, none) || node_uses_info(n->right, none))
            return true;
    }
    return false;
}

bool code_uses_info(const struct d_code *code)
{
    const struct code_env none = {.var_count = 0};

    for (const struct stmt *st = code->first; st != NULL; st = st->next) {
        if (node_uses_info(st->value, &none))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------------------------------------------- evaluation */

static int64_t evaluate(struct code_env *env, const struct node *n);

static int64_t call(struct code_env *env, const struct node *n)
{
    int64_t best = evaluate(env, n->left);

    if (strcmp(n->text.s, "abs") == 0)
        return best < 0 ? (int64_t)(0 - (uint64_t)best) : best;
    for (const struct node *a = n->left->next; a != NULL; a = a->next) {
        const int64_t v = evaluate(env, a);

        if (strcmp(n->text.s, "min") == 0 ? v < best : strcmp(n->text.s, "max") == 0 && v > best)
            best = v;
    }
    return best;
}

static int64_t divide(struct code_env *env, const struct node *n, int64_t a, int64_t b)
{
    int64_t q, rest;

    if (b == 0) {
        env->error_pos = n->pos;
        snprintf(env->error, sizeof env->error, "division by zero");
        return 0;
    }
    if (b == -1) /* INT64_MIN / -1 */
        return n->kind == N_DIV ? (int64_t)(0 - (uint64_t)a) : 0;
    q = a / b;
    rest = a % b;
    if (rest != 0 && (rest < 0) != (b < 0)) { /* Python rounds down */
        q--;
        rest += b;
    }
    return n->kind == N_DIV ? q : rest;
}

static int64_t binary(struct code_env *env, const struct node *n)
{
    const int64_t a = evaluate(env, n->left), b = evaluate(env, n->right);
    const uint64_t ua = (uint64_t)a, ub = (uint64_t)b;

    switch (n->kind) {
    case N_EQ: return a == b;
    case N_NE: return a != b;
    case N_LT: return a < b;
    case N_LE: return a <= b;
    case N_GT: return a > b;
    case N_GE: return a >= b;
    case N_BIT_OR: return a | b;
    case N_BIT_XOR: return a ^ b;
    case N_BIT_AND: return a & b;
    case N_SHL: return (int64_t)(ub < 64 ? ua << ub : 0);
    case N_SHR: return ub < 64 ? a >> ub : 0;
    case N_ADD: return (int64_t)(ua + ub);
    case N_SUB: return (int64_t)(ua - ub);
    case N_MUL: return (int64_t)(ua * ub);
    default: return divide(env, n, a, b);
    }
}

static int64_t evaluate(struct code_env *env, const struct node *n)
{
    int64_t value = 0;

    if (n == NULL)
        return 0;
    switch (n->kind) {
    case N_INT:
        return n->num;
    case N_NAME:
        code_name(env, n->text.s, &value);
        return value;
    case N_TEXT:
    case N_TUPLE:
        return 0;
    case N_NOT:
        return !evaluate(env, n->left);
    case N_NEG:
        return (int64_t)(0 - (uint64_t)evaluate(env, n->left));
    case N_INVERT:
        return ~evaluate(env, n->left);
    case N_OR:
        value = evaluate(env, n->left);
        return value != 0 ? value : evaluate(env, n->right);
    case N_AND:
        value = evaluate(env, n->left);
        return value == 0 ? value : evaluate(env, n->right);
    case N_CALL:
        return call(env, n);
    default:
        return binary(env, n);
    }
}

/* ----------------------------------------------------------------------------------------------------- texts */

struct out {
    char *s;
    size_t len, size;
};

static void put(struct out *o, const char *s, size_t n)
{
    n = n < o->size - 1 - o->len ? n : o->size - 1 - o->len;
    memcpy(o->s + o->len, s, n);
    o->len += n;
    o->s[o->len] = '\0';
}

static void put_number(struct out *o, int64_t v)
{
    char text[24];

    put(o, text, (size_t)snprintf(text, sizeof text, "%" PRId64, v));
}

/* "text %d and %s" % values: each conversion becomes the next value, whatever its letter. */
static void put_format(struct code_env *env, struct out *o, const struct d_text *f, const struct node *value)
{
    for (size_t i = 0; i < f->len; i++) {
        if (f->s[i] != '%' || i + 1 >= f->len) {
            put(o, f->s + i, 1);
            continue;
        }
        i++;
        while (i + 1 < f->len && strchr("0123456789.-+ #", f->s[i]) != NULL)
            i++;
        if (f->s[i] == '%') {
            put(o, "%", 1);
        } else if (value != NULL) {
            put_number(o, evaluate(env, value));
            value = value->next;
        }
    }
}

static void put_value(struct code_env *env, struct out *o, const struct node *n)
{
    if (n->kind == N_TEXT) {
        put(o, n->text.s, n->text.len);
    } else if (n->kind == N_MOD && n->left->kind == N_TEXT) {
        put_format(env, o, &n->left->text, n->right->kind == N_TUPLE ? n->right->left : n->right);
    } else if (n->kind == N_TUPLE) {
        for (const struct node *a = n->left; a != NULL; a = a->next) {
            put_value(env, o, a);
            put(o, " ", a->next != NULL);
        }
    } else {
        put_number(o, evaluate(env, n));
    }
}

/* The names of a condition with their values: "tcpi_snd_cwnd = 9". */
static void put_names(struct code_env *env, struct out *o, const struct node *n)
{
    int64_t value = 0;

    for (; n != NULL; n = n->next) {
        if (n->kind == N_NAME && code_name(env, n->text.s, &value) != FROM_CONSTANT && strstr(o->s, n->text.s) == NULL) {
            put(o, o->len > 0 ? ", " : "", o->len > 0 ? 2 : 0);
            put(o, n->text.s, n->text.len);
            put(o, " = ", 3);
            put_number(o, value);
        }
        put_names(env, o, n->left);
        put_names(env, o, n->right);
    }
}

static void note_failure(struct code_env *env, const struct stmt *st)
{
    char names[256] = "", message[160] = "";
    struct out o = {.s = names, .size = sizeof names}, m = {.s = message, .size = sizeof message};

    put_names(env, &o, st->value);
    if (st->message != NULL)
        put_value(env, &m, st->message);
    env->error_pos = st->pos;
    snprintf(env->error, sizeof env->error, "assertion is false%s%s\n  expected  %.*s\n  actual    %s", message[0] != '\0' ? ": " : "",
             message, (int)(st->source.len < 200 ? st->source.len : 200), st->source.s, names);
}

bool code_run(const struct d_code *code, struct code_env *env)
{
    env->error[0] = '\0';
    for (const struct stmt *st = code->first; st != NULL; st = st->next) {
        char text[256] = "";
        struct out o = {.s = text, .size = sizeof text};
        const int64_t value = evaluate(env, st->value);
        int64_t old = 0;

        if (st->kind == S_ASSERT) {
            if (env->error[0] == '\0' && value == 0)
                note_failure(env, st);
            else
                env->checks++;
        } else if (st->kind == S_PRINT && env->out != NULL) {
            put_value(env, &o, st->value);
            fprintf(env->out, "%s\n", text);
        } else if (st->name.len > 0) {
            code_name(env, st->name.s, &old);
            set_var(env, st->name.s,
                    (int64_t)(st->kind == S_SET   ? (uint64_t)value
                              : st->kind == S_ADD ? (uint64_t)old + (uint64_t)value
                                                  : (uint64_t)old - (uint64_t)value));
        }
        if (env->error[0] != '\0')
            return false;
    }
    return true;
}

/* -------------------------------------------------------------------------------------------------- for mutants */

static int64_t *number_in(struct node *n, size_t *left, struct d_pos *pos)
{
    int64_t *found = NULL;

    for (; n != NULL && found == NULL; n = n->next) {
        if (n->kind == N_INT && (*left)-- == 0) {
            *pos = n->pos;
            return &n->num;
        }
        found = number_in(n->left, left, pos);
        if (found == NULL)
            found = number_in(n->right, left, pos);
    }
    return found;
}

int64_t *code_number(struct d_code *code, size_t n, struct d_pos *pos)
{
    for (struct stmt *st = code->first; st != NULL; st = st->next) {
        int64_t *found = st->kind == S_ASSERT ? number_in(st->value, &n, pos) : NULL;

        if (found != NULL)
            return found;
    }
    return NULL;
}
