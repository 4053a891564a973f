/* SPDX-License-Identifier: Apache-2.0 */
/* drill --mutate: does the runner compare what the scripts say? */
#include <stdlib.h>

#include "cmd_drill.h"
#include "util.h"

enum { MUTANTS_MAX = 100000 };

static char *read_all(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(1 << 20);

    *len = f != NULL && text != NULL ? fread(text, 1, 1 << 20, f) : 0;
    if (f != NULL)
        fclose(f);
    return text;
}

int drill_mutate_all(struct drill_job *j)
{
    size_t mutants = 0, survivors = 0, skipped = 0;

    for (size_t i = 0; i < j->file_count; i++) {
        size_t len;
        char *text = read_all(j->files[i], &len);

        drill_file(j->files[i], &j->config, &j->results[i]);
        skipped += j->results[i].status != DRILL_PASSED;
        for (size_t n = 0; j->results[i].status == DRILL_PASSED && n < MUTANTS_MAX; n++) {
            struct drill_result result;
            struct drill_script *s = drill_parse(j->files[i], text, len, &j->config, &result);
            char what[120];

            if (s == NULL || !drill_mutate(s, n, what, sizeof what)) {
                drill_free(s);
                break;
            }
            drill_run(s, &result);
            drill_free(s);
            mutants++;
            if (result.status == DRILL_PASSED) {
                survivors++;
                if (!j->quiet)
                    printf("%s: passes although %s\n", j->files[i], what);
            }
        }
        free(text);
    }
    printf("%zu mutants of %zu scripts, %zu killed (%zu.%02zu %%), %zu scripts skipped because they fail\n", mutants,
           j->file_count - skipped, mutants - survivors, mutants != 0 ? (mutants - survivors) * 100 / mutants : 0,
           mutants != 0 ? (mutants - survivors) * 10000 / mutants % 100 : 0, skipped);
    return mutants > 0 && survivors * 50 <= mutants && skipped == 0 ? EXIT_OK : EXIT_FALSE;
}
