/* SPDX-License-Identifier: Apache-2.0 */
/* Can the swarm find bugs? Each bug of core/base/plant.h is switched on in the library that has them, and the swarm must find it
 * within its budget of seeds; with none switched on it must find nothing in as many. Not a cmocka test: it links netcore_plant. */
#include "sim/swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 400 /* seeds for each bug, and for the sound stack */, JOBS = 2 };

struct found { uint64_t seed; struct swarm_result r; };

static void on_failure(void *user, const struct swarm_options *o, const struct swarm_result *r)
{
    struct found *f = user;
    if (f->seed == 0 || o->seed < f->seed)
        *f = (struct found){o->seed, *r};
}

static void search(uint32_t plant, uint64_t budget, struct found *f, struct swarm_total *t)
{
    struct swarm_many m = {.base = {.seed = 1, .plant = plant}, .count = budget, .jobs = JOBS, .stop_after = 1, .on_failure = on_failure,
                           .user = f};
    *f = (struct found){0};
    swarm_many(&m, t);
}

int main(int argc, char **argv)
{
    unsigned bugs = 0, found = 0, status = 0;
    uint64_t rules = 0; /* that found one */
    for (unsigned i = 0; nst_plant_get_info(i) != NULL; i++) {
        const nst_plant_info *p = nst_plant_get_info(i);
        struct found f;
        struct swarm_total t;
        if (argc > 1 && strcmp(argv[1], p->name) != 0)
            continue;
        search(i, argc > 2 ? strtoull(argv[2], NULL, 0) : BUDGET, &f, &t);
        bool is_right = (i == 0) == (f.seed == 0);
        bugs += i != 0;
        found += i != 0 && f.seed != 0;
        status |= !is_right;
        rules |= f.seed != 0 ? 1ull << f.r.verdict.rule : 0;
        if (f.seed == 0)
            printf("%-18s %-4s %s\n", p->name, p->k, i == 0 ? "nothing found" : "NOT FOUND");
        else
            printf("%-18s %-4s seed %3llu  %s: %s%s\n", p->name, p->k, (unsigned long long)f.seed,
                   oracle_rule_get_info(f.r.verdict.rule)->name,
                   f.r.verdict.text, i == 0 ? "  IN A SOUND STACK" : "");
        fflush(stdout);
    }
    printf("%u of %u planted bugs found within %u seeds\n", found, bugs, BUDGET);
    static const enum oracle_rule swarms[] = {ORACLE_DATAGRAM, ORACLE_LIVENESS, ORACLE_PANIC}; /* not the oracle's */
    for (size_t i = 0; argc < 2 && i < sizeof swarms / sizeof *swarms; i++)
        if ((rules >> swarms[i] & 1) == 0) {
            printf("no bug was found by \"%s\"\n", oracle_rule_get_info(swarms[i])->name);
            status = 1;
        }
    return status != 0 || (argc < 2 && bugs < 30) ? EXIT_FAILURE : EXIT_SUCCESS;
}
