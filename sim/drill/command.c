/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The text is cut into commands as a shell would cut it: words, quotes, continued lines, ; && || newline, pipes, and
 * redirections (which are dropped, but for `echo value > /proc/sys/...`). Each command is looked up by the last part of its path in one
 * table, and becomes actions on the stack under test. What is not in the table is an error with the command's name: nothing is run.
 *
 * LIMIT: `a || b` runs b as well: the commands of the table do not fail. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "parse.h"

enum { WORDS_MAX = 128, WORD_MAX = 512, DEPTH_MAX = 4 };

struct words {
    struct lex *x;
    struct d_pos pos;
    const char *w[WORDS_MAX];
    size_t count;
    const char *to;              /* the file that `>` names; NULL = none */
    bool negated;                /* ! before it */
    struct d_action ***tail;
};

struct shell {
    struct lex *x;
    struct d_pos pos;
    const char *s;
    size_t len, at;
    int depth;                   /* of sh -c */
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
static bool is_end(char c) { return c == '\n' || c == ';' || c == '&' || c == '|'; }

static char look(const struct shell *sh, size_t n) { return sh->at + n < sh->len ? sh->s[sh->at + n] : '\0'; }

static void skip_blanks(struct shell *sh)
{
    for (;;) {
        if (is_blank(look(sh, 0)))
            sh->at++;
        else if (look(sh, 0) == '\\' && look(sh, 1) == '\n')
            sh->at += 2;
        else if (look(sh, 0) == '\\' && look(sh, 1) == '\r' && look(sh, 2) == '\n')
            sh->at += 3;
        else if (look(sh, 0) == '#')
            while (sh->at < sh->len && look(sh, 0) != '\n')
                sh->at++;
        else
            return;
    }
}

/* One word with its quotes undone. */
static const char *take_word(struct shell *sh)
{
    char word[WORD_MAX];
    size_t n = 0;
    char quote = '\0';

    for (; sh->at < sh->len && n < sizeof word - 1; sh->at++) {
        const char c = look(sh, 0);

        if (quote == '\0' && (is_blank(c) || is_end(c) || c == '>' || c == '<'))
            break;
        if (c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && look(sh, 1) != '\0') {
            sh->at++;
            if (look(sh, 0) == '\n')
                continue;
            if (quote == '"' && strchr("\"\\$`", look(sh, 0)) == NULL)
                word[n++] = '\\';
            if (n < sizeof word - 1)
                word[n++] = look(sh, 0);
        } else {
            word[n++] = c;
        }
    }
    if (quote != '\0')
        lex_fail(sh->x, sh->pos, "a %c in this command has no partner", quote);
    if (n == sizeof word - 1)
        lex_fail(sh->x, sh->pos, "a word of this command is longer than %zu characters", sizeof word);
    return arena_text(sh->x->arena, word, n).s;
}

/* > file, 2>&1, &> file, < file */
static bool take_redirection(struct shell *sh, struct words *w)
{
    size_t n = 0;
    bool is_output;

    if ((look(sh, 0) == '1' || look(sh, 0) == '2') && look(sh, 1) == '>')
        n = 1;
    else if (look(sh, 0) == '&' && look(sh, 1) == '>')
        n = 1;
    if (look(sh, n) != '>' && look(sh, n) != '<')
        return false;
    is_output = look(sh, n) == '>' && look(sh, 0) != '2';
    sh->at += n + 1;
    if (look(sh, 0) == '>')
        sh->at++;
    if (look(sh, 0) == '&') {
        sh->at += 2;
        return true;
    }
    skip_blanks(sh);
    if (is_output)
        w->to = take_word(sh);
    else
        take_word(sh);
    return true;
}

/* ------------------------------------------------------------------------------------------------ the commands */

static struct d_action *add(struct words *w, enum action_kind kind)
{
    struct d_action *a = arena_get(w->x->arena, sizeof *a);

    a->kind = kind;
    a->text.s = "";
    a->route = (struct route_change){-1, -1, -1, false};
    **w->tail = a;
    *w->tail = &a->next;
    return a;
}

/* "/proc/sys/net/ipv4/tcp_sack" and "net.ipv4.tcp_sack" are the same. */
static void set_path(struct words *w, const char *path, const char *value)
{
    char name[WORD_MAX];
    size_t n;

    if (strncmp(path, "/proc/sys/", 10) == 0)
        path += 10;
    n = (size_t)snprintf(name, sizeof name, "%s", path);
    for (size_t i = 0; i < n && i < sizeof name && path[0] != '/'; i++) {
        if (name[i] == '/')
            name[i] = '.';
    }
    sysctl_set(w->x, w->pos, name, value, w->tail);
}

static void set_pair(struct words *w, const char *word)
{
    const char *equal = strchr(word, '=');
    const char *name;

    if (equal == NULL) {
        lex_fail(w->x, w->pos, "%s: expected %s=VALUE", w->w[0], word);
        return;
    }
    name = arena_text(w->x->arena, word, (size_t)(equal - word)).s;
    set_path(w, name, equal + 1);
}

static void do_defaults(struct words *w) { add(w, ACT_DEFAULTS); }
static void do_nothing(struct words *w) { add(w, ACT_EVERY); }

/* Commands that only print. What they print nobody can read, so it may also go to a file. */
static void do_print(struct words *w)
{
    if (w->to != NULL && strncmp(w->to, "/proc/", 6) == 0)
        lex_fail(w->x, w->pos, "unsupported: %s > %s", w->w[0], w->to);
    do_nothing(w);
}

static void do_sysctl(struct words *w)
{
    size_t pairs = 0;

    for (size_t i = 1; i < w->count && !w->x->failed; i++) {
        if (w->w[i][0] == '-')
            continue;
        /* sysctl -w name value, without '=', is an error of the original too */
        if (strcmp(w->w[i], "=") == 0)
            continue;
        pairs++;
        if (strchr(w->w[i], '=') == NULL && sysctl_is_known(w->w[i]))
            do_nothing(w); /* asks for it */
        else
            set_pair(w, w->w[i]);
    }
    if (pairs == 0 && w->count == 2 && strcmp(w->w[1], "-a") == 0)
        do_nothing(w);
    else if (pairs == 0)
        lex_fail(w->x, w->pos, "%s: expected name=value", w->w[0]);
}

static void do_echo(struct words *w)
{
    if (w->to == NULL) {
        do_nothing(w);
        return;
    }
    if (w->count != 2)
        lex_fail(w->x, w->pos, "echo: expected one value for %s", w->to);
    else
        set_path(w, w->to, w->w[1]);
}

static void do_sleep(struct words *w)
{
    int64_t ns = 0;

    if (w->count != 2 || !parse_seconds(w->w[1], &ns))
        lex_fail(w->x, w->pos, "sleep: expected seconds");
    add(w, ACT_SLEEP)->num = ns;
}

/* The number behind the word `name`; -1 = the word is absent. */
static int64_t number_behind(struct words *w, const char *name)
{
    for (size_t i = 1; i < w->count; i++) {
        const bool is_lock = i + 2 < w->count && strcmp(w->w[i + 1], "lock") == 0;
        uint64_t n;

        if (strcmp(w->w[i], name) != 0)
            continue;
        if (i + 1 < w->count && parse_u64(w->w[i + (is_lock ? 2 : 1)], UINT32_MAX, &n))
            return (int64_t)n;
        lex_fail(w->x, w->pos, "%s: expected a number behind %s", w->w[0], name);
    }
    return -1;
}

static bool has_word(const struct words *w, const char *name)
{
    for (size_t i = 1; i < w->count; i++) {
        if (strcmp(w->w[i], name) == 0)
            return true;
    }
    return false;
}

static void do_ip_route(struct words *w)
{
    struct d_action *a = add(w, ACT_ROUTE);

    a->route = (struct route_change){.advmss = number_behind(w, "advmss"), .mtu = number_behind(w, "mtu"),
                                     .initcwnd = number_behind(w, "initcwnd"), .is_locked = has_word(w, "lock")};
    if (has_word(w, "flush") || has_word(w, "show") || has_word(w, "list"))
        a->kind = ACT_EVERY;
    for (const char *const *no = (const char *const[]){"initrwnd", "rto_min", "quickack", "congctl", "features", "window", "cwnd", NULL};
         *no != NULL; no++) {
        if (has_word(w, *no))
            lex_fail(w->x, w->pos, "unsupported: ip route ... %s", *no);
    }
}

static void do_ip(struct words *w)
{
    size_t i = 1;
    const char *object;

    while (i < w->count && w->w[i][0] == '-')
        i++;
    object = i < w->count ? w->w[i] : "";
    if (strncmp("route", object, strlen(object)) == 0 && object[0] != '\0') {
        do_ip_route(w);
    } else if (strncmp("tcp_metrics", object, strlen(object)) == 0 && strlen(object) >= 3) {
        add(w, ACT_METRICS);
    } else if (strncmp("link", object, strlen(object)) == 0 && object[0] != '\0') {
        const int64_t mtu = number_behind(w, "mtu");

        add(w, mtu >= 0 ? ACT_LINK_MTU : ACT_EVERY)->num = mtu;
    } else if (object[0] != '\0' && (i + 1 == w->count || has_word(w, "show") || has_word(w, "list"))) {
        do_print(w); /* ip addr, ip rule show */
    } else {
        lex_fail(w->x, w->pos, "unsupported command: ip %s", object);
    }
}

static void do_tc(struct words *w)
{
    static const char *const kinds[] = {"pfifo_fast", "pfifo", "bfifo", "fq_codel", "fq", "noqueue", "mq", NULL};
    struct d_action *a;

    while (w->count > 1 && w->w[1][0] == '-') /* tc -s qdisc show */
        memmove(&w->w[1], &w->w[2], (--w->count - 1) * sizeof w->w[0]);
    if (w->count < 3 || strcmp(w->w[1], "qdisc") != 0) {
        lex_fail(w->x, w->pos, "unsupported command: tc %s", w->count > 1 ? w->w[1] : "");
        return;
    }
    a = add(w, ACT_QDISC);
    a->num = number_behind(w, "limit");
    a->text.s = "pfifo";
    for (const char *const *k = kinds; *k != NULL; k++) {
        if (has_word(w, *k)) {
            a->text.s = *k;
            return;
        }
    }
    if (strncmp(w->w[2], "del", 3) != 0 && strcmp(w->w[2], "show") != 0)
        lex_fail(w->x, w->pos, "unsupported: this queueing discipline; known are pfifo, pfifo_fast, fq, fq_codel, noqueue");
}

static struct nstat_grep *add_pattern(struct words *w, struct nstat_grep **at, const char *pattern)
{
    struct nstat_grep *g = arena_get(w->x->arena, sizeof *g);

    while (*at != NULL)
        at = &(*at)->next;
    *at = g;
    g->pattern = pattern;
    nstat_check_pattern(w->x, w->pos, pattern);
    return g;
}

static void do_nstat(struct words *w)
{
    struct nstat *n = arena_get(w->x->arena, sizeof *n);

    add(w, ACT_NSTAT)->nstat = n;
    n->negated = w->negated;
    for (size_t i = 1; i < w->count; i++) {
        if (w->w[i][0] != '-')
            add_pattern(w, &n->names, w->w[i]);
        for (const char *c = w->w[i] + 1; w->w[i][0] == '-' && *c != '\0'; c++) {
            n->zeros = n->zeros || *c == 'z';
            n->absolute = n->absolute || *c == 'a' || *c == 'r';
            n->keeps = n->keeps || *c == 's';
            if (strchr("azsrn-", *c) == NULL)
                lex_fail(w->x, w->pos, "unsupported: nstat %s", w->w[i]);
        }
    }
}

/* nstat | grep -q ...: what finds nothing fails, if it is the last. */
static void do_grep(struct words *w, struct nstat *n)
{
    struct nstat_grep flags = {.extended = strcmp(w->w[0], "egrep") == 0}, *g;
    const char *pattern = NULL;

    for (size_t i = 1; i < w->count; i++) {
        if (w->w[i][0] != '-') {
            if (pattern != NULL)
                lex_fail(w->x, w->pos, "unsupported: grep in the file %s; only behind nstat", w->w[i]);
            pattern = w->w[i];
        }
        for (const char *c = w->w[i] + 1; w->w[i][0] == '-' && *c != '\0'; c++) {
            flags.inverted = flags.inverted || *c == 'v';
            flags.extended = flags.extended || *c == 'E';
            flags.any_case = flags.any_case || *c == 'i';
            if (strchr("qvEisce", *c) == NULL)
                lex_fail(w->x, w->pos, "unsupported: grep %s", w->w[i]);
        }
    }
    if (pattern == NULL) {
        lex_fail(w->x, w->pos, "grep: expected a pattern");
        return;
    }
    g = add_pattern(w, &n->greps, pattern);
    flags.pattern = g->pattern;
    *g = flags;
}

struct command {
    const char *name;    /* the last part of the path; "*x": what contains x */
    void (*act)(struct words *w);
};

static const struct command commands[] = {
    {"*defaults.sh", do_defaults},
    {"*set_sysctls", do_sysctl},
    {"*restore", do_nothing},        /* each script has a stack of its own: nothing outlives it */
    {"sysctl", do_sysctl},
    {"echo", do_echo},
    {"ip", do_ip},
    {"tc", do_tc},
    {"ethtool", do_nothing},         /* offloads: the runner glues segments, they are not seen */
    {"nstat", do_nstat},
    {"sleep", do_sleep},
    {"set", do_nothing},             /* -e, -x */
    {"ss", do_print},
    {"cat", do_print},
    {"date", do_print},
    {"dmesg", do_print},
    {"uname", do_print},
    {"kldload", do_nothing},
    {"true", do_nothing},
    {":", do_nothing},
    {"sync", do_nothing},
    {"modprobe", do_nothing},
    {"*tcp_metrics", do_nothing},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

/* sudo CMD, exec CMD, and an interpreter before the path of a script: sh defaults.sh, python3 set_sysctls.py */
static bool is_prefix(const struct words *w)
{
    static const char *const prefixes[] = {"sudo", "exec", "sh", "bash", "python", "python3", NULL};
    size_t i = 0;

    while (prefixes[i] != NULL && strcmp(prefixes[i], w->w[0]) != 0)
        i++;
    return prefixes[i] != NULL && w->count > 1 && w->w[1][0] != '-';
}

static void run_words(struct words *w)
{
    const char *names[COMMAND_COUNT + 1], *slash, *name;
    char hint[80];

    if (w->count == 0 || w->x->failed)
        return;
    if (is_prefix(w)) {
        memmove(&w->w[0], &w->w[1], --w->count * sizeof w->w[0]);
        run_words(w);
        return;
    }
    slash = strrchr(w->w[0], '/');
    name = slash != NULL ? slash + 1 : w->w[0];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name + (commands[i].name[0] == '*');
        if (commands[i].name[0] == '*' ? strstr(name, commands[i].name + 1) != NULL : strcmp(name, commands[i].name) == 0) {
            commands[i].act(w);
            return;
        }
    }
    names[COMMAND_COUNT] = NULL;
    lex_fail(w->x, w->pos, "unsupported command: %.100s%s", w->w[0], nearest_hint(name, names, hint, sizeof hint));
}

static void run_all(struct shell *sh, struct d_action ***tail);

/* sh -c "commands" */
static void run_text(struct shell *outer, const char *text, struct d_action ***tail)
{
    struct shell sh = *outer;

    sh.s = text;
    sh.len = strlen(text);
    sh.at = 0;
    if (++sh.depth > DEPTH_MAX)
        lex_fail(sh.x, sh.pos, "commands within commands, deeper than %d", DEPTH_MAX);
    run_all(&sh, tail);
}

static bool is_shell_text(const struct words *w)
{
    return w->count == 3 && (strcmp(w->w[0], "sh") == 0 || strcmp(w->w[0], "bash") == 0) && strcmp(w->w[1], "-c") == 0;
}

/* Behind a pipe: what reads nstat. */
static void run_reader(struct words *w, struct nstat *from)
{
    if (w->count > 0 && (strcmp(w->w[0], "grep") == 0 || strcmp(w->w[0], "egrep") == 0))
        do_grep(w, from);
    else if (w->count != 1 || strcmp(w->w[0], "cat") != 0)
        lex_fail(w->x, w->pos, "unsupported: a pipe into %s; only grep is known", w->count > 0 ? w->w[0] : "nothing");
}

/* One command with the pipeline behind it. `from`: the nstat whose output it reads; NULL = none. */
static void take_command(struct shell *sh, struct d_action ***tail, struct nstat *from)
{
    struct words w = {.x = sh->x, .pos = sh->pos, .tail = tail};
    struct d_action **first = *tail;

    for (;;) {
        skip_blanks(sh);
        if (take_redirection(sh, &w))
            continue;
        if (sh->at >= sh->len || is_end(look(sh, 0)) || sh->x->failed)
            break;
        if (w.count == WORDS_MAX) {
            lex_fail(sh->x, sh->pos, "more than %d words in a command", WORDS_MAX);
            return;
        }
        w.w[w.count++] = take_word(sh);
        if (w.count == 1 && strcmp(w.w[0], "!") == 0 && from == NULL && !w.negated) {
            w.negated = true;
            w.count = 0;
        }
    }
    if (from != NULL)
        run_reader(&w, from);
    else if (is_shell_text(&w))
        run_text(sh, w.w[2], tail);
    else
        run_words(&w);
    if (from == NULL)
        from = *first != NULL && (*first)->kind == ACT_NSTAT ? (*first)->nstat : NULL;
    if (w.negated && from == NULL)
        lex_fail(sh->x, sh->pos, "unsupported: ! before %s; only nstat | grep can fail here", w.count > 0 ? w.w[0] : "nothing");
    if (look(sh, 0) != '|' || look(sh, 1) == '|' || sh->x->failed)
        return;
    if (from == NULL)
        lex_fail(sh->x, sh->pos, "unsupported: a pipe behind %s; only nstat | grep is known", w.count > 0 ? w.w[0] : "nothing");
    sh->at++;
    take_command(sh, tail, from);
}

static void run_all(struct shell *sh, struct d_action ***tail)
{
    while (sh->at < sh->len && !sh->x->failed) {
        if (look(sh, 0) == '\n')
            sh->pos = (struct d_pos){sh->pos.line + 1, 1};
        if (is_end(look(sh, 0)) || is_blank(look(sh, 0)))
            sh->at++;
        else
            take_command(sh, tail, NULL);
    }
}

void command_check(struct lex *x, struct d_command *c, struct d_pos pos)
{
    struct shell sh = {.x = x, .pos = pos, .s = c->text.s, .len = c->text.len};
    struct d_action **tail = &c->actions;

    run_all(&sh, &tail);
}
