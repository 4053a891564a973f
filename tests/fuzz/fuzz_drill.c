/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a script: an error with its place, or a script; what it says is run too, as long as it is short. Nothing may crash, and the
 * same script gives the same result twice. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/drill/drill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "fuzz_drill: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct drill_config config = {.seed = 1, .strict_end = size % 2 == 0};
    struct drill_result first, second;
    struct drill_script *s = drill_parse("input", (const char *)data, size, &config, &first);

    if (s == NULL) {
        must(first.status == DRILL_INVALID && first.text[0] != '\0' && first.line >= 1, "refused without a reason");
        return 0;
    }
    if (size < 2048) {
        drill_run(s, &first);
        drill_run(s, &second);
        must(first.status == second.status && first.t == second.t && strcmp(first.text, second.text) == 0, "two runs differ");
        must(first.status != DRILL_FAILED || first.text[0] != '\0', "failed without a reason");
    }
    drill_free(s);
    return 0;
}
